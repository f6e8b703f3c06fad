package printer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// MigrationHead says in one line where a migration is: its step, a bar of the steps, and what it does there.
func MigrationHead(style Style, m *canary.Migration, now time.Time) string {
	done := m.Index
	if m.Phase != canary.StepMoving {
		done++
	}
	bar := style.bar(done * 10000 / len(m.Steps))
	return fmt.Sprintf("step %s  %s  %s%%  %s", m.Place(), bar, m.Step().Weight, doing(m, now))
}

// doing is what a migration does at its step.
func doing(m *canary.Migration, now time.Time) string {
	pause := m.Step().Pause.Duration()
	passed := m.Passed(now)
	switch {
	case m.Phase == canary.StepMoving:
		return "moving"
	case m.Phase == canary.StepHeld:
		return "held: " + short(m.Reason)
	case m.Phase == canary.StepApproval && m.Approved:
		return "approved"
	case m.Phase == canary.StepApproval:
		return "waits for an approval"
	case m.Halted:
		return fmt.Sprintf("paused by request, %s of %s passed", human(passed), human(pause))
	}
	return fmt.Sprintf("paused %s of %s, %s left", human(passed), human(pause), human(pause-passed))
}

func human(d time.Duration) string { return duration.HumanDuration(d.Round(time.Second)) }

// MigrationNote is what `status` says of a migration, such as: Canary 50% (step 2/4, paused 3m of 5m, by jane, interrupted 2m ago).
func MigrationNote(r *canary.Release, now time.Time) string {
	m, lease := r.Record.Migration, r.Lease
	running, gone := lease.Held(), lease.Renewed
	at := now
	if m.Interrupted != nil {
		gone = *m.Interrupted
	}
	if !running {
		at = gone
	}
	what := "moving"
	switch pause := m.Step().Pause.Duration(); {
	case m.Phase == canary.StepMoving:
	case m.Phase == canary.StepPaused && m.Halted:
		what = fmt.Sprintf("paused by request, %s of %s passed", human(m.Passed(at)), human(pause))
	case m.Phase == canary.StepPaused:
		what = fmt.Sprintf("paused %s of %s", human(m.Passed(at)), human(pause))
	default:
		what = doing(m, at)
	}
	parts := []string{"step " + m.Place(), what, "by " + Safe(m.By)}
	if !running && !gone.IsZero() {
		parts = append(parts, "interrupted "+human(max(0, now.Sub(gone)))+" ago")
	}
	return fmt.Sprintf("%s %s (%s)", r.Phase(), Share(r), strings.Join(parts, ", "))
}

// migrations are the migrations that releases are in, each with the releases that share it.
func (t Table) migrations(all []Status) []string {
	var notes []string
	who := map[string][]string{}
	next := map[string]string{}
	for _, s := range all {
		r := &s.Release
		if r.Record == nil || r.Record.Migration == nil {
			continue
		}
		note := MigrationNote(r, t.Now)
		name := Safe(r.Name)
		if t.Namespace {
			name = Safe(r.Namespace) + "/" + name
		}
		if who[note] == nil {
			notes = append(notes, note)
			if !r.Lease.Held() {
				next[note] = t.Command("canary migrate --resume", r.Namespace)
			}
		}
		who[note] = append(who[note], name)
	}
	var lines []string
	for _, note := range notes {
		lines = append(lines, "", strings.Join(who[note], ", ")+": "+note)
		if next[note] != "" {
			lines = append(lines, "      "+Safe(next[note]))
		}
	}
	return lines
}

// newMigration is the migration of a release for programs.
func newMigration(s Status) *Migration {
	m := s.Migration
	if m == nil && s.Release.Record != nil {
		m = s.Release.Record.Migration
	}
	if m == nil {
		return nil
	}
	out := &Migration{
		ID: m.ID, By: m.By, Began: m.Began, Step: m.Index + 1, State: m.Phase, Since: m.Since, PassedSeconds: m.Elapsed.Duration().Seconds(),
		Halted: m.Halted, Approve: m.Approve, Interrupted: m.Interrupted, Reason: m.Reason, Steps: []MigrationStep{},
	}
	if gone := s.Release.Lease.Renewed; s.Migration == nil && !s.Release.Lease.Held() && m.Interrupted == nil && !gone.IsZero() {
		out.Interrupted, out.PassedSeconds = &gone, m.Passed(gone).Seconds()
	}
	for i, step := range m.Steps {
		o := MigrationStep{
			Weight: step.Weight, PauseSeconds: step.Pause.Duration().Seconds(), Reached: step.Reached,
			PausedSeconds: step.Paused.Duration().Seconds(), Checks: []Check{},
		}
		if step.Reached != nil {
			took := step.Took.Duration().Seconds()
			o.MoveSeconds = &took
		}
		if i < len(s.Checks) {
			o.Checks = append(o.Checks, s.Checks[i]...)
		}
		out.Steps = append(out.Steps, o)
	}
	return out
}

// CheckLine is a check in a few words: what was seen of the canary, beside stable.
func CheckLine(c Check) string {
	s := Safe(c.Check) + " " + c.Verdict
	if c.Canary == nil {
		return s + " (" + short(c.Message) + ")"
	}
	s += " " + figure(*c.Canary, c.Unit)
	if c.Stable != nil {
		s += " (stable " + figure(*c.Stable, c.Unit) + ")"
	}
	return s
}

// figure is a measured value with its unit, to three digits.
func figure(v float64, unit string) string {
	switch unit {
	case "s":
		return time.Duration(v * float64(time.Second)).Round(100 * time.Microsecond).String()
	case "bytes":
		return strconv.FormatFloat(v/(1<<20), 'f', 0, 64) + "Mi"
	case "cores":
		return strconv.FormatFloat(v*1000, 'f', 0, 64) + "m"
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + unit
}

// MigrationState is what a migration that nobody runs does at its step.
func MigrationState(m *canary.Migration, now time.Time) string {
	if m.Phase == canary.StepPaused {
		return fmt.Sprintf("paused %s of %s", human(m.Passed(now)), human(m.Step().Pause.Duration()))
	}
	return string(m.Phase)
}
