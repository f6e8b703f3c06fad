package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// tell prints the result, and on failure what is where and the commands that go on and back.
func (r *run) tell(endings []ending) error {
	if r.output.machine() {
		if err := r.output.print(r.streams.Out, r.statuses(endings), r.command); err != nil {
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
			r.printHappened(e)
			r.printNext(e.err)
		}
	}
	if len(failures) == 0 {
		r.printKept(endings)
		return nil
	}
	err := errors.Join(failures...)
	there := !slices.ContainsFunc(endings, func(e ending) bool { return e.outcome != canary.Done && e.outcome != canary.Unchanged })
	switch {
	case errors.Is(err, ErrInterrupted) && there && !r.ask.Keep:
		fmt.Fprintln(r.streams.ErrOut, "error: interrupted, after all was done")
		return toldError{err}
	case errors.Is(err, ErrInterrupted):
		fmt.Fprintln(r.streams.ErrOut, "error: interrupted")
	}
	if !r.printKept(endings) {
		r.printWhere(endings)
	}
	return toldError{err}
}

// statuses is the result for programs. A list of names is of what is where it should be.
func (r *run) statuses(endings []ending) []printer.Status {
	var all []printer.Status
	for _, e := range endings {
		if r.output.format == "name" && e.err != nil {
			continue
		}
		status := printer.Status{Release: e.now, Outcome: e.outcome}
		var stuck *mover.StuckError
		if errors.As(e.err, &stuck) && stuck.Release == e.release.Name && stuck.Problem != nil {
			status.Problems = []canary.Problem{*stuck.Problem}
		}
		if conflict := e.conflict(); conflict != nil {
			status.Problems = append(status.Problems, conflict.Problem())
		}
		all = append(all, status)
	}
	return all
}

// result says in a word what a command has done.
func (r *run) result() string {
	switch {
	case r.ask.Splits != nil:
		return "reset"
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
	look := style(r.streams.Out)
	for _, e := range endings {
		name, now := printer.Safe(e.release.Name), printer.Serving(&e.now)
		if e.outcome == canary.Unchanged {
			fmt.Fprintf(r.streams.Out, "%s is there already: %s\n", name, now)
		}
		if e.outcome == canary.Done {
			fmt.Fprintf(r.streams.Out, "%s %s: %s %s %s\n", name, r.result(), printer.Share(&e.release), look.Arrow(), now)
		}
	}
}

// conflict is what somebody else has done to this release; nil where it is nothing, or another's.
func (e *ending) conflict() *canary.ConflictError {
	var conflict *canary.ConflictError
	if errors.As(e.err, &conflict) && slices.ContainsFunc(e.release.Versions(), func(v *canary.Version) bool { return v.Deployment.Name == conflict.Deployment }) {
		return conflict
	}
	return nil
}

// printNext prints what to look at for the pod that is the cause, or what makes the other writer leave the replicas alone.
func (r *run) printNext(err error) {
	var (
		stuck    *mover.StuckError
		conflict *canary.ConflictError
		next     []string
	)
	switch {
	case errors.As(err, &conflict):
		if conflict.Actor.Fix != "" {
			fmt.Fprintf(r.streams.ErrOut, "  fix: %s\n", printer.Safe(conflict.Actor.Fix))
		}
		next = conflict.Actor.Next
	case errors.As(err, &stuck) && stuck.Problem != nil:
		next = stuck.Problem.Next
	}
	for _, command := range next {
		fmt.Fprintf(r.streams.ErrOut, "  %s\n", printer.Safe(r.command(command, r.namespace)))
	}
}

// printWhere says what is where after a failure, and which commands go on and go back.
func (r *run) printWhere(endings []ending) {
	words := map[canary.Outcome]string{
		canary.Restored: "put back to", canary.Held: "held at", canary.Interrupted: "stopped at", canary.Done: "done, at",
		canary.Undone: "done, and then changed to",
	}
	changed := false
	var lines []string
	for _, e := range endings {
		if e.outcome == canary.Unchanged {
			continue
		}
		changed = changed || e.outcome != canary.Restored
		lines = append(lines, fmt.Sprintf("%s: %s %s, %s (was %s, asked %s)", printer.Safe(e.release.Name), words[e.outcome],
			standing(e.now.Stable), standing(e.now.Canary), e.release.Replicas(), e.target.Split))
	}
	fmt.Fprintln(r.streams.ErrOut, strings.Join(lines, "\n"))
	again := "to try again:  "
	if changed {
		again = "to go on:      "
	}
	for _, command := range r.onward(endings) {
		fmt.Fprintf(r.streams.ErrOut, "%s%s\n", again, r.command(command, r.namespace))
	}
	if r.back != "" {
		fmt.Fprintf(r.streams.ErrOut, "to roll back:  %s\n", r.command(r.back, r.namespace))
	}
}

// onward are the commands that go on: the same again, unless a release has drifted. Then its baseline has to be said.
func (r *run) onward(endings []ending) []string {
	var each []string
	verb, _, _ := strings.Cut(r.typed, " ")
	baselines := map[int]bool{}
	for _, e := range endings {
		baselines[e.target.Baseline] = true
		if now := e.now.Replicas(); e.now.Drifted() && now.Stable > 0 && now.Canary > 0 && !r.ask.Rollback && r.ask.Replicas == 0 && r.ask.Splits == nil {
			each = append(each, fmt.Sprintf("%s %s %s%s --replicas %d", name, verb, quote(e.release.Name), r.flags, e.target.Baseline))
		}
	}
	switch {
	case len(each) == 0:
		return []string{r.again}
	case len(baselines) == 1:
		return []string{fmt.Sprintf("%s --replicas %d", r.again, endings[0].target.Baseline)}
	}
	return each
}

// standing is a version and its replicas, and what of these is out of the Service.
func standing(v *canary.Version) string {
	s := fmt.Sprintf("%s %d", printer.Safe(v.Name), v.Deployment.Replicas)
	if v.Dark > 0 {
		s += fmt.Sprintf(" (%d dark)", v.Dark)
	}
	return s
}

// printKept tells what a promote has left running, and how to end that; false where it is nothing, or there is more to
// tell.
func (r *run) printKept(endings []ending) bool {
	var lines []string
	for _, e := range endings {
		if !r.ask.Keep || e.outcome != canary.Done && e.outcome != canary.Unchanged {
			return false
		}
		if e.now.Kept() {
			lines = append(lines, fmt.Sprintf("%s: %d of %s run on without traffic", printer.Safe(e.release.Name), e.now.Stable.Dark, printer.Safe(e.now.Stable.Name)))
		}
	}
	if len(lines) == 0 {
		return false
	}
	fmt.Fprintf(r.streams.ErrOut, "%s\nto stop them:  %s\nto roll back:  %s\n", strings.Join(lines, "\n"),
		r.command(strings.Replace(r.back, "rollback", "promote", 1), r.namespace), r.command(r.back, r.namespace))
	return true
}

// refused reports what was refused before anything was written, for programs too.
func (r *run) refused(all []planned, err error) error {
	if !r.output.machine() || r.output.format == "name" {
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
