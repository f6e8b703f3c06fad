package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
)

type deployOptions struct {
	conn    *connection
	streams genericiooptions.IOStreams
	output  output
	command func(next, namespace string) string

	files     []string
	recursive bool
	force     bool
	reset     bool
	wait      bool
	dryRun    string
	timeout   time.Duration
	reason    string

	again string // the command line, to go on
}

func newDeploy(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &deployOptions{conn: conn, streams: streams}
	cmd := &cobra.Command{
		Use:     "deploy -f FILENAME",
		GroupID: "move",
		Short:   "Apply manifests, and leave a split that is on where it is",
		Long: long(`
			Apply manifests and wait until every pod of them serves: the first roll-out, and each after it.

			It is a server-side apply, namespaces first and what runs pods last. The server is asked about everything
			before anything is written. Deployments that belong to a release in the cluster get all that the manifests say but
			the replicas: the split stays what shift, promote or rollback have made of it. With --reset-split it is
			moved to what the manifests say, as a shift would, when all serves.

			Manifests without a namespace go to that of -n or of the context, as with kubectl apply. A Service whose
			Deployments would land in another namespace is refused.`),
		Example: examples(`
			# Roll out a folder of manifests, and wait until all of it serves
			kubectl canary deploy -f manifests/messenger

			# See what the server says to it
			kubectl canary deploy -f manifests/messenger --dry-run=server

			# Start over with the split that the manifests have
			kubectl canary deploy -f manifests/messenger --reset-split`),
		Args: noWords,
	}
	files := genericclioptions.FileNameFlags{Usage: "The files, folders or URLs that contain the manifests; - is stdin", Filenames: &o.files, Recursive: &o.recursive}
	files.AddFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&o.force, "force-conflicts", false, "Take over the fields that other managers have set to other values")
	cmd.Flags().BoolVar(&o.reset, "reset-split", false, "Move releases to the replicas that the manifests have")
	cmd.Flags().BoolVar(&o.wait, "wait", true, "Wait until all pods serve")
	cmd.Flags().StringVar(&o.dryRun, "dry-run", "none", `Must be "none", "client" (only print what would be applied) or "server" (ask the server, which keeps nothing)`)
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
	takes(cmd.Flags(), "dry-run", "none", "client", "server")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for pods, 0 for ever")
	cmd.Flags().StringVar(&o.reason, "reason", "", "Why, for the history of --reset-split")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.complete(); err != nil {
			return usageError{cmd, err}
		}
		o.command = conn.command(cmd)
		o.again = name + " deploy"
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Changed && f.Name != "dry-run" && f.Name != "output" {
				o.again += repeat(f)
			}
		})
		if f := cmd.Flags().Lookup("namespace"); f.Changed {
			o.again += repeat(f)
		}
		return o.run(cmd.Context())
	}
	return cmd
}

// complete refuses flags that do not go together before anything is read.
func (o *deployOptions) complete() error {
	switch o.dryRun {
	case "none", "client", "server":
	default:
		return fmt.Errorf(`invalid --dry-run %q: must be "none", "server" or "client"`, o.dryRun)
	}
	switch {
	case len(o.files) == 0:
		return errors.New("say what to deploy with -f: a file, a folder, or - for stdin")
	case o.timeout < 0:
		return fmt.Errorf("invalid --timeout %s: want 0 or more", o.timeout)
	case o.reset && !o.wait:
		return errors.New("--reset-split moves pods when all serve: leave out --wait=false")
	}
	return o.output.complete()
}

// deploy is one run of deploy, from the manifests to the last word.
type deploy struct {
	*deployOptions

	client  *cluster.Client
	objects []*object
	places  []*place // the namespaces of the objects, in order of name
}

func (o *deployOptions) run(ctx context.Context) error {
	d := &deploy{deployOptions: o}
	for _, step := range []func(context.Context) error{d.load, d.read, d.refuse, d.try} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if o.dryRun != "none" {
		return nil
	}
	if err := d.apply(ctx); err != nil {
		return err
	}
	if o.wait {
		if err := d.await(ctx); err != nil {
			return err
		}
	}
	if o.reset {
		if err := d.resetSplits(ctx); err != nil {
			return err
		}
	}
	return d.show(ctx, canary.Done)
}

// warn tells what does not stop it.
func (d *deploy) warn(text string) {
	fmt.Fprintf(d.streams.ErrOut, "Warning: %s\n", strings.TrimSpace(text))
}
