package canary

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// ask is what a command without flags asks for.
func ask(w Weight) Ask { return Ask{Weight: w, Surge: Percent(25), Tolerance: 100} }

func rollback() Ask {
	a, whole := ask(None), Percent(100)
	a.Rollback, a.MoveSurge = true, &whole
	return a
}

func TestAim(t *testing.T) {
	replicas := func(a Ask, n int) Ask { a.Replicas = n; return a }
	exact := func(a Ask) Ask { a.Exact = true; return a }
	const hidden = true // leases may not be read
	interrupted := recorded(3, Full, Split{3, 0})
	interrupted.Target, interrupted.Move = Split{0, 3}, &Move{Command: "promote"}

	for _, tc := range []struct {
		name   string
		at     Split
		record *Record
		hidden bool
		ask    Ask
		want   Split
		base   int
		notes  []string
		err    string
	}{
		{name: "nothing recorded, at rest", at: Split{3, 0}, ask: ask(2500), want: Split{3, 1}, base: 3},
		{name: "nothing recorded, promoted", at: Split{0, 3}, ask: ask(None), want: Split{3, 0}, base: 3},
		{
			name: "nothing recorded, a canary on top", at: Split{3, 1}, ask: ask(Full), want: Split{0, 3}, base: 3,
			notes: []string{"no baseline is recorded: 3 is a guess from 3/1 (--replicas sets it)"},
		},
		{
			name: "nothing recorded, a stable rest on top", at: Split{1, 3}, ask: ask(Full), want: Split{0, 3}, base: 3,
			notes: []string{"no baseline is recorded: 3 is a guess from 1/3 (--replicas sets it)"},
		},
		{
			name: "nothing recorded, more than a surge on top", at: Split{2, 2}, ask: ask(Full), want: Split{0, 4}, base: 4,
			notes: []string{"no baseline is recorded: 4 is a guess from 2/2 (--replicas sets it)"},
		},
		{
			name: "nothing recorded, no surge", at: Split{3, 1}, ask: Ask{Weight: Full}, want: Split{0, 4}, base: 4,
			notes: []string{"no baseline is recorded: 4 is a guess from 3/1 (--replicas sets it)"},
		},
		{
			name: "leases hidden: the sum", at: Split{3, 1}, hidden: hidden, ask: ask(Full), want: Split{0, 4}, base: 4,
			notes: []string{"no baseline is recorded: 4 is a guess from 3/1 (--replicas sets it)"},
		},
		{
			name: "leases hidden: the total stays", at: Split{4, 0}, hidden: hidden, ask: ask(1000), want: Split{3, 1}, base: 4,
			notes: []string{"10% asked, 25% reachable with 4 pods; 10% needs 10 pods (--exact)"},
		},
		{
			name: "leases hidden, one pod: it takes two", at: Split{1, 0}, hidden: hidden, ask: ask(5000), want: Split{1, 1}, base: 1,
		},
		{
			name: "leases hidden, and the baseline named: the surge is there", at: Split{3, 0}, hidden: hidden, ask: replicas(ask(2500), 3),
			want: Split{3, 1}, base: 3,
		},
		{name: "--replicas over a guess", at: Split{3, 1}, ask: replicas(ask(Full), 5), want: Split{0, 5}, base: 5},
		{name: "--replicas from nothing", at: Split{0, 0}, ask: replicas(ask(None), 3), want: Split{3, 0}, base: 3},
		{
			name: "nothing runs", at: Split{0, 0}, ask: ask(5000),
			err: "both versions are at 0 replicas: say how many carry the full load with --replicas",
		},
		{name: "recorded", at: Split{3, 1}, record: ptr(recorded(4, 2500, Split{3, 1})), ask: ask(Full), want: Split{0, 4}, base: 4},
		{name: "recorded, --replicas", at: Split{3, 1}, record: ptr(recorded(4, 2500, Split{3, 1})), ask: replicas(ask(Full), 6), want: Split{0, 6}, base: 6},
		{name: "recorded, in a move that was cut off", at: Split{2, 2}, record: &interrupted, ask: ask(Full), want: Split{0, 3}, base: 3},
		{name: "recorded, in a move that was cut off at its end", at: Split{0, 3}, record: &interrupted, ask: ask(None), want: Split{3, 0}, base: 3},
		{
			name: "at rest, scaled since", at: Split{5, 0}, record: ptr(recorded(3, None, Split{3, 0})), ask: ask(Full), want: Split{0, 5}, base: 5,
			notes: []string{"the baseline is 5 now, no longer 3: the serving side was scaled since"},
		},
		{
			name: "promoted, scaled since", at: Split{0, 2}, record: ptr(recorded(3, Full, Split{0, 3})), ask: rollback(), want: Split{2, 0}, base: 2,
			notes: []string{"the baseline is 2 now, no longer 3: the serving side was scaled since"},
		},
		{name: "at rest, with a new canary on top", at: Split{3, 1}, record: ptr(recorded(3, None, Split{3, 0})), ask: ask(Full), want: Split{0, 3}, base: 3},
		{name: "between, and rolled back by hand to less", at: Split{2, 0}, record: ptr(recorded(4, 5000, Split{2, 2})), ask: rollback(), want: Split{4, 0}, base: 4},
		{name: "between, and promoted by hand to more", at: Split{0, 6}, record: ptr(recorded(4, 5000, Split{2, 2})), ask: ask(Full), want: Split{0, 6}, base: 6},
		{
			name: "drifted", at: Split{5, 1}, record: ptr(recorded(3, 2500, Split{3, 1})), ask: ask(Full),
			err: "replicas were set to 3/1 (stable/canary), and somebody else has made them 5/1: say how many carry the full load with --replicas, or roll back",
		},
		{name: "drifted, --replicas", at: Split{5, 1}, record: ptr(recorded(3, 2500, Split{3, 1})), ask: replicas(ask(Full), 5), want: Split{0, 5}, base: 5},
		{name: "drifted upwards, rollback", at: Split{5, 1}, record: ptr(recorded(3, 2500, Split{3, 1})), ask: rollback(), want: Split{5, 0}, base: 5},
		{name: "drifted downwards, rollback", at: Split{2, 1}, record: ptr(recorded(3, 2500, Split{3, 1})), ask: rollback(), want: Split{3, 0}, base: 3},

		{
			name: "asked and reachable differ", at: Split{3, 0}, ask: ask(1000), want: Split{3, 1}, base: 3,
			notes: []string{"10% asked, 25% reachable with 4 pods; 10% needs 10 pods (--exact)"},
		},
		{
			name: "exactness beyond its limit", at: Split{3, 0}, ask: ask(3300), want: Split{2, 1}, base: 3,
			notes: []string{"33% asked, 33.33% reachable with 3 pods; 33% needs 100 pods (--exact --max-total 100)"},
		},
		{name: "exact", at: Split{3, 0}, ask: exact(ask(1000)), want: Split{9, 1}, base: 3},
		{
			name: "exact, and too much", at: Split{3, 0}, ask: exact(ask(100)),
			err: "1% exactly needs 100 pods, more than the 12 allowed: raise --max-total, or leave out --exact",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := between(tc.at.Stable, tc.at.Canary)
			if tc.record != nil {
				r.withRecord(*tc.record)
			}
			got, err := r.Aim(tc.ask, !tc.hidden)
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("got %+v, %v\nwant %s", got, err, tc.err)
				}
				return
			}
			reach, _ := Share(tc.want.Canary, tc.want.Total())
			want := Target{Split: tc.want, Weight: tc.ask.Weight, Reach: reach, Baseline: tc.base, Notes: tc.notes}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// Others take their share, and what is reachable says so, at 100 % too.
func TestAimBesideOthers(t *testing.T) {
	r := between(3, 0)
	r.Foreign = 2
	for w, want := range map[Weight]Target{
		2000: {Split: Split{2, 1}, Weight: 2000, Reach: 2000, Baseline: 3},
		Full: {Split: Split{0, 3}, Weight: Full, Reach: 6000, Baseline: 3, Notes: []string{"100% asked, 60% reachable with 3 pods"}},
		None: {Split: Split{3, 0}, Baseline: 3},
	} {
		got, err := r.Aim(ask(w), true)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s%%: %v (-want +got):\n%s", w, err, diff)
		}
	}
}

