package printer

import (
	"io"
	"slices"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Finding is what `doctor` says of a release; with an empty name of the namespace.
type Finding struct {
	Release string
	canary.Problem
}

// Findings shows findings to people.
type Findings struct {
	Style     Style
	Namespace string
	Wide      bool
	NoHeaders bool
	Command   func(next, namespace string) string // as in Table
}

// Print writes a row for each finding and below them why, with the commands that mend it; of each release that nothing is
// in the way of, one line.
func (f Findings) Print(w io.Writer, all []Finding, releases []string) error {
	out := table{style: f.Style}
	if !f.NoHeaders && len(all) > 0 {
		head := []string{"RELEASE", "SEVERITY", "CODE", "OBJECT"}
		if f.Wide {
			head = append(head, "WHY", "MEND")
		}
		out.header(head...)
	}
	said, barred := map[string]bool{}, false
	for _, finding := range all {
		barred = barred || finding.Release == "" && finding.Severity == canary.Error
		said[finding.Release] = said[finding.Release] || finding.Severity != canary.Info
		row := []cell{{text: dash(Safe(finding.Release))}, {string(finding.Severity), severityColor(finding.Severity)}, {text: Safe(finding.Code)}, {text: Safe(finding.Object)}}
		if f.Wide {
			row = append(row, cell{text: short(finding.Message)}, cell{text: dash(strings.Join(f.mends(finding), " && "))})
		}
		out.add(row...)
	}
	lines := out.lines()
	if !f.Wide {
		lines = append(lines, f.reasons(all)...)
	}
	var well []string
	for _, r := range releases {
		if !said[r] && !barred {
			well = append(well, Safe(r)+": nothing stands in the way of a shift")
		}
	}
	if len(well) > 0 && len(lines) > 0 {
		lines = append(lines, "")
	}
	_, err := io.WriteString(w, strings.Join(append(lines, well...), "\n")+"\n")
	return err
}

func (f Findings) reasons(all []Finding) (lines []string) {
	for _, finding := range all {
		name := Safe(finding.Release)
		if name == "" {
			name = "namespace " + Safe(f.Namespace)
		}
		lines = append(lines, "", name+": "+f.Style.paint(severityColor(finding.Severity), short(finding.Message)))
		for _, mend := range f.mends(finding) {
			lines = append(lines, strings.Repeat(" ", len([]rune(name))+2)+mend)
		}
	}
	return lines
}

func (f Findings) mends(finding Finding) (all []string) {
	for _, next := range finding.Next {
		all = append(all, Safe(f.Command(next, f.Namespace)))
	}
	return all
}

func severityColor(s canary.Severity) string {
	switch s {
	case canary.Error:
		return red
	case canary.Warning:
		return yellow
	default:
		return ""
	}
}

// The machine contract of `doctor`; as with ReleaseList, comments are the descriptions in docs/findinglist.schema.json.
const findingsKind = "FindingList"

// FindingList is what `doctor -o json` prints.
type FindingList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// The findings, by release, severity and code. Empty when there is none.
	Items []FoundItem `json:"items"`
}

// FoundItem is one thing that would make a move fail, lie or surprise.
type FoundItem struct {
	// Where it is.
	Namespace string `json:"namespace"`
	// The release that it is about. Empty where it is about the namespace, or about what the user may do there.
	Release string `json:"release"`
	// What it is, for programs: docs/doctor.md lists the codes.
	Code string `json:"code"`
	// How bad it is: with an error a move is refused, or fails, or its weights lie; a warning may surprise.
	Severity canary.Severity `json:"severity"`
	// What it is about, as Kind/name.
	Object string `json:"object"`
	// Why it matters, for people. The wording may change.
	Message string `json:"message"`
	// The commands that mend it, each complete, in order. Empty where no command can.
	Mend []string `json:"mend"`
}

// NewFindingList builds the contract; command is as in Table.
func NewFindingList(all []Finding, namespace string, command func(next, namespace string) string) FindingList {
	list := FindingList{APIVersion: APIVersion, Kind: findingsKind, Items: []FoundItem{}}
	for _, f := range all {
		item := FoundItem{Namespace: namespace, Release: f.Release, Code: f.Code, Severity: f.Severity, Object: f.Object, Message: f.Message, Mend: []string{}}
		for _, next := range f.Next {
			item.Mend = append(item.Mend, command(next, namespace))
		}
		list.Items = append(list.Items, item)
	}
	return list
}

// Names are the objects that findings are about, each once.
func (l FindingList) Names() []string {
	var names []string
	for _, item := range l.Items {
		if name := strings.ToLower(Safe(item.Object)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
