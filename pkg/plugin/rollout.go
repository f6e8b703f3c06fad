package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/spf13/pflag"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// errElsewhere ends the wait in one namespace when another does not come up.
var errElsewhere = errors.New("what was applied to another namespace does not come up")

// await waits until all that was applied serves, and says what does not and why.
func (d *deploy) await(ctx context.Context) error {
	notify, stop := showProgress(d.streams.ErrOut, d.client, nil)
	waits, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, len(d.places))
	var group sync.WaitGroup
	for i, at := range d.places {
		group.Go(func() {
			errs[i] = mover.AwaitRollout(waits, &following{Live: at.live, ctx: waits}, mover.Rollout{
				Services:    namesOf(at.Services, func(s canary.Service) string { return s.Name }),
				Deployments: namesOf(at.Deployments, func(d canary.Deployment) string { return d.Name }),
				Before:      at.Present, Timeout: d.timeout, Notify: notify,
			})
			if errs[i] != nil {
				cancel(errElsewhere)
			}
		})
	}
	group.Wait()
	stop()
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrInterrupted) {
		fmt.Fprintln(d.streams.ErrOut, "error: interrupted: all is applied, and not all of it serves yet")
	}
	for i, at := range d.places {
		for _, err := range each(errs[i]) {
			d.explain(ctx, at, err)
		}
	}
	fmt.Fprintf(d.streams.ErrOut, "to go on:      %s\n", d.command(d.again, ""))
	for _, at := range d.places {
		for _, name := range backwards(at) {
			fmt.Fprintf(d.streams.ErrOut, "to roll back:  %s\n", d.command("canary rollback "+quote(name), at.Namespace))
		}
	}
	if d.output.machine() && d.output.format != "name" {
		if err := d.show(ctx, canary.Held); err != nil {
			return err
		}
	}
	return toldError{err}
}

// following is a namespace that is watched once what is known of it does not do.
type following struct {
	*cluster.Live

	ctx  context.Context // of the watches
	once sync.Once
}

func (f *following) Observe(ctx context.Context, look func(*canary.Snapshot) (bool, error)) error {
	now, cancel := context.WithCancel(ctx)
	cancel()
	if err := f.Live.Observe(now, look); !errors.Is(err, context.Canceled) {
		return err
	}
	f.once.Do(func() { f.Follow(f.ctx, true) })
	return f.Live.Observe(ctx, look)
}

func namesOf[T any](these []T, name func(T) string) []string {
	all := make([]string, len(these))
	for i, t := range these {
		all[i] = name(t)
	}
	return all
}

// each takes joined errors apart.
func each(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// explain tells what does not come up, what has happened to it, and what to run next.
func (d *deploy) explain(ctx context.Context, at *place, err error) {
	if errors.Is(err, ErrInterrupted) || errors.Is(err, errElsewhere) {
		return
	}
	fmt.Fprintln(d.streams.ErrOut, message(err))
	if pod := stuckPod(err); pod != "" && at.live.ReadEvents(ctx, map[string][]string{at.Namespace: {pod}}) == nil {
		for _, h := range canary.Telling(at.live.Snapshots()[0].Happenings, pod, err.Error()) {
			fmt.Fprintf(d.streams.ErrOut, "  %s\n", printer.Happening(h, d.client.Now()))
		}
	}
	var stuck *mover.StuckError
	if errors.As(err, &stuck) && stuck.Problem != nil {
		for _, next := range stuck.Problem.Next {
			fmt.Fprintf(d.streams.ErrOut, "  %s\n", printer.Safe(d.command(next, at.Namespace)))
		}
	}
}

// backwards are the releases whose stable version serves, while the canary has pods that do not.
func backwards(at *place) (all []string) {
	for _, r := range canary.Discover(at.live.Snapshot(), canary.Options{}) {
		if r.Stable != nil && at.Touches(&r) && r.Stable.Serving > 0 && r.Canary.Serving < r.Canary.Deployment.Replicas {
			all = append(all, r.Name)
		}
	}
	return all
}

// resetSplits moves releases to what the manifests have, as a shift would: behind one barrier in each namespace, with lock
// and record.
func (d *deploy) resetSplits(ctx context.Context) error {
	for _, at := range d.places {
		m := newMove(d.conn, d.streams)
		m.addFlags(pflag.NewFlagSet("", pflag.ContinueOnError)) // for what is left out
		m.in, m.timeout, m.reason = at.Namespace, d.timeout, d.reason
		m.ask.Splits = map[string]canary.Split{}
		for _, r := range canary.Discover(at.live.Snapshot(), canary.Options{}) {
			if split, asked := d.asked(at.Namespace, &r); asked {
				m.ask.Splits[r.Name] = split
				m.choose.names = append(m.choose.names, r.Name)
			}
		}
		if len(m.choose.names) == 0 {
			continue
		}
		if err := errors.Join(m.choose.complete(m.choose.names), m.completeAsk()); err != nil {
			return err
		}
		if d.output.machine() {
			m.streams.Out = io.Discard // what comes of it is in the list at the end
		}
		m.typed, m.again, m.back = "deploy --reset-split", d.again, "canary rollback"
		m.command = func(next, namespace string) string {
			if next == d.again {
				namespace = "" // the manifests say which
			}
			return d.command(next, namespace)
		}
		if err := m.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// asked is the split that the manifests have of a release: of a side that they leave open, what it has.
func (d *deploy) asked(namespace string, r *canary.Release) (split canary.Split, asked bool) {
	split = r.Replicas()
	for _, o := range d.objects {
		n, says := o.replicas()
		if r.Stable == nil || !says || !o.is("apps", "Deployment") || o.Object.GetNamespace() != namespace {
			continue
		}
		switch o.Object.GetName() {
		case r.Stable.Deployment.Name:
			split.Stable, asked = n, true
		case r.Canary.Deployment.Name:
			split.Canary, asked = n, true
		}
	}
	return split, asked
}

// show ends with what status prints of the releases; where there is none yet, of the Services with one version.
func (d *deploy) show(ctx context.Context, outcome canary.Outcome) error {
	status := &statusOptions{conn: d.conn, streams: d.streams, output: d.output, command: d.command, everyNS: len(d.places) > 1}
	if err := status.choose.complete(nil); err != nil {
		return err
	}
	var all []printer.Status
	for _, status.all = range []bool{false, true} {
		for _, at := range d.places {
			these, err := status.once(ctx, d.client, at.Namespace)
			if err != nil {
				return err
			}
			all = append(all, slices.DeleteFunc(these, func(s printer.Status) bool { return !at.Touches(&s.Release) })...)
		}
		if len(all) > 0 {
			break
		}
	}
	for i := range all {
		all[i].Outcome = outcome
	}
	if len(all) == 0 && !d.output.machine() {
		return nil
	}
	return status.print(all, "", d.client.Now())
}
