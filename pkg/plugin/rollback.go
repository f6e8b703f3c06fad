package plugin

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func newRollback(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := newMove(conn, streams)
	o.ask.Weight, o.ask.Rollback = canary.None, true
	cmd := &cobra.Command{
		Use:     "rollback [NAME...]",
		GroupID: "move",
		Short:   "Give all of the traffic back to stable",
		Long: long(`
			Give all of the traffic back to stable: its Deployment gets the baseline's replicas, the canary none.

			Stable comes up first, all of it at once, and the canary goes when stable serves; a canary that is sick
			anyway is not waited for. Each release goes by itself. A rollback takes over the lock of an operator who
			is moving the release, and is never refused for the canary's condition.

			Pods of stable that a promote has kept are back at once: none has to start. --now takes the canary's pods
			out of the traffic before stable is up, all but what the Service needs to have one ready endpoint.`),
		Example: examples(`
			# Roll back every release of a namespace
			kubectl canary rollback -n messenger

			# Go back to the split before the last change
			kubectl canary rollback auth --to-previous

			# Get rid of a canary that does harm, whatever it costs in capacity
			kubectl canary rollback auth --now`),
		RunE: o.complete,
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&o.ask.Previous, "to-previous", false, "Go back to the replicas before the last change instead of 0%")
	cmd.Flags().BoolVar(&o.ask.Now, "now", false, "Give up the floor for speed: the canary goes at once, but for the last ready endpoint")
	cmd.Flags().Lookup("max-surge").DefValue = "100%"
	return cmd
}
