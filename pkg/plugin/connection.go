package plugin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
)

// connection is the user's kubeconfig flags.
type connection struct {
	flags *genericclioptions.ConfigFlags
	gate  func(*run) gate // what judges canaries instead of the gates; nil but in tests
}

func newConnection(flags *pflag.FlagSet) *connection {
	c := &connection{flags: genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag()}
	c.flags.WrapConfigFn = func(config *rest.Config) *rest.Config { // for discovery, too
		config.UserAgent = userAgent()
		return config
	}
	c.flags.AddFlags(flags)
	logs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(logs)
	flags.AddGoFlag(logs.Lookup("v"))
	return c
}

// client connects; no request is sent yet.
func (c *connection) client(errOut io.Writer) (*cluster.Client, error) {
	config, err := c.flags.ToRESTConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("no configuration found: point KUBECONFIG or --kubeconfig at a kubeconfig file")
	}
	if err != nil {
		return nil, c.explain(err)
	}
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	if err == nil && len(raw.Clusters) == 0 && *c.flags.APIServer == "" && config.BearerTokenFile == "" {
		return nil, errors.New("no configuration found: point KUBECONFIG or --kubeconfig at a kubeconfig file")
	}
	config.WarningHandler = rest.NewWarningWriter(errOut, rest.WarningWriterOptions{Deduplicate: true})
	return cluster.New(config, userAgent())
}

// open connects, and says to which namespace.
func (c *connection) open(errOut io.Writer) (client *cluster.Client, namespace string, err error) {
	if namespace, err = c.namespace(); err == nil {
		client, err = c.client(errOut)
	}
	return client, namespace, err
}

func userAgent() string { return "kubectl-" + name + "/" + builtVersion(debug.ReadBuildInfo()) }

func (c *connection) namespace() (string, error) {
	ns, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	return ns, c.explain(err)
}

// explain says of a context that does not exist what kubectl says.
func (c *connection) explain(err error) error {
	if clientcmd.IsContextNotFound(err) {
		return fmt.Errorf("context %q does not exist", c.context())
	}
	return err
}

// context is the name of the context in use, for people.
func (c *connection) context() string {
	if *c.flags.Context != "" {
		return *c.flags.Context
	}
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil || raw.CurrentContext == "" {
		return "none"
	}
	return raw.CurrentContext
}

// connecting are the flags that a next command needs to reach the same place as the same user. None holds a secret:
// --token and --password are not repeated.
var connecting = []string{
	"kubeconfig", "context", "cluster", "user", "server", "as", "as-group", "as-uid", "as-user-extra",
	"certificate-authority", "client-certificate", "client-key", "insecure-skip-tls-verify", "tls-server-name",
}

// command completes a next command with "kubectl", the namespace if there is one, and the user's own connection flags.
func (c *connection) command(cmd *cobra.Command) func(next, namespace string) string {
	var tail strings.Builder
	for _, flag := range connecting {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
			tail.WriteString(repeat(f))
		}
	}
	return func(next, namespace string) string {
		if namespace != "" {
			next += " -n " + namespace
		}
		return "kubectl " + next + tail.String()
	}
}

// repeat writes a flag as the user could have typed it.
func repeat(f *pflag.Flag) string {
	values := []string{f.Value.String()}
	if many, ok := f.Value.(pflag.SliceValue); ok {
		values = many.GetSlice()
	}
	var s strings.Builder
	for _, v := range values {
		switch {
		case f.Value.Type() == "bool" && v == "true":
			fmt.Fprintf(&s, " --%s", f.Name)
		case f.Value.Type() == "bool":
			fmt.Fprintf(&s, " --%s=%s", f.Name, v)
		case f.NoOptDefVal != "":
			fmt.Fprintf(&s, " --%s=%s", f.Name, quote(v)) // a word of its own would not be its value
		default:
			fmt.Fprintf(&s, " --%s %s", f.Name, quote(v))
		}
	}
	return s.String()
}

// quote makes a word one for a POSIX shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%,+", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// read connects and reads a namespace, and fails where it does not exist.
func (c *connection) read(ctx context.Context, client *cluster.Client, namespace string, want cluster.Want) (*cluster.Live, error) {
	live, err := client.Read(ctx, namespace, want)
	if err != nil {
		return nil, err
	}
	if namespace != "" && live.Empty() {
		return live, live.NamespaceError(ctx)
	}
	return live, nil
}
