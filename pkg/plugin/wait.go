package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

type waitOptions struct {
	conn    *connection
	streams genericiooptions.IOStreams
	choose  chooser
	command func(next, namespace string) string
	until   canary.Criterion
	timeout time.Duration
}

func newWait(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &waitOptions{conn: conn, streams: streams}
	criterion := ""
	cmd := &cobra.Command{
		Use:     "wait [NAME...] --for CONDITION",
		GroupID: "see",
		Short:   "Wait until releases are at a weight or in a phase",
		Long: long(`
			Wait until a condition holds for every named release at once, or without a NAME for every release of the
			namespace. It changes nothing, and watches.

			The condition is weight=N or a phase, such as promoted or phase=Promoted. A weight is reached when the share that is
			served is what the replicas can reach, if N is what was asked for last, and else within one percentage point of
			N; 0 and 100 only by all of it. While somebody moves a release its phase is Moving.

			It exits with 124 when the time is over, and says which releases do not fulfil it and why.`),
		Example: examples(`
			# Go on in a pipeline when half of the traffic of every release is on the canary
			kubectl canary wait --for weight=50 --timeout 5m -n messenger

			# Wait until somebody has promoted one of them
			kubectl canary wait auth --for promoted --timeout 1h`),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.command = conn.command(cmd)
			if err = o.choose.complete(args); err == nil && criterion == "" {
				err = errors.New("say what to wait for with --for: weight=N, or a phase")
			}
			if err == nil {
				o.until, err = canary.ParseCriterion(criterion)
			}
			if err != nil {
				return usageError{cmd, err}
			}
			return o.run(cmd.Context())
		},
	}
	o.choose.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&criterion, "for", "", "What to wait for: weight=N, or a phase: "+strings.Join(canary.Criteria(), ", "))
	takes(cmd.Flags(), "for", append([]string{"weight=25", "weight=50", "weight=75"}, canary.Criteria()...)...)
	cmd.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "How long to wait, 0 to look once, negative for ever")
	return cmd
}

func (o *waitOptions) run(ctx context.Context) error {
	client, namespace, err := o.conn.open(o.streams.ErrOut)
	if err != nil {
		return err
	}
	live, err := o.conn.read(ctx, client, namespace, cluster.Want{WholePods: true})
	if err != nil {
		return err
	}
	all, late, err := o.look(live)
	if err == nil && len(late) > 0 && o.timeout != 0 {
		all, late, err = o.watch(ctx, live)
	}
	if err != nil {
		return err
	}
	for _, r := range all {
		if len(late) == 0 {
			fmt.Fprintf(o.streams.Out, "release/%s condition met\n", printer.Safe(r.Name))
		}
	}
	for i := range late {
		o.explain(&late[i], live.Snapshots()[0], client.Now())
	}
	if len(late) > 0 {
		return toldError{mover.ErrDeadline}
	}
	return nil
}

// look returns the releases that are waited for, and those for which the condition does not hold.
func (o *waitOptions) look(live *cluster.Live) (all, late []canary.Release, err error) {
	snapshot := live.Snapshots()[0]
	if all, err = o.choose.find(snapshot, false); err != nil {
		return nil, nil, err
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("no release found in namespace %q", snapshot.Namespace)
	}
	for _, r := range all {
		if met, _ := o.until.Met(&r); !met {
			late = append(late, r)
		}
	}
	return all, late, nil
}

// watch looks again at every change, until the condition holds or the time is over.
func (o *waitOptions) watch(ctx context.Context, live *cluster.Live) (all, late []canary.Release, err error) {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, mover.ErrDeadline)
		defer cancel()
	}
	live.Follow(ctx, true)
	for {
		beat, cancel := context.WithTimeoutCause(ctx, time.Second, errBeat) // a lock runs out without a change
		err := live.ObserveAll(beat, func() (done bool, err error) {
			all, late, err = o.look(live)
			return len(late) == 0, err
		})
		cancel()
		switch {
		case errors.Is(err, mover.ErrDeadline):
			return all, late, nil
		case !errors.Is(err, errBeat):
			return all, late, err
		}
	}
}

// explain says why the condition does not hold, and what to run next.
func (o *waitOptions) explain(r *canary.Release, s *canary.Snapshot, now time.Time) {
	_, stands := o.until.Met(r)
	text := fmt.Sprintf("error: timed out waiting for %s on release/%s: %s", o.until, r.Name, stands)
	var next []string
	if troubles := canary.Troubles(r, s, now, startGrace); len(troubles) > 0 {
		text += "; " + troubles[0].Sentence()
		next = troubles[0].Next
	}
	fmt.Fprintln(o.streams.ErrOut, printer.Safe(text))
	for _, command := range next {
		fmt.Fprintf(o.streams.ErrOut, "  %s\n", printer.Safe(o.command(command, r.Namespace)))
	}
}
