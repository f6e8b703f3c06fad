package printer

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// History shows changes to people, in the order that they are given in.
type History struct {
	Style     Style
	Now       time.Time
	Wide      bool
	NoHeaders bool
}

// Print writes a row for each change.
func (h History) Print(w io.Writer, all []canary.Entry) error {
	out := table{style: h.Style}
	if !h.NoHeaders {
		head := []string{"SERVICE", "COMMAND", "WEIGHT", "REPLICAS", "BY", "OUTCOME", "TOOK", "REASON", "AGE"}
		if h.Wide {
			head = append(head, "TIME", "SOURCE")
		}
		out.header(head...)
	}
	for _, e := range all {
		took := "-"
		if e.Seconds > 0 {
			took = duration.HumanDuration(time.Duration(e.Seconds) * time.Second)
		}
		row := []cell{
			{text: Safe(e.Release)}, {text: short(e.Command)}, {text: fmt.Sprintf("%s%% %s %s%%", e.From, h.Style.Arrow(), e.To)},
			{text: fmt.Sprintf("%s %s %s", e.Before, h.Style.Arrow(), e.After)}, {text: short(e.By)}, outcome(e.Outcome),
			{text: took}, {text: dash(short(e.Reason))}, {text: duration.HumanDuration(max(0, h.Now.Sub(e.Time)))},
		}
		if h.Wide {
			row = append(row, cell{text: e.Time.UTC().Format(time.RFC3339)}, cell{text: string(e.Source)})
		}
		out.add(row...)
	}
	_, err := io.WriteString(w, strings.Join(out.lines(), "\n")+"\n")
	return err
}

func outcome(o canary.Outcome) cell {
	color := yellow
	if o == canary.Done {
		color = green
	}
	return cell{Safe(string(o)), color}
}

// NewChangeList builds the contract.
func NewChangeList(namespace string, all []canary.Entry) ChangeList {
	list := ChangeList{APIVersion: APIVersion, Kind: changesKind, Items: []PastChange{}}
	for _, e := range all {
		c := PastChange{
			Namespace: namespace, Release: e.Release, Time: e.Time.UTC(), By: e.By, From: e.From, To: e.To,
			Before: Replicas(e.Before), After: Replicas(e.After), Command: e.Command, Reason: e.Reason, Outcome: e.Outcome, Source: e.Source,
		}
		if e.Seconds > 0 {
			c.Seconds = &e.Seconds
		}
		list.Items = append(list.Items, c)
	}
	return list
}
