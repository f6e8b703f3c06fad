package canary

import (
	"testing"

	"pgregory.net/rapid"
)

// From any start in which pods recover, with any bounds, a move ends at its target and keeps both bounds at every moment.
func TestMoveFromAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &simulation{t: t, stable: anyFleet(t, "stable"), canary: anyFleet(t, "canary")}
		target := anySplit(t)
		surge, unavailable := anyLimits(t, target)
		s.run(target, surge, unavailable)
		if !s.position().Done(target) {
			t.Fatalf("stuck on the way to %s within %+v: %+v", target, s.bounds, s.position())
		}
	})
}

// A run that is cut off after any write leaves what the next run, with bounds of its own, brings to the end; the
// bounds of the first run hold all the while.
func TestMoveAfterCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &simulation{t: t, stable: anyFleet(t, "stable"), canary: anyFleet(t, "canary"), crashes: true}
		target := anySplit(t)
		surge, unavailable := anyLimits(t, target)
		first := NewBounds(s.position(), s.pods(), target, surge, unavailable)
		for n := 0; !s.run(target, surge, unavailable); n++ {
			s.crashes = n < 20
			s.meanwhile(false)
		}
		if !s.position().Done(target) {
			t.Fatalf("stuck on the way to %s within %+v: %+v", target, s.bounds, s.position())
		}
		if s.bounds.Floor < first.Floor || s.bounds.Ceiling > first.Ceiling {
			t.Fatalf("the bounds went from %+v to %+v", first, s.bounds)
		}
	})
}

// The target may change in mid-move as well: somebody rolls back what somebody else was promoting.
func TestRollbackOutOfAnyMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		baseline := rapid.IntRange(1, 12).Draw(t, "baseline")
		s := &simulation{t: t, stable: fleet{serving: baseline}, crashes: true}
		s.run(Split{Canary: baseline}, max(1, Percent(25).Up(baseline)), 0)
		s.crashes = false
		s.meanwhile(false)
		s.run(Split{Stable: baseline}, baseline, 0)
		if !s.position().Done(Split{Stable: baseline}) || s.rounds > 1 {
			t.Fatalf("%d rounds, at %+v", s.rounds, s.position())
		}
	})
}

// A rollback does not wait for a canary that will not come up, and keeps what serves.
func TestRollbackOfASickCanary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		baseline := rapid.IntRange(1, 12).Draw(t, "baseline")
		s := &simulation{
			t:      t,
			stable: fleet{serving: rapid.IntRange(0, baseline).Draw(t, "stable")},
			canary: fleet{
				starting: rapid.IntRange(1, baseline+3).Draw(t, "sick"),
				serving:  rapid.IntRange(0, baseline).Draw(t, "canary"), sick: true,
			},
		}
		s.run(Split{Stable: baseline}, baseline, 0)
		if !s.position().Done(Split{Stable: baseline}) || s.rounds > 2 {
			t.Fatalf("%d rounds, at %+v", s.rounds, s.position())
		}
	})
}

// For a canary of which no pod comes up nothing is lowered.
func TestPromoteOfASickCanary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		baseline := rapid.IntRange(1, 12).Draw(t, "baseline")
		s := &simulation{t: t, stable: fleet{serving: baseline}, canary: fleet{sick: true}}
		w := Weight(100 * rapid.IntRange(1, 100).Draw(t, "percent"))
		target, err := defaults(baseline).Split(w)
		if err != nil {
			t.Fatal(err)
		}
		s.run(target, max(1, Percent(25).Up(baseline)), 0)
		if s.position().Done(target) || s.stable.serving < baseline {
			t.Fatalf("%s of %d: %+v", target, baseline, s.position())
		}
	})
}
