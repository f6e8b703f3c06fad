package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// answerWithin is how long whoever runs a migration has to take a request: it acts within a second.
const answerWithin = 15 * time.Second

type controlOptions struct {
	conn    *connection
	streams genericiooptions.IOStreams
	choose  chooser
	command func(next, namespace string) string
	verb    canary.Verb

	client    *cluster.Client
	live      *cluster.Live
	namespace string
}

func newControl(conn *connection, streams genericiooptions.IOStreams, verb canary.Verb) *cobra.Command {
	o := &controlOptions{conn: conn, streams: streams, verb: verb}
	about := controls[verb]
	cmd := &cobra.Command{
		Use:     string(verb) + " [NAME...]",
		GroupID: "move",
		Short:   about.short,
		Long: long(`
			` + about.long + `

			It concerns all releases that migrate together, whichever of them is named, and waits until whoever runs the
			migration has taken it.`),
		Example: examples(`
			` + about.example),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.command = conn.command(cmd)
			if err := o.choose.complete(args); err != nil {
				return usageError{cmd, err}
			}
			return o.run(cmd.Context(), cmd)
		},
	}
	o.choose.addSelector(cmd.Flags())
	return cmd
}

func (o *controlOptions) run(ctx context.Context, cmd *cobra.Command) (err error) {
	if o.namespace, err = o.conn.namespace(); err != nil {
		return err
	}
	if o.client, err = o.conn.client(o.streams.ErrOut); err != nil {
		return err
	}
	if o.live, err = o.conn.read(ctx, o.client, o.namespace, cluster.Want{}); err != nil {
		return err
	}
	s := o.live.Snapshot()
	if s.LeasesHidden {
		return fmt.Errorf("you may not list leases in namespace %q, which hold the migrations (docs/rbac.md)", o.namespace)
	}
	found, everyone, err := o.choose.migrations(s)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("nothing migrates in namespace %q", o.namespace)
	}
	user := o.client.WhoAmI(ctx)
	var failures []error
	for _, id := range ids(found) {
		if err := o.ask(ctx, cmd, s, everyone[id], user); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// ids are the migrations in order of their first release.
func ids(found map[string][]string) []string {
	var all []string
	for id := range found {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(found[a][0], found[b][0]) })
	return all
}

// ask asks whoever runs the migration of some releases, or does what can be done where nobody does.
func (o *controlOptions) ask(ctx context.Context, cmd *cobra.Command, s *canary.Snapshot, releases []string, user string) error {
	first := releases[0]
	running := slices.IndexFunc(releases, func(name string) bool { return s.Leases[name].Held() })
	if running >= 0 {
		first = releases[running]
	}
	who := strings.Join(releases, ", ")
	m := s.Leases[first].Record.Migration
	if err := m.Refuses(o.verb, running >= 0); err != nil {
		return refusal{who + ": " + err.Error(), o.next(releases, running >= 0)}
	}
	if running < 0 && o.verb == canary.VerbAbort {
		return o.rollBack(ctx, cmd, releases)
	}
	request := canary.Request{Verb: o.verb, By: user, Step: m.Index, Time: o.client.Now().Truncate(time.Millisecond)}
	amended := []string{first}
	if running < 0 {
		amended = releases
	}
	for _, name := range amended {
		if err := o.live.Amend(ctx, name, o.amend(request, running >= 0)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	done := controls[o.verb].done
	if running < 0 {
		fmt.Fprintf(o.streams.Out, "%s: %s, and nobody runs it: go on with\n  %s\n", printer.Safe(who), done, o.next(releases, false)[0])
		return nil
	}
	if err := o.await(ctx, first, request); err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	fmt.Fprintf(o.streams.Out, "%s: %s at step %s\n", printer.Safe(who), done, m.Place())
	return nil
}

// amend puts a request into a record, or where nobody runs the migration does what it asks.
func (o *controlOptions) amend(q canary.Request, running bool) func(canary.Lease) (*canary.Record, error) {
	return func(now canary.Lease) (*canary.Record, error) {
		if now.Record == nil || now.Record.Migration == nil || now.Held() != running {
			return nil, errEnded
		}
		record := *now.Record
		record.Migration = record.Migration.Clone()
		if err := record.Migration.Refuses(q.Verb, running); err != nil {
			return nil, err
		}
		if there := record.Migration.Request; running && there != nil && q.Verb != canary.VerbAbort && there.Verb != q.Verb &&
			(there.Verb == canary.VerbAbort || q.Time.Sub(there.Time) < answerWithin) {
			return nil, fmt.Errorf("%s, says %s, is not taken yet: try again in a moment", there.Verb, there.By)
		}
		if running {
			record.Migration.Request = &q
		} else {
			record.Migration.Take(q.Verb, q.Time)
		}
		return &record, nil
	}
}

var errEnded = errors.New("the migration has ended or was interrupted meanwhile: see kubectl canary status")

// await waits until a request was taken.
func (o *controlOptions) await(ctx context.Context, release string, q canary.Request) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, mover.ErrDeadline)
	defer cancel()
	end := make(chan error, 1)
	tell := func(err error) {
		select {
		case end <- err:
		default:
		}
	}
	go func() {
		tell(o.live.FollowLeases(ctx, func(all map[string]canary.Lease) {
			if done, err := taken(all[release], q); done {
				tell(err)
			}
		}))
	}()
	select {
	case err := <-end:
		return err
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, mover.ErrDeadline) {
			return cause
		}
		return fmt.Errorf("whoever runs the migration has not answered within %s, and may do it later: %w", answerWithin, mover.ErrDeadline)
	}
}

// taken says whether a Lease shows that a request was taken, or never will be.
func taken(lease canary.Lease, q canary.Request) (done bool, err error) {
	switch {
	case lease.Record == nil || lease.Record.Migration == nil:
		if q.Verb == canary.VerbAbort {
			return true, nil // it is on its way back already
		}
		return true, errEnded
	case lease.Holder == "": // its runner takes a request out of the record when it goes
		return true, errEnded
	}
	return !q.Is(lease.Record.Migration.Request), nil
}

// next are the commands for a migration: nobody runs it, or it is as it is.
func (o *controlOptions) next(releases []string, running bool) []string {
	some := ""
	if o.choose.named() {
		some = " " + strings.Join(quoted(releases), " ")
	}
	if running {
		return []string{o.command(name+" status"+some, o.namespace)}
	}
	return []string{o.command(name+" migrate"+some+" --resume", o.namespace)}
}

// rollBack is the abort of a migration that nobody runs: a rollback, which ends it.
func (o *controlOptions) rollBack(ctx context.Context, cmd *cobra.Command, releases []string) error {
	fmt.Fprintf(o.streams.ErrOut, "Nobody runs the migration of %s: rolling back\n", printer.Safe(strings.Join(releases, ", ")))
	rollback, _, err := cmd.Root().Find([]string{"rollback"})
	if err == nil {
		err = rollback.ParseFlags(nil) // which makes the connection's flags its own
	}
	if err != nil {
		return err
	}
	rollback.SetContext(ctx)
	return rollback.RunE(rollback, releases)
}
