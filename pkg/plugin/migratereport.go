package plugin

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// conclusion tells how the migration of each release has ended, what was seen at each step, and which commands go on and back.
func (m *migrator) conclusion() error {
	slices.SortFunc(m.left, func(a, b ending) int { return cmp.Compare(a.release.Name, b.release.Name) })
	all := m.statuses(m.left)
	for i := range all {
		all[i].Migration, all[i].Checks = m.ended[all[i].Release.Name], m.seen(all[i].Release.Name)
	}
	if m.o.report != "" {
		if err := m.writeReport(all); err != nil {
			m.warn("the report was not written: " + err.Error())
		}
	}
	if m.output.machine() {
		if err := m.output.print(m.streams.Out, all, m.command); err != nil {
			return err
		}
	} else {
		m.printResults(m.left)
		if err := printer.MigrationSteps(m.streams.Out, style(m.streams.Out), all); err != nil {
			return err
		}
	}
	return m.tellFailures()
}

// seen is what the gates said of a release, by step.
func (m *migrator) seen(release string) [][]printer.Check {
	by := make([][]printer.Check, len(m.o.steps))
	for _, s := range m.checks[release] {
		for s.index >= len(by) {
			by = append(by, nil)
		}
		for _, r := range s.results {
			by[s.index] = append(by[s.index], check(r))
		}
	}
	return by
}

func (m *migrator) writeReport(all []printer.Status) error {
	f, err := os.Create(m.o.report)
	if err != nil {
		return err
	}
	return errors.Join(printer.MigrationMarkdown(f, m.namespace, all), f.Close())
}

// tellFailures prints why releases have not come to the end, where they are, and what to run next.
func (m *migrator) tellFailures() error {
	var failures []error
	said := map[string]bool{}
	for _, e := range m.left {
		if e.note != "" {
			m.warn(e.release.Name + ": " + e.note)
		}
		if e.err == nil {
			continue
		}
		failures = append(failures, e.err)
		if text := message(e.err); !said[text] && !errors.Is(e.err, ErrInterrupted) {
			said[text] = true
			fmt.Fprintln(m.streams.ErrOut, text)
			m.printHappened(e)
			m.printNext(e.err)
		}
	}
	if len(failures) == 0 {
		return nil
	}
	err := errors.Join(failures...)
	switch {
	case errors.Is(err, ErrInterrupted) && m.over:
		fmt.Fprintln(m.streams.ErrOut, "error: interrupted, after all was done")
		return toldError{err}
	case errors.Is(err, ErrInterrupted):
		fmt.Fprintln(m.streams.ErrOut, "error: interrupted")
	}
	goesOn := false
	for _, e := range m.left {
		if e.err == nil {
			continue
		}
		where := fmt.Sprintf("%s: %s, %s", printer.Safe(e.release.Name), whereWords[e.outcome], printer.Serving(&e.now))
		if r := e.now.Record; r != nil && r.Migration != nil {
			goesOn = true
			where += ", step " + r.Migration.Place() + ", " + printer.MigrationState(r.Migration, m.now())
		}
		fmt.Fprintln(m.streams.ErrOut, where)
	}
	m.printOnward(err, goesOn)
	return toldError{err}
}

var whereWords = map[canary.Outcome]string{
	canary.RolledBack: "rolled back", canary.Held: "held", canary.Interrupted: "stopped", canary.Done: "done", canary.Undone: "changed by another",
	canary.Restored: "put back", canary.Unchanged: "as it was",
}

// printOnward prints the commands that go on and back, where there is something to go on with.
func (m *migrator) printOnward(err error, goesOn bool) {
	var (
		unclear *noVerdictError
		gate    *gateError
	)
	say := func(what, verb string) {
		fmt.Fprintf(m.streams.ErrOut, "%-15s%s\n", what, m.command(name+" "+verb, m.namespace))
	}
	resume := "migrate" + m.some() + " --resume"
	switch {
	case !goesOn:
	case errors.As(err, &unclear), errors.As(err, &gate):
		say("to look again:", resume)
		say("to go on:", "approve"+m.some())
	default:
		say("to go on:", resume)
	}
	if slices.ContainsFunc(m.left, func(e ending) bool { return e.err != nil && e.outcome != canary.RolledBack }) {
		fmt.Fprintf(m.streams.ErrOut, "%-15s%s\n", "to roll back:", m.command(m.back, m.namespace))
	}
}

// showSchedule is --plan: what each step becomes in pods, and how long it takes.
func (m *migrator) showSchedule() error {
	var rows []printer.PlannedStep
	for _, s := range m.migration.Steps {
		m.ask.Weight = s.Weight
		all, err := m.plan(m.live.Snapshot())
		if err == nil {
			for _, p := range all {
				err = errors.Join(err, p.err)
			}
		}
		if err != nil {
			return err
		}
		row := printer.PlannedStep{Step: s}
		for _, p := range all {
			row.Releases = append(row.Releases, printer.PlannedRelease{Name: p.release.Name, Target: p.target})
		}
		rows = append(rows, row)
	}
	if m.output.machine() {
		all := plannedStatuses(m.active)
		for i := range all {
			all[i].Migration = m.migration
		}
		return m.output.print(m.streams.Out, all, m.command)
	}
	m.announce(m.active)
	return printer.Schedule(m.streams.Out, style(m.streams.Out), rows, m.migration.Index)
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quote(w)
	}
	return out
}
