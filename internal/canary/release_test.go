package canary

import (
	"testing"
	"time"
)

// between is a release at a split, all of which serves.
func between(stable, canary int) *Release {
	return &Release{
		Name:   "auth",
		Stable: &Version{Name: "v1", Serving: stable, Deployment: Deployment{Name: "auth-v1", Replicas: stable, ReadyPods: stable, Pods: stable}},
		Canary: &Version{Name: "v2", Serving: canary, Deployment: Deployment{Name: "auth-v2", Replicas: canary, ReadyPods: canary, Pods: canary}},
	}
}

// withRecord gives a release the record of what it was last set to.
func (r *Release) withRecord(rec Record) *Release {
	r.Record, r.Lease.Record = &rec, &rec
	return r
}

// Each row has all that makes the phases after its own, too: the first that holds is told.
func TestPhase(t *testing.T) {
	drifted := recorded(3, 2500, Split{4, 1})
	for _, tc := range []struct {
		name string
		make func() *Release
		want Phase
	}{
		{"stable", func() *Release { return between(3, 0) }, PhaseStable},
		{"canary", func() *Release { return between(3, 1) }, PhaseCanary},
		{"promoted", func() *Release { return between(0, 3) }, PhasePromoted},
		{"promoted, the stable side dark", func() *Release {
			r := between(3, 3)
			r.Stable.Serving, r.Stable.Dark = 0, 3
			return r
		}, PhasePromoted},
		{"one of the stable side dark", func() *Release {
			r := between(3, 3)
			r.Stable.Serving, r.Stable.Dark = 2, 1
			return r
		}, PhaseCanary},
		{"degraded", func() *Release {
			r := between(3, 1)
			r.Canary.Serving = 0
			return r
		}, PhaseDegraded},
		{"degraded at rest", func() *Release {
			r := between(3, 0)
			r.Stable.Serving = 2
			return r
		}, PhaseDegraded},
		{"degraded by a third version", func() *Release {
			r := between(3, 1)
			r.Others = []Version{{Deployment: Deployment{Replicas: 1}}}
			return r
		}, PhaseDegraded},
		{"drifted before degraded", func() *Release {
			r := between(3, 1).withRecord(drifted)
			r.Canary.Serving = 0
			return r
		}, PhaseDrifted},
		{"moving before drifted", func() *Release {
			r := between(3, 1).withRecord(drifted)
			r.Canary.Serving, r.Lease.Holder = 0, "ann@laptop/1"
			return r
		}, PhaseMoving},
		{"an expired lock is none", func() *Release {
			r := between(3, 1)
			r.Lease = Lease{Holder: "ann@laptop/1", Expired: true}
			return r
		}, PhaseCanary},
		{"broken before moving", func() *Release {
			r := between(3, 1).withRecord(drifted)
			r.Stable.Serving, r.Canary.Serving, r.Lease.Holder = 0, 0, "ann@laptop/1"
			return r
		}, PhaseBroken},
		{"nothing asked for is broken too", func() *Release { return between(0, 0) }, PhaseBroken},
		{"a foreign endpoint alone keeps it from being broken", func() *Release {
			r := between(0, 0)
			r.Foreign = 1
			return r
		}, PhaseStable},
		{"one version", func() *Release {
			return &Release{Others: []Version{{Serving: 1, Deployment: Deployment{Replicas: 1}}}}
		}, PhaseStable},
		{"no Deployment at all", func() *Release { return &Release{} }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.make().Phase(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDrifted(t *testing.T) {
	moving := func(set, target Split) Record {
		rec := recorded(set.Total(), 5000, set)
		rec.Target, rec.Move = target, &Move{Command: "shift"}
		return rec
	}
	undone := func(set Split) Record {
		rec := recorded(3, 5000, set)
		rec.Changes = []Change{{Outcome: Undone}}
		return rec
	}
	for _, tc := range []struct {
		name   string
		now    Split
		record Record
		want   bool
	}{
		{"undone, the old version on top", Split{3, 3}, undone(Split{0, 3}), true},
		{"undone, and brought to rest", Split{3, 0}, undone(Split{2, 2}), true},
		{"undone, and done again by hand", Split{2, 2}, undone(Split{2, 2}), false},
		{"as set", Split{3, 1}, recorded(3, 2500, Split{3, 1}), false},
		{"between, the stable side changed", Split{4, 1}, recorded(3, 2500, Split{3, 1}), true},
		{"between, the canary changed", Split{3, 2}, recorded(3, 2500, Split{3, 1}), true},
		{"between, and brought to rest by hand", Split{4, 0}, recorded(3, 2500, Split{3, 1}), false},
		{"between, and promoted by hand", Split{0, 4}, recorded(3, 2500, Split{3, 1}), false},
		{"all scaled away", Split{0, 0}, recorded(3, 2500, Split{3, 1}), false},
		{"at rest, the serving side scaled", Split{5, 0}, recorded(3, None, Split{3, 0}), false},
		{"at rest, a new canary on top", Split{3, 1}, recorded(3, None, Split{3, 0}), false},
		{"promoted, the old version on top", Split{1, 3}, recorded(3, Full, Split{0, 3}), false},
		{"at rest, and split by hand", Split{2, 1}, recorded(3, None, Split{3, 0}), true},
		{"promoted, and split by hand", Split{1, 2}, recorded(3, Full, Split{0, 3}), true},
		{"a promote that ended between, as it was left", Split{2, 2}, recorded(4, Full, Split{2, 2}), false},
		{"a promote that ended between, one side changed since", Split{2, 5}, recorded(4, Full, Split{2, 2}), true},
		{"a rollback that ended between, one side changed since", Split{4, 2}, recorded(4, None, Split{2, 2}), true},
		{"in a move, at its start", Split{3, 1}, moving(Split{3, 1}, Split{1, 3}), false},
		{"in a move, half-way", Split{2, 3}, moving(Split{3, 1}, Split{1, 3}), false},
		{"in a move, at its end", Split{1, 3}, moving(Split{3, 1}, Split{1, 3}), false},
		{"in a move, stable beyond its start", Split{4, 1}, moving(Split{3, 1}, Split{1, 3}), true},
		{"in a move, stable below its end", Split{1, 2}, moving(Split{4, 1}, Split{2, 3}), true},
		{"in a move, canary beyond its end", Split{3, 4}, moving(Split{3, 1}, Split{1, 3}), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := between(tc.now.Stable, tc.now.Canary).withRecord(tc.record).Drifted(); got != tc.want {
				t.Errorf("drifted is %v", got)
			}
		})
	}
	if between(3, 1).Drifted() || (&Release{}).Drifted() {
		t.Error("drifted from nothing")
	}
}

func TestWeights(t *testing.T) {
	r := between(3, 1)
	if w, ok := r.Actual(); !ok || w != 2500 {
		t.Errorf("actual is %s, %v", w, ok)
	}
	if _, ok := r.Desired(); ok {
		t.Error("a desired weight, with nothing recorded")
	}
	if _, ok := r.Reachable(); ok {
		t.Error("a reachable weight, with nothing recorded")
	}
	r.withRecord(recorded(3, 3000, Split{3, 1}))
	r.Foreign = 1
	r.Others = []Version{{Serving: 5}}
	if w, ok := r.Actual(); !ok || w != 1000 {
		t.Errorf("beside six others, actual is %s, %v", w, ok)
	}
	if w, ok := r.Reachable(); !ok || w != 1000 {
		t.Errorf("beside six others, reachable is %s, %v", w, ok)
	}
	if w, ok := r.Desired(); !ok || w != 3000 {
		t.Errorf("desired is %s, %v", w, ok)
	}
	if w, ok := between(0, 0).Actual(); ok {
		t.Errorf("with no ready endpoint, actual is %s", w)
	}
	if w, ok := (&Release{Foreign: 3}).Actual(); ok {
		t.Errorf("without roles, actual is %s", w)
	}
}

func TestChangedAt(t *testing.T) {
	r := between(3, 1)
	r.Canary.Deployment.Created = noon
	if got := r.ChangedAt(); got != noon {
		t.Errorf("with nothing recorded: %s, want when the canary was created", got)
	}
	rec := recorded(3, 2500, Split{3, 1})
	rec.Changes = []Change{{Time: noon.Add(time.Hour)}, {Time: noon.Add(2 * time.Hour)}}
	if got := r.withRecord(rec).ChangedAt(); got != noon.Add(2*time.Hour) {
		t.Errorf("recorded: %s, want the newest change", got)
	}
	rec.Move = &Move{Since: noon.Add(3 * time.Hour)}
	if got := r.withRecord(rec).ChangedAt(); got != noon.Add(3*time.Hour) {
		t.Errorf("moving: %s, want the move's", got)
	}
	if got := (&Release{}).ChangedAt(); !got.IsZero() {
		t.Errorf("without roles: %s", got)
	}
}
