package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// PlannedStep is what a step of a migration becomes in pods.
type PlannedStep struct {
	canary.Step
	Releases []PlannedRelease
}

// PlannedRelease is where a release goes in a step.
type PlannedRelease struct {
	Name   string
	Target canary.Target
}

// Schedule shows the steps of a migration before it begins: what is before the first is passed over.
func Schedule(w io.Writer, style Style, steps []PlannedStep, first int) error {
	t := table{style: style}
	head := []string{"STEP", "WEIGHT", "PAUSE"}
	for _, r := range steps[0].Releases {
		head = append(head, Safe(r.Name))
	}
	t.header(head...)
	all := make([]canary.Step, 0, len(steps))
	for i, s := range steps {
		pause := "-"
		if s.Pause > 0 {
			pause = s.Pause.Duration().String()
		}
		if i < first {
			pause = "passed over"
		} else {
			all = append(all, s.Step)
		}
		row := []cell{{text: fmt.Sprintf("%d/%d", i+1, len(steps))}, {text: s.Weight.String() + "%"}, {text: pause}}
		for _, r := range s.Releases {
			text := r.Target.Split.String()
			if r.Target.Reach != s.Weight {
				text += " (" + r.Target.Reach.String() + "%)"
			}
			row = append(row, cell{text: text})
		}
		t.add(row...)
	}
	_, err := fmt.Fprintf(w, "%s\nPods of stable/canary. It takes %s of pauses, and the time of the moves between them.\n",
		strings.Join(t.lines(), "\n"), canary.Pauses(all))
	return err
}

// MigrationSteps shows what was seen at each step of a migration.
func MigrationSteps(w io.Writer, style Style, all []Status) error {
	list := NewReleaseList(all, func(next, _ string) string { return next })
	t := table{style: style}
	t.header("STEP", "WEIGHT", "REACHED", "MOVED IN", "PAUSED", "CHECKS")
	rows := 0
	longest := slices.MaxFunc(list.Items, func(a, b Release) int { return steps(a) - steps(b) })
	for i := range steps(longest) {
		s := longest.Migration.Steps[i]
		if s.Reached == nil {
			continue
		}
		rows++
		t.add(cell{text: fmt.Sprintf("%d/%d", i+1, steps(longest))}, cell{text: s.Weight.String() + "%"}, cell{text: reached(list.Items, i)},
			cell{text: seconds(*s.MoveSeconds)}, cell{text: seconds(s.PausedSeconds)}, cell{text: verdicts(list.Items, i)})
	}
	if rows == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, strings.Join(t.lines(), "\n"))
	return err
}

func steps(r Release) int {
	if r.Migration == nil {
		return 0
	}
	return len(r.Migration.Steps)
}

// reached is what weights releases have come to at a step: one where all are alike.
func reached(all []Release, i int) string {
	var texts []string
	of := map[string][]string{}
	for _, r := range all {
		if i >= steps(r) || r.Migration.Steps[i].Reached == nil {
			continue
		}
		text := r.Migration.Steps[i].Reached.String() + "%"
		if of[text] == nil {
			texts = append(texts, text)
		}
		of[text] = append(of[text], Safe(r.Name))
	}
	if len(texts) == 1 {
		return texts[0]
	}
	for j, text := range texts {
		texts[j] = text + " (" + strings.Join(of[text], ", ") + ")"
	}
	return strings.Join(texts, ", ")
}

// verdicts counts what the checks of a step said, and names those that did not pass.
func verdicts(all []Release, i int) string {
	passed, paused := 0, 0.0
	var others []string
	for _, r := range all {
		if i >= steps(r) {
			continue
		}
		paused = max(paused, r.Migration.Steps[i].PausedSeconds)
		for _, c := range r.Migration.Steps[i].Checks {
			switch {
			case c.Info:
			case c.Verdict == "Pass":
				passed++
			default:
				others = append(others, Safe(r.Name)+" "+CheckLine(c))
			}
		}
	}
	if passed > 0 {
		others = append([]string{fmt.Sprintf("%d passed", passed)}, others...)
	}
	return unseen(strings.Join(others, ", "), paused)
}

// unseen is said of a step that paused without a check: one that was done before this run went on with it.
func unseen(checks string, pausedSeconds float64) string {
	if checks == "" && pausedSeconds > 0 {
		return "none by this run"
	}
	return dash(checks)
}

func seconds(s float64) string {
	if s < 60 {
		return fmt.Sprintf("%.1fs", s)
	}
	return (time.Duration(s) * time.Second).String()
}

// MigrationMarkdown writes what was seen at each step of a migration as a document.
func MigrationMarkdown(w io.Writer, namespace string, all []Status) error {
	list := NewReleaseList(all, func(next, _ string) string { return next })
	var b strings.Builder
	fmt.Fprintf(&b, "# Migration in %s\n", markdown(namespace))
	for _, r := range list.Items {
		fmt.Fprintf(&b, "\n## %s\n\n", markdown(r.Name))
		if r.Outcome != "" && r.Stable != nil {
			fmt.Fprintf(&b, "%s: stable %s %d, canary %s %d.\n", r.Outcome, markdown(r.Stable.Version), r.Stable.ReadyEndpoints, markdown(r.Canary.Version), r.Canary.ReadyEndpoints)
		}
		if r.Migration == nil {
			continue
		}
		fmt.Fprintf(&b, "By %s, begun %s.\n\n| step | weight | reached | moved in | paused | checks |\n|---|---|---|---|---|---|\n",
			markdown(r.Migration.By), r.Migration.Began.UTC().Format("2006-01-02 15:04:05 MST"))
		for i, s := range r.Migration.Steps {
			at, took := "-", "-"
			if s.Reached != nil {
				at, took = s.Reached.String()+"%", seconds(*s.MoveSeconds)
			}
			var checks []string
			for _, c := range s.Checks {
				checks = append(checks, markdown(CheckLine(c)))
			}
			fmt.Fprintf(&b, "| %d/%d | %s%% | %s | %s | %s | %s |\n", i+1, len(r.Migration.Steps), s.Weight, at, took, seconds(s.PausedSeconds), unseen(strings.Join(checks, "<br>"), s.PausedSeconds))
		}
		if r.Migration.Reason != "" {
			fmt.Fprintf(&b, "\n%s\n", markdown(r.Migration.Reason))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown keeps a string from the cluster from being anything but text in a table.
func markdown(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "\\`", "[", `\[`, "*", `\*`, "_", `\_`).Replace(Safe(s))
}
