package canary

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// At rest means that nothing runs on one side: what was asked for does not matter.
func TestAtRest(t *testing.T) {
	moving := recorded(3, None, Split{3, 0})
	moving.Move = &Move{}
	for _, tc := range []struct {
		name   string
		record *Record
		want   bool
	}{
		{"nothing", nil, false},
		{"rolled back", ptr(recorded(3, None, Split{3, 0})), true},
		{"promoted", ptr(recorded(3, Full, Split{0, 3})), true},
		{"between", ptr(recorded(3, 2500, Split{3, 1})), false},
		{"about to move", &moving, false},
		{"a promote that ended between", ptr(recorded(4, Full, Split{2, 2})), false},
		{"a rollback that ended between", ptr(recorded(4, None, Split{2, 2})), false},
	} {
		if got := tc.record.AtRest(); got != tc.want {
			t.Errorf("%s: at rest is %v", tc.name, got)
		}
	}
}

func TestKnows(t *testing.T) {
	rec := Record{Stable: "v1", Canary: "v2", Others: []string{"v0"}}
	for version, want := range map[string]bool{"v0": true, "v1": true, "v2": true, "v3": false, "": false} {
		if got := rec.Knows(version); got != want {
			t.Errorf("knows %q: %v", version, got)
		}
	}
}

func TestBeginAndEnd(t *testing.T) {
	old := recorded(3, 2500, Split{3, 1})
	old.Changes = []Change{{To: 2500, Before: Split{3, 0}, After: Split{3, 1}, Outcome: Done}}
	r := between(3, 1).withRecord(old)
	r.Others = []Version{{Name: "v0", Serving: 1}}
	target := Target{Split: Split{2, 2}, Weight: 5000, Reach: 4000, Baseline: 4}

	begun := r.Begin(target, "shift auth --to 50", "ann", noon)
	want := Record{
		Schema: RecordSchema, Stable: "v1", Canary: "v2", Others: []string{"v0"}, Baseline: 4, Desired: 5000,
		Target: Split{2, 2}, Set: Split{3, 1}, Move: &Move{Command: "shift auth --to 50", By: "ann", Since: noon}, Changes: old.Changes,
	}
	if diff := cmp.Diff(want, begun); diff != "" {
		t.Errorf("begun (-want +got):\n%s", diff)
	}

	later := noon.Add(time.Minute - time.Millisecond) // which is said as a minute
	done := begun.End(r, between(2, 2), Done, "all well", later)
	want.Move, want.Set = nil, Split{2, 2}
	want.Changes = append(want.Changes[:1:1], Change{
		Time: later, By: "ann", From: 2000, To: 5000, // 1 of 5: the third version serves too
		Before: Split{3, 1}, After: Split{2, 2}, Command: "shift auth --to 50", Reason: "all well", Outcome: Done,
		Seconds: 60,
	})
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}

	// Interrupted half-way: what was asked for is still wanted.
	held := begun.End(r, between(3, 2), Interrupted, "", later)
	if held.Set != (Split{3, 2}) || held.Target != (Split{2, 2}) || held.Desired != 5000 || held.Baseline != 4 || held.Move != nil {
		t.Errorf("interrupted: %+v", held)
	}

	// Put back: as before the move, but for one change more.
	restored := begun.End(r, between(3, 1), Restored, "", later)
	if restored.Desired != 2500 || restored.Target != (Split{3, 1}) || restored.Baseline != 3 || restored.Set != (Split{3, 1}) || len(restored.Changes) != 2 {
		t.Errorf("restored: %+v", restored)
	}
	unrecorded := between(3, 0)
	begun = unrecorded.Begin(target, "shift", "ann", noon)
	if back := begun.End(unrecorded, between(3, 0), Restored, "", later); back.Desired != None || back.Target != (Split{3, 0}) || !back.AtRest() {
		t.Errorf("restored to what was never recorded: %+v", back)
	}
	if len(old.Changes) != 1 {
		t.Error("the old record was changed")
	}
}

// Roles of a new release make a record of their own; the history of the Lease goes on.
func TestBeginKeepsTheHistory(t *testing.T) {
	rec := recorded(3, Full, Split{0, 3})
	rec.Changes = []Change{{Command: "promote"}}
	r := between(3, 0)
	r.Lease.Record = &rec // of other versions: r.Record is nil
	if begun := r.Begin(Target{}, "shift", "ann", noon); len(begun.Changes) != 1 {
		t.Errorf("%d changes", len(begun.Changes))
	}
}

func TestHistoryIsBounded(t *testing.T) {
	r := between(3, 0)
	rec := r.Begin(Target{}, "shift", "ann", noon)
	for i := range 3 * maxChanges {
		rec.Move = &Move{Command: fmt.Sprint(i)}
		rec = rec.End(r, between(3, 0), Done, "", noon)
	}
	if len(rec.Changes) != maxChanges || rec.Last().Command != fmt.Sprint(3*maxChanges-1) || rec.Changes[0].Command != fmt.Sprint(2*maxChanges) {
		t.Errorf("%d changes, from %s to %s", len(rec.Changes), rec.Changes[0].Command, rec.Last().Command)
	}
	if (*Record)(nil).Last() != nil || (&Record{}).Last() != nil {
		t.Error("a last change of nothing")
	}
}

// The record outlives the binary that wrote it: its JSON is a contract.
func TestRecordJSON(t *testing.T) {
	rec := Record{
		Schema: RecordSchema, Stable: "v1", Canary: "v2", Others: []string{"v0"}, Baseline: 3, Desired: 1250, Target: Split{7, 1}, Set: Split{3, 1},
		Move:    &Move{Command: "shift", By: "ann", Since: noon},
		Changes: []Change{{Time: noon, By: "ann", From: 0, To: 1250, Before: Split{3, 0}, After: Split{3, 1}, Command: "shift", Reason: "why", Outcome: Done}},
	}
	const want = `{"schema":1,"stable":"v1","canary":"v2","others":["v0"],"baseline":3,"desired":12.5,"target":{"stable":7,"canary":1},"set":{"stable":3,"canary":1},` +
		`"move":{"command":"shift","by":"ann","since":"2026-01-01T12:00:00Z"},` +
		`"changes":[{"time":"2026-01-01T12:00:00Z","by":"ann","from":0,"to":12.5,"before":{"stable":3,"canary":0},"after":{"stable":3,"canary":1},"command":"shift","reason":"why","outcome":"Done"}]}`
	b, err := json.Marshal(rec)
	if diff := cmp.Diff(want, string(b)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	var got Record
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`{"desired":101}`), &got); err == nil {
		t.Error("a weight above 100 was read")
	}
}
