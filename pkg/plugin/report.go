package plugin

import (
	"errors"
	"fmt"
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
			r.printNext(e)
		}
	}
	if len(failures) == 0 {
		r.printKept(endings)
		return nil
	}
	err := errors.Join(failures...)
	if errors.Is(err, ErrInterrupted) {
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
		all = append(all, status)
	}
	return all
}

// result says in a word what a command has done.
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
		lines = append(lines, fmt.Sprintf("%s: %s %s, %s (was %s, asked %s)", printer.Safe(e.release.Name), words[e.outcome],
			standing(e.now.Stable), standing(e.now.Canary), e.release.Replicas(), e.target.Split))
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
