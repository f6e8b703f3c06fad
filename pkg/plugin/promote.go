package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func newPromote(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := newMove(conn, streams)
	o.ask.Weight = canary.Full
	cmd := &cobra.Command{
		Use:     "promote [NAME...]",
		GroupID: "move",
		Short:   "Give all of the traffic to the canary",
		Long: long(`
			Give all of the traffic to the canary: its Deployment gets the baseline's replicas, the stable one none.

			It moves as shift does: new pods serve before old ones stop, in as many rounds as the surge allows, and
			all releases together or not at all. The stable Deployment stays, at 0 replicas, for a rollback.

			With --bake or --keep stable's pods leave the Service and run on, dark: a rollback then starts no pod. It
			takes a label that lets pods leave the Service (docs/how-it-works.md), and room for the pods of both
			versions. --bake lowers them when its time has passed; Ctrl-C meanwhile leaves it at --keep. After --keep,
			a plain promote lowers them.`),
		Example: examples(`
			# Promote every release of a namespace
			kubectl canary promote -n messenger

			# Promote one, and say why
			kubectl canary promote auth --reason "v2 ran at 50% for a day"

			# Keep the old pods at hand for a quarter of an hour
			kubectl canary promote auth --bake 15m`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("bake") && o.bake <= 0 {
				return usageError{cmd, fmt.Errorf("invalid --bake %s: want more than 0", o.bake)}
			}
			o.ask.Keep = o.ask.Keep || o.bake > 0
			return o.complete(cmd, args)
		},
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().DurationVar(&o.bake, "bake", 0, "How long stable's pods run on without traffic before they are stopped")
	cmd.Flags().BoolVar(&o.ask.Keep, "keep", false, "Leave stable's pods running without traffic, until a plain promote or a rollback")
	cmd.MarkFlagsMutuallyExclusive("bake", "keep")
	return cmd
}
