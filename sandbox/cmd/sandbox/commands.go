package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// command is the whole command line. Only what a script wants to read goes to stdout.
func command() *cobra.Command {
	var root, name string
	cmd := &cobra.Command{
		Use:           "sandbox",
		Short:         "A real Kubernetes control plane with simulated nodes, or a real one, on this machine only",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.PersistentFlags().StringVar(&name, "name", "default", "name of the cluster; several run side by side")
	cmd.PersistentFlags().StringVar(&root, "dir", "", "folder that holds the clusters (default: kubectl-canary/sandbox in the user's cache folder)")
	cmd.CompletionOptions.DisableDefaultCmd = true
	_ = pflag.CommandLine.MarkHidden("version") // the components' own

	// on gives a command its cluster, and a context that ends with an interrupt.
	on := func(do func(ctx context.Context, c *cluster.Cluster, args []string) error) func(*cobra.Command, []string) error {
		return func(_ *cobra.Command, args []string) error {
			c, err := cluster.Open(root, name, os.Stderr)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			return do(ctx, c, args)
		}
	}
	components := " (" + strings.Join(cluster.Components, ", ") + "; with a real node no kwok, but containerd, kubelet, kube-proxy, and with --metrics metrics-server)"

	var o cluster.Options
	var check bool
	up := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster, unless it runs, and print the path of its kubeconfig",
		Args:  cobra.NoArgs,
		RunE: on(func(ctx context.Context, c *cluster.Cluster, _ []string) error {
			if check {
				_, err := realnode.Find()
				return err
			}
			if err := c.Up(ctx, o); err != nil {
				return err
			}
			fmt.Println(c.KubeconfigPath())
			return nil
		}),
	}
	up.Flags().IntVar(&o.Nodes, "nodes", 1, "number of simulated nodes")
	up.Flags().BoolVar(&o.RealNode, "real-node", false, "one real node instead, whose pods run and serve: on Linux, as root; everything runs in a network of its own")
	up.Flags().BoolVar(&o.Metrics, "metrics", false, "with --real-node: metrics-server too, for metrics.k8s.io and kubectl top")
	up.Flags().BoolVar(&check, "check", false, "with --real-node: only say whether this machine can run one")
	up.MarkFlagsMutuallyExclusive("nodes", "real-node")
	up.Flags().StringVar(&o.AuditPolicy, "audit-policy", "", "file with an audit policy: what it asks for is written to logs/audit.log in the cluster's folder")

	var asRole, user string
	kubeconfig := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of a kubeconfig: the administrator's, or that of another user",
		Args:  cobra.NoArgs,
		RunE: on(func(ctx context.Context, c *cluster.Cluster, _ []string) error {
			path, err := c.Kubeconfig()
			switch {
			case err != nil:
			case asRole != "":
				path, err = c.KubeconfigAs(ctx, asRole)
			case user != "":
				path, err = c.KubeconfigOf(user)
			}
			if err != nil {
				return err
			}
			fmt.Println(path)
			return nil
		}),
	}
	kubeconfig.Flags().StringVar(&asRole, "as-role", "", "NAMESPACE/ROLE: of a user who is bound to this Role, and to nothing else")
	kubeconfig.Flags().StringVar(&user, "user", "", "of a user of this name, who has no rights but those that are bound to it")
	kubeconfig.MarkFlagsMutuallyExclusive("as-role", "user")

	execute := &cobra.Command{
		Use:   "exec -- COMMAND ARG...",
		Short: "Become a program in the network of a cluster with a real node",
		Args:  cobra.MinimumNArgs(1),
		RunE:  on(func(_ context.Context, c *cluster.Cluster, args []string) error { return c.Exec(args) }),
	}
	execute.Flags().SetInterspersed(false)

	cmd.AddCommand(up, kubeconfig, execute,
		&cobra.Command{
			Use:   "load-image PROGRAM REF...",
			Short: "Give a real node an image that has one static program, under these names",
			Args:  cobra.MinimumNArgs(2),
			RunE: on(func(ctx context.Context, c *cluster.Cluster, args []string) error {
				return c.LoadImage(ctx, args[0], args[1:])
			}),
		},
		&cobra.Command{
			Use:   "down",
			Short: "End a cluster and remove everything it has",
			Args:  cobra.NoArgs,
			RunE:  on(func(_ context.Context, c *cluster.Cluster, _ []string) error { return c.Down() }),
		},
		&cobra.Command{
			Use:   "status",
			Short: "Show a cluster's parts; fail when one does not work",
			Args:  cobra.NoArgs,
			RunE: on(func(ctx context.Context, c *cluster.Cluster, _ []string) error {
				return c.Status(ctx, os.Stdout)
			}),
		},
		&cobra.Command{
			Use:   "logs COMPONENT",
			Short: "Print the log of a component" + components,
			Args:  cobra.ExactArgs(1),
			RunE: on(func(_ context.Context, c *cluster.Cluster, args []string) error {
				return c.Logs(args[0], os.Stdout)
			}),
		},
		&cobra.Command{
			Use:   "restart COMPONENT",
			Short: "End a component and start it again, on the same port" + components,
			Args:  cobra.ExactArgs(1),
			RunE: on(func(ctx context.Context, c *cluster.Cluster, args []string) error {
				return c.Restart(ctx, args[0])
			}),
		},
	)
	return cmd
}
