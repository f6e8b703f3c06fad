package printer

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func past() []canary.Entry {
	split := func(stable, second int) canary.Split { return canary.Split{Stable: stable, Canary: second} }
	return []canary.Entry{
		{Release: "chat", Source: canary.FromEvent, Change: canary.Change{
			Time: ago(50 * time.Minute), By: "joe", To: 2500, Before: split(3, 0), After: split(3, 1), Command: "shift --to 25", Outcome: canary.Done,
		}},
		{Release: "auth", Source: canary.FromLease, Change: canary.Change{
			Time: ago(4 * time.Minute).In(time.FixedZone("", 3600)), By: "jane@example.com", From: 2500, To: 5000, Before: split(3, 1), After: split(3, 1), Command: "shift --to 50",
			Reason: "a <b> & c", Outcome: canary.Undone, Seconds: 95,
		}},
	}
}

func TestHistory(t *testing.T) {
	for name, h := range map[string]History{
		"history": {Now: noon, Style: Style{Unicode: true}}, "history-wide": {Now: noon, Wide: true}, "history-bare": {Now: noon, NoHeaders: true, Style: Style{Color: true}},
	} {
		var out strings.Builder
		if err := h.Print(&out, past()); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
}

// The contract of `history -o json`.
func TestChangeList(t *testing.T) {
	var out strings.Builder
	if err := JSON(&out, NewChangeList("messenger", past())); err != nil {
		t.Fatal(err)
	}
	golden(t, "changes.json", out.String())
	holds(t, "changelist", []byte(out.String()))
	out.Reset()
	if err := JSON(&out, NewChangeList("messenger", nil)); err != nil || !strings.Contains(out.String(), `"items": []`) {
		t.Errorf("%v\n%s", err, out.String())
	}
	holds(t, "changelist", []byte(out.String()))
}
