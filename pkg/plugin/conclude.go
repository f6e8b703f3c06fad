package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// afterwards bounds what is still read and written after a move has ended.
const afterwards = 15 * time.Second

// ending is how one release ended up.
type ending struct {
	planned

	outcome canary.Outcome
	now     canary.Release
	err     error
	note    string // what could not be written down
}

// conclude writes down how each move ended, gives the locks back, and tells the user what is where.
func (r *run) conclude(ctx context.Context, all []planned, moves []mover.Move, results []mover.Result, held *locks) error {
	interrupted := errors.Is(context.Cause(ctx), ErrInterrupted)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	byName := map[string]mover.Result{}
	failed := false
	for i, m := range moves {
		byName[m.Release.Name] = results[i]
		failed = failed || results[i].Err != nil
	}
	present := r.present(ctx, failed)
	endings := make([]ending, len(all))
	var writes sync.WaitGroup
	for i, p := range all {
		e := &endings[i]
		*e = ending{planned: p, outcome: canary.Unchanged, now: p.release}
		result, moved := byName[p.release.Name]
		if !moved {
			held.giveBackOne(ctx, p.release.Name) // idle since it was locked
			continue
		}
		e.outcome, e.now, e.err = result.Outcome, result.Release, result.Err
		if now, ok := present[p.release.Name]; ok {
			e.now = now
		}
		writes.Go(func() { r.writeDown(ctx, e, held, interrupted) })
	}
	writes.Wait()
	return r.tell(endings)
}

// present reads where everything is after a failure; what cannot be read is told as last seen.
func (r *run) present(ctx context.Context, failed bool) map[string]canary.Release {
	found := map[string]canary.Release{}
	if !failed {
		return found
	}
	s, err := r.live.Refresh(ctx)
	if err != nil {
		return found
	}
	for _, release := range canary.Discover(s, r.choose.options) {
		if release.Stable != nil {
			found[release.Name] = release
		}
	}
	return found
}

// writeDown ends the record of a release, with the release of its lock in the same write, and announces the change.
// After a signal the lock's release is the only write.
func (r *run) writeDown(ctx context.Context, e *ending, held *locks, interrupted bool) {
	name := e.release.Name
	if lock := held.locks[name]; lock != nil {
		begun := e.release.Begin(e.target, r.typed, r.user, held.since)
		record := begun.End(&e.release, e.now.Replicas(), e.outcome, r.reason, r.client.Now())
		var lost *canary.LockedError
		switch err := lock.Release(ctx, &record); {
		case errors.As(err, &lost):
		case err != nil:
			e.note = "its lock could not be released, and runs out by itself in 30s: " + err.Error()
		default:
			e.now.Record, e.now.Lease = &record, canary.Lease{Record: &record}
		}
	}
	if interrupted || e.release.Replicas() == e.now.Replicas() && e.outcome == canary.Done {
		return
	}
	kind := "Normal"
	if e.outcome != canary.Done {
		kind = "Warning"
	}
	// Best effort: whoever may scale may not always write Events.
	_ = r.client.Announce(ctx, r.namespace, e.release.Services[0], kind, "Canary"+string(e.outcome),
		fmt.Sprintf("%s by %s: %s to %s (stable %s/canary %s)", r.typed, r.user, e.release.Replicas(), e.now.Replicas(), e.now.Stable.Name, e.now.Canary.Name))
}

// tell prints the result, and on failure what is where and the commands that go on and back.
func (r *run) tell(endings []ending) error {
	if r.output.machine() {
		if err := r.output.print(r.streams.Out, statuses(endings), r.command); err != nil {
			return err
		}
	} else {
		r.printResults(endings)
	}
	var failures []error
	said := map[string]bool{}
	for _, e := range endings {
		if e.note != "" {
			r.warn(e.release.Name + ": " + e.note)
		}
		if e.err == nil {
			continue
		}
		failures = append(failures, e.err)
		if text := message(e.err); !said[text] && !errors.Is(e.err, ErrInterrupted) {
			said[text] = true
			fmt.Fprintln(r.streams.ErrOut, text)
			r.printNext(e)
		}
	}
	if len(failures) == 0 {
		return nil
	}
	err := errors.Join(failures...)
	if errors.Is(err, ErrInterrupted) {
		fmt.Fprintln(r.streams.ErrOut, "error: interrupted")
	}
	r.printWhere(endings)
	return toldError{err}
}

