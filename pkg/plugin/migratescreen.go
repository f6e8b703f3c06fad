package plugin

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// stepChecks is what the gates said last at a step.
type stepChecks struct {
	index   int
	results []analysis.Result
}

// head is what stands above the releases on a terminal.
func (m *migrator) head(time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.migration == nil {
		return []string{"rolling back"}
	}
	lines := []string{printer.MigrationHead(style(m.streams.ErrOut), m.migration, m.now())}
	if m.migration.Waits() {
		lines = append(lines, "to go on: "+m.howToApprove())
		if m.migration.Reason != "" {
			lines = append(lines, printer.Safe(m.migration.Reason))
		}
	}
	return lines
}

func (m *migrator) howToApprove() string {
	how := "run: " + m.command(name+" approve"+m.some(), m.namespace)
	if m.keys != nil {
		return "press Enter, or " + how
	}
	return how
}

// tellPause says what it waits for.
func (m *migrator) tellPause() {
	switch s := m.migration; {
	case s.Waits():
		why := ""
		if s.Reason != "" {
			why = s.Reason + "; "
		}
		m.say("waits for an approval; %s%s", why, m.howToApprove())
	case s.Phase == canary.StepPaused && s.Step().Pause > 0:
		m.say("pausing, %s left", (s.Step().Pause.Duration() - s.Passed(m.now())).Round(time.Second))
	}
	for _, r := range m.releases() {
		m.shown[r.Name] = printer.Serving(&r) // the move has told
	}
}

// some are the names that a next command needs, where the user has named any.
func (m *migrator) some() string {
	if m.words == "" {
		return ""
	}
	return " " + m.words
}

// show shows what serves of a release now, where that has changed.
func (m *migrator) show(r canary.Release) {
	if serving := printer.Serving(&r); m.shown[r.Name] != serving {
		m.shown[r.Name] = serving
		m.screen.Handle(canary.Event{Release: r.Name, Kind: canary.Serves, Now: &r})
	}
}

// see takes in what the gates say, and tells what has changed.
func (m *migrator) see(v verdicts) {
	for _, p := range m.active {
		name := p.release.Name
		all := m.checks[name]
		if len(all) == 0 || all[len(all)-1].index != m.migration.Index {
			all = append(all, stepChecks{index: m.migration.Index})
		}
		all[len(all)-1].results = v[name]
		m.checks[name] = all
		m.screen.Note(name, summary(v[name]))
		if said := verdictsOf(v[name]); m.said[name] != said {
			m.said[name] = said
			m.say("%s: %s", name, summary(v[name]))
		}
	}
}

// summary counts the checks that pass, and says what is with the others that judge.
func summary(results []analysis.Result) string {
	passes := 0
	words := []string{""}
	for _, r := range results {
		switch {
		case r.Info:
		case r.Verdict == analysis.Pass:
			passes++
		default:
			words = append(words, printer.CheckLine(check(r)))
		}
	}
	words[0] = fmt.Sprintf("%d checks pass", passes)
	return strings.Join(words, ", ")
}

// verdictsOf is what has to change for a line of its own where output is not drawn in place.
func verdictsOf(results []analysis.Result) string {
	var s strings.Builder
	for _, r := range results {
		if !r.Info {
			fmt.Fprintf(&s, "%s=%s ", r.Check, r.Verdict)
		}
	}
	return s.String()
}

// check is a result for the printer.
func check(r analysis.Result) printer.Check {
	return printer.Check{
		Check: r.Check, Verdict: string(r.Verdict), Info: r.Info, Canary: r.Canary, Stable: r.Stable, Bound: r.Bound, Unit: r.Unit,
		Observations: r.Seen, Source: r.Source, Message: r.Message,
	}
}

// readKeys says when somebody presses Enter, or y and Enter, on a terminal where approvals are waited for.
func (m *migrator) readKeys(ctx context.Context) <-chan struct{} {
	f, ok := m.streams.In.(*os.File)
	if !m.migration.Approve || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	keys := make(chan struct{}, 1)
	go func() {
		lines := bufio.NewScanner(f)
		for lines.Scan() && ctx.Err() == nil {
			switch strings.ToLower(strings.TrimSpace(lines.Text())) {
			case "", "y", "yes":
				select {
				case keys <- struct{}{}:
				default:
				}
			}
		}
	}()
	return keys
}
