package plugin

import (
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func newShift(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := newMove(conn, streams)
	to := ""
	cmd := &cobra.Command{
		Use:     "shift [NAME...] --to WEIGHT",
		GroupID: "move",
		Short:   "Move a share of the traffic to the canary",
		Long: long(`
			Move a share of the traffic to the canary, by moving replicas between its Deployment and the stable one.

			New pods are started first, and old ones stopped only when the new ones serve: the ready endpoints never
			fall below what the release needs. Without a NAME every release of the namespace moves, behind one
			barrier: when one cannot come up, all are put back to where they were.

			The weight is a share of pods. Where it cannot be reached with the pods there are, the nearest is taken
			and said; --exact takes as many pods as it needs instead.`),
		Example: examples(`
			# Move every release of a namespace to an even split
			kubectl canary shift --to 50 -n messenger

			# See what a tenth would take for one of them
			kubectl canary shift auth --to 10 --exact --dry-run=client`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usageError{cmd, errors.New("say how much goes to the canary with --to, in percent")}
			}
			weight, err := canary.ParseWeight(to)
			if err != nil {
				return usageError{cmd, err}
			}
			o.ask.Weight = weight
			return o.complete(cmd, args)
		},
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&to, "to", "", "The canary's share of the traffic in percent, 0 to 100")
	takes(cmd.Flags(), "to", "0", "10", "25", "50", "75", "100")
	cmd.Flags().BoolVar(&o.ask.Exact, "exact", false, "Take as many pods as the weight exactly needs, at or above the baseline")
	cmd.Flags().IntVar(&o.ask.MaxTotal, "max-total", 0, "With --exact, the most pods it may take; 0 means four times the baseline")
	cmd.Flags().StringVar(&o.tolerance, "tolerance", "1", "How many percentage points beside the weight are as good as the weight")
	return cmd
}
