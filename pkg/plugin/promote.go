package plugin

import (
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
			all releases together or not at all. The stable Deployment stays, at 0 replicas, for a rollback.`),
		Example: examples(`
			# Promote every release of a namespace
			kubectl canary promote -n messenger

			# Promote one, and say why
			kubectl canary promote auth --reason "v2 ran at 50% for a day"`),
		RunE: o.complete,
	}
	o.addFlags(cmd.Flags())
	return cmd
}