func TestPrevious(t *testing.T) {
	change := func(from, to Weight, before, after Split) Change {
		return Change{From: from, To: to, Before: before, After: after}
	}
	first := change(None, 2500, Split{3, 0}, Split{3, 1})
	second := change(2500, 5000, Split{3, 1}, Split{2, 2})
	for _, tc := range []struct {
		name    string
		changes []Change
		want    Target
		err     string
	}{
		{"the split before the last change, not a weight", []Change{first, second}, Target{Split: Split{3, 1}, Weight: 2500, Reach: 2500, Baseline: 3}, ""},
		{
			"what changed nothing, and what was put back, is skipped",
			[]Change{first, second, change(5000, Full, Split{2, 2}, Split{2, 2})},
			Target{Split: Split{3, 1}, Weight: 2500, Reach: 2500, Baseline: 3}, "",
		},
		{
			"never to nothing", []Change{change(None, None, Split{0, 0}, Split{3, 0})}, Target{},
			"no earlier split is recorded: name the weight with `kubectl canary shift --to`",
		},
		{"no change", nil, Target{}, "no earlier split is recorded: name the weight with `kubectl canary shift --to`"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := recorded(3, 5000, Split{2, 2})
			rec.Changes = tc.changes
			got, err := between(2, 2).withRecord(rec).Aim(Ask{Rollback: true, Previous: true}, true)
			if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != (tc.err != "") || err != nil && err.Error() != tc.err {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := between(2, 2).Aim(Ask{Rollback: true, Previous: true}, true); err == nil {
		t.Error("a previous split, with nothing recorded")
	}
}

// A move that was cut off has no entry in the history yet: the split before it is where it began.
func TestPreviousOfACutOffMove(t *testing.T) {
	rec := recorded(3, 5000, Split{3, 1})
	rec.Target, rec.Move = Split{2, 2}, &Move{Command: "shift --to 50"}
	rec.Changes = []Change{{From: None, To: 2500, Before: Split{3, 0}, After: Split{3, 1}}}
	got, err := between(3, 2).withRecord(rec).Aim(Ask{Rollback: true, Previous: true}, true)
	want := Target{Split: Split{3, 1}, Weight: 2500, Reach: 2500, Baseline: 3}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestBoundsOfARelease(t *testing.T) {
	r := between(3, 1)
	r.Canary.Deployment.Pods = 9 // what runs, not what is asked for, may stay
	r.Others = []Version{{Serving: 4, Deployment: Deployment{Replicas: 4, Pods: 4}}}
	target := Target{Split: Split{3, 0}, Baseline: 3}
	for _, tc := range []struct {
		name string
		ask  Ask
		pods int
		want Bounds
	}{
		{"the surge of the arithmetic", ask(None), 1, Bounds{3, 4}},
		{"a surge of the move alone", rollback(), 1, Bounds{3, 6}},
		{"unavailable is rounded down", Ask{Surge: Percent(25), Unavailable: Percent(50)}, 1, Bounds{2, 4}},
		{"pods that are there already", ask(None), 9, Bounds{3, 12}},
	} {
		r.Canary.Deployment.Pods = tc.pods
		if got := r.Bounds(tc.ask, target); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
	if n := (&Release{}).Pods(); n != 0 {
		t.Errorf("without roles: %d pods", n)
	}
}

// Where nothing can be recorded, a baseline is guessed from the split before, again and again: it must not creep.
func TestHiddenLeasesKeepTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := Split{Stable: rapid.IntRange(2, 20).Draw(t, "stable")}
		total := now.Total()
		for range rapid.IntRange(1, 8).Draw(t, "shifts") {
			target, err := between(now.Stable, now.Canary).Aim(ask(Weight(100*rapid.IntRange(0, 100).Draw(t, "percent"))), false)
			if err != nil {
				t.Fatal(err)
			}
			if now = target.Split; now.Total() != total {
				t.Fatalf("%s of %d", now, total)
			}
		}
	})
}

// With a record, any number of shifts leads back to the baseline.
func TestRecordedBaselineStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		baseline := rapid.IntRange(1, 20).Draw(t, "baseline")
		r := between(baseline, 0)
		for range rapid.IntRange(1, 8).Draw(t, "shifts") {
			target, err := r.Aim(ask(Weight(100*rapid.IntRange(0, 100).Draw(t, "percent"))), true)
			if err != nil {
				t.Fatal(err)
			}
			if target.Baseline != baseline {
				t.Fatalf("the baseline went from %d to %d", baseline, target.Baseline)
			}
			begun := r.Begin(target, "shift", "ann", noon)
			r = between(target.Split.Stable, target.Split.Canary).withRecord(begun.End(r, between(target.Split.Stable, target.Split.Canary), Done, "", noon))
		}
	})
}

// Manifests say where a release goes, whatever was recorded; their larger side carries the full load, if the other is no
// more than its surge.
func TestAimAsWritten(t *testing.T) {
	drifted := auth(2, 2).record("auth", recorded(9, 5000, Split{Stable: 1, Canary: 3}))
	for to, want := range map[Split]Target{
		{3, 1}: {Split: Split{3, 1}, Weight: 2500, Reach: 2500, Baseline: 3},
		{0, 3}: {Split: Split{0, 3}, Weight: Full, Reach: Full, Baseline: 3},
		{2, 2}: {Split: Split{2, 2}, Weight: 5000, Reach: 5000, Baseline: 4},
	} {
		got, err := one(drifted, Options{}).Aim(Ask{Surge: Percent(25), Splits: map[string]Split{"auth": to}}, true)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("to %s: %v (-want +got)\n%s", to, err, diff)
		}
	}
	if _, err := one(drifted, Options{}).Aim(Ask{Splits: map[string]Split{"auth": {}}}, true); err == nil {
		t.Error("nothing at all was taken for a split")
	}
}
