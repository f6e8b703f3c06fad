package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Status is what `status` shows of one release.
type Status struct {
	Release     canary.Release
	Problems    []canary.Problem
	Autoscalers []canary.Autoscaler // of its Deployments; only in the wide table
	Outcome     canary.Outcome      // of a write; empty in `status`
	Migration   *canary.Migration   // that has ended; else the record has it
	Checks      [][]Check           // of Migration, by step
}

// Table shows releases to people.
type Table struct {
	Style     Style
	Now       time.Time
	Namespace bool // a first column, for several namespaces
	Wide      bool
	NoHeaders bool
	// Command completes a command of Problem.Next for a namespace, with "kubectl" and the user's connection flags.
	Command func(next, namespace string) string
}

// Print writes a row for each release and below them what is wrong, with the commands to run next.
func (t Table) Print(w io.Writer, all []Status) error {
	_, err := io.WriteString(w, strings.Join(t.Lines(all), "\n")+"\n")
	return err
}

// Lines is what Print writes, in lines.
func (t Table) Lines(all []Status) []string {
	out := table{style: t.Style}
	if !t.NoHeaders {
		head := []string{"SERVICE", "WEIGHT", "STABLE", "CANARY", "PHASE", "AGE"}
		if t.Namespace {
			head = append([]string{"NAMESPACE"}, head...)
		}
		if t.Wide {
			head = append(head, "BASELINE", "OTHERS", "DEPLOYMENTS", "IMAGES", "HPA")
		}
		out.header(head...)
	}
	width := 0
	for _, s := range all {
		if actual, ok := s.Release.Actual(); ok {
			width = max(width, len(actual.String()))
		}
	}
	for _, s := range all {
		out.add(t.row(s, width)...)
	}
	return slices.Concat(out.lines(), t.migrations(all), t.problems(all))
}

func (t Table) row(s Status, width int) []cell {
	r := &s.Release
	phase := cell{dash(string(r.Phase())), phaseColor(r.Phase())}
	row := []cell{{text: Safe(r.Name)}, {text: t.weight(r, width)}, t.version(r.Stable), t.version(r.Canary), phase, {text: t.age(r.ChangedAt())}}
	if r.Stable == nil && len(r.Others) > 0 {
		row[2] = t.version(&r.Others[0])
	}
	if t.Namespace {
		row = append([]cell{{text: Safe(r.Namespace)}}, row...)
	}
	if t.Wide {
		row = append(row, t.wide(s)...)
	}
	return row
}

// weight shows an arrow to what is not reached yet, else a bar; the bars of all rows stand below one another.
func (t Table) weight(r *canary.Release, width int) string {
	actual, ok := r.Actual()
	if !ok {
		return "-"
	}
	if reach, ok := r.Reachable(); ok && reach != actual {
		return fmt.Sprintf("%s%% %s %s%%", actual, t.Style.Arrow(), reach)
	}
	return fmt.Sprintf("%-*s %s", width+1, actual.String()+"%", t.Style.bar(int(actual)))
}

func (t Table) version(v *canary.Version) cell {
	if v == nil {
		return cell{text: "-"}
	}
	return cell{text: side(v)}
}

func (t Table) age(since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return duration.HumanDuration(max(0, t.Now.Sub(since)))
}

func (t Table) wide(s Status) []cell {
	r := &s.Release
	baseline := "-"
	if r.Record != nil {
		baseline = fmt.Sprint(r.Record.Baseline)
	}
	var others, deployments, images, scalers []string
	for i := range r.Others {
		others = append(others, t.version(&r.Others[i]).text)
	}
	if r.Foreign > 0 {
		others = append(others, fmt.Sprintf("foreign %d", r.Foreign))
	}
	for _, v := range r.Versions() {
		deployments = append(deployments, Safe(v.Deployment.Name))
		for _, image := range v.Deployment.Images {
			images = append(images, Safe(image))
		}
	}
	for _, a := range s.Autoscalers {
		scalers = append(scalers, Safe(a.Name))
	}
	return []cell{{text: baseline}, list(others), list(deployments), list(images), list(scalers)}
}

func list(items []string) cell { return cell{text: dash(strings.Join(items, ","))} }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func phaseColor(p canary.Phase) string {
	switch p {
	case canary.PhaseBroken:
		return red
	case canary.PhaseDegraded, canary.PhaseDrifted:
		return yellow
	case canary.PhaseMoving, canary.PhaseCanary:
		return cyan
	case canary.PhaseStable, canary.PhasePromoted:
		return green
	}
	return ""
}

func (t Table) problems(all []Status) []string {
	var lines []string
	for _, s := range all {
		name := Safe(s.Release.Name)
		if t.Namespace {
			name = Safe(s.Release.Namespace) + "/" + name
		}
		for _, p := range s.Problems {
			lines = append(lines, "", name+": "+t.sentence(p))
			if t.Wide {
				lines = append(lines, t.chain(p.Chain)...)
			}
			for _, next := range p.Next {
				lines = append(lines, strings.Repeat(" ", len([]rune(name))+2)+Safe(t.Command(next, s.Release.Namespace)))
			}
		}
	}
	return lines
}

// sentence is one line: which object, what, since when.
func (t Table) sentence(p canary.Problem) string {
	s := short(p.Sentence())
	if !p.Since.IsZero() {
		s += " for " + t.age(p.Since)
	}
	color := yellow
	if p.Severity == canary.Error {
		color = red
	}
	return t.Style.paint(color, s)
}