func statuses(endings []ending) []printer.Status {
	all := make([]printer.Status, len(endings))
	for i, e := range endings {
		all[i] = printer.Status{Release: e.now, Outcome: e.outcome}
		var stuck *mover.StuckError
		if errors.As(e.err, &stuck) && stuck.Release == e.release.Name && stuck.Problem != nil {
			all[i].Problems = []canary.Problem{*stuck.Problem}
		}
	}
	return all
}

// results says in one word what a command has done.
func (r *run) result() string {
	switch {
	case r.ask.Previous:
		return "rolled back to the previous split"
	case r.ask.Rollback:
		return "rolled back"
	case r.ask.Weight == canary.Full:
		return "promoted"
	}
	return "shifted"
}

func (r *run) printResults(endings []ending) {
	for _, e := range endings {
		before, after := e.release.Replicas(), e.now.Replicas()
		if before.Stable != after.Stable {
			fmt.Fprintf(r.streams.Out, "deployment.apps/%s scaled\n", e.now.Stable.Deployment.Name)
		}
		if before.Canary != after.Canary {
			fmt.Fprintf(r.streams.Out, "deployment.apps/%s scaled\n", e.now.Canary.Deployment.Name)
		}
	}
	arrow := "->"
	if unicodeLocale() {
		arrow = "→"
	}
	for _, e := range endings {
		if e.outcome == canary.Unchanged {
			fmt.Fprintf(r.streams.Out, "%s is there already: %s\n", e.release.Name, serving(&e.now))
		}
		if e.outcome == canary.Done {
			fmt.Fprintf(r.streams.Out, "%s %s: %s %s %s\n", e.release.Name, r.result(), share(&e.release), arrow, serving(&e.now))
		}
	}
}

func share(r *canary.Release) string {
	if w, ok := r.Actual(); ok {
		return w.String() + "%"
	}
	return "-"
}

func serving(r *canary.Release) string {
	return fmt.Sprintf("%s (%s %d/%d, %s %d/%d)", share(r),
		printer.Safe(r.Stable.Name), r.Stable.Serving, r.Stable.Deployment.Replicas,
		printer.Safe(r.Canary.Name), r.Canary.Serving, r.Canary.Deployment.Replicas)
}

// printNext prints what to look at for the pod that is the cause.
func (r *run) printNext(e ending) {
	var stuck *mover.StuckError
	if !errors.As(e.err, &stuck) || stuck.Problem == nil {
		return
	}
	for _, next := range stuck.Problem.Next {
		fmt.Fprintf(r.streams.ErrOut, "  %s\n", printer.Safe(r.command(next, r.namespace)))
	}
}

// printWhere says what is where after a failure, and which commands go on and go back.
func (r *run) printWhere(endings []ending) {
	words := map[canary.Outcome]string{
		canary.Restored: "put back to", canary.Held: "held at", canary.Interrupted: "stopped at", canary.Done: "done, at",
	}
	changed := false
	var lines []string
	for _, e := range endings {
		if e.outcome == canary.Unchanged {
			continue
		}
		changed = changed || e.outcome != canary.Restored
		lines = append(lines, fmt.Sprintf("%s: %s %s %d, %s %d (was %s, asked %s)", printer.Safe(e.release.Name), words[e.outcome],
			printer.Safe(e.now.Stable.Name), e.now.Stable.Deployment.Replicas,
			printer.Safe(e.now.Canary.Name), e.now.Canary.Deployment.Replicas,
			e.release.Replicas(), e.target.Split))
	}
	fmt.Fprintln(r.streams.ErrOut, strings.Join(lines, "\n"))
	again := "to try again:  "
	if changed {
		again = "to go on:      "
	}
	fmt.Fprintf(r.streams.ErrOut, "%s%s\n", again, r.command(r.again, r.namespace))
	if r.back != "" {
		fmt.Fprintf(r.streams.ErrOut, "to roll back:  %s\n", r.command(r.back, r.namespace))
	}
}

// refused reports what was refused before anything was written, for programs too.
func (r *run) refused(all []planned, err error) error {
	if !r.output.machine() {
		return err
	}
	list := make([]printer.Status, len(all))
	for i, p := range all {
		list[i] = printer.Status{Release: p.release, Problems: p.refusals, Outcome: canary.Refused}
	}
	if printErr := r.output.print(r.streams.Out, list, r.command); printErr != nil {
		return printErr
	}
	return err
}
