package canary

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// resting is a position in which every pod serves.
func resting(s Split) Position {
	return Position{Stable: Side{s.Stable, s.Stable, s.Stable}, Canary: Side{s.Canary, s.Canary, s.Canary}}
}

func TestNewPlan(t *testing.T) {
	for _, tc := range []struct {
		name               string
		at                 string
		target             Split
		surge, unavailable int
		want               []Round
		peak               Split
		least              int
	}{
		{"nothing to do", "3:3:3 1:1:1", Split{3, 1}, 1, 0, nil, Split{3, 1}, 4},
		{
			"a first canary rides on top", "3:3:3 0:0:0", Split{3, 1}, 1, 0,
			[]Round{{Split{3, 0}, Split{3, 1}, Split{3, 1}}}, Split{3, 1}, 3,
		},
		{
			"promote one by one", "3:3:3 0:0:0", Split{0, 3}, 1, 0,
			[]Round{
				{Split{3, 0}, Split{3, 1}, Split{2, 1}}, {Split{2, 1}, Split{2, 2}, Split{1, 2}}, {Split{1, 2}, Split{1, 3}, Split{0, 3}},
			}, Split{3, 1}, 3,
		},
		{
			"rollback in one round", "1:1:1 3:3:3", Split{3, 0}, 3, 0,
			[]Round{{Split{1, 3}, Split{3, 3}, Split{3, 0}}}, Split{3, 3}, 3,
		},
		{
			"without surge one goes first", "3:3:3 0:0:0", Split{2, 1}, 0, 1,
			[]Round{{Split{2, 0}, Split{2, 1}, Split{2, 1}}}, Split{3, 0}, 2,
		},
		{
			"unready pods make room", "3:3:3 1:0:0", Split{4, 0}, 0, 1,
			[]Round{{Split{3, 0}, Split{4, 0}, Split{4, 0}}}, Split{3, 1}, 3,
		},
		{
			"with surge a sick canary need not make room", "1:1:1 3:0:0", Split{3, 0}, 3, 0,
			[]Round{{Split{1, 3}, Split{3, 3}, Split{3, 0}}}, Split{3, 3}, 1,
		},
		{
			"a fleet in four rounds", "100:100:100 0:0:0", Split{0, 100}, 25, 0,
			[]Round{
				{Split{100, 0}, Split{100, 25}, Split{75, 25}}, {Split{75, 25}, Split{75, 50}, Split{50, 50}},
				{Split{50, 50}, Split{50, 75}, Split{25, 75}}, {Split{25, 75}, Split{25, 100}, Split{0, 100}},
			}, Split{100, 25}, 100,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := position(t, tc.at)
			b := NewBounds(p, p.Replicas().Total(), tc.target, tc.surge, tc.unavailable)
			got, err := NewPlan(p, tc.target, b)
			want := Plan{From: p.Replicas(), Target: tc.target, Bounds: b, Rounds: tc.want, Peak: tc.peak, Least: tc.least}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestNoPlan(t *testing.T) {
	for _, tc := range []struct {
		at                 string
		target             Split
		surge, unavailable int
	}{
		{"3:3:3 0:0:0", Split{0, 3}, 0, 0},
		{"3:3:3 0:0:0", Split{2, 1}, 0, 0},
		{"1:1:1 0:0:0", Split{0, 1}, 0, 1}, // the floor keeps the last one, whatever may be unavailable
	} {
		p := position(t, tc.at)
		if plan, err := NewPlan(p, tc.target, NewBounds(p, p.Replicas().Total(), tc.target, tc.surge, tc.unavailable)); !errors.Is(err, errNoPlan) {
			t.Errorf("%s to %s: %+v, %v", tc.at, tc.target, plan, err)
		}
	}
	// Where fewer pods are wanted than there are, even no surge leaves room.
	p, target := resting(Split{3, 1}), Split{0, 3}
	if plan, err := NewPlan(p, target, NewBounds(p, 4, target, 0, 0)); err != nil || len(plan.Rounds) != 2 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// The plan is what the loop does when every pod comes up that is ready or that a raise waits for, and no other, and
// a scale-down takes the worst it can.
func TestPlanAgreesWithTheLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stable, canary := anyFleet(t, "stable"), anyFleet(t, "canary")
		target := anySplit(t)
		surge, unavailable := anyLimits(t, target)
		s := &simulation{t: t, stable: stable, canary: canary}
		s.bounds = NewBounds(s.position(), s.pods(), target, surge, unavailable)
		plan, err := NewPlan(s.position(), target, s.bounds)
		if err != nil {
			t.Fatal(err)
		}

		peak, least := s.pods(), stable.serving+canary.serving
		set := func(to Split) Split {
			for _, side := range []struct {
				f *fleet
				n int
			}{{&s.stable, to.Stable}, {&s.canary, to.Canary}} {
				side.f.scale(side.n, func() bool { return true })
			}
			s.check("step")
			peak, least = max(peak, s.pods()), min(least, s.stable.serving+s.canary.serving)
			return s.position().Replicas()
		}
		var rounds []Round
		for !s.position().At(target) {
			var r Round
			r.Room = set(s.bounds.MakeRoom(s.position(), target))
			r.Raise = set(s.bounds.Raise(s.position(), target))
			for _, side := range []struct {
				f  *fleet
				to int
			}{{&s.stable, target.Stable}, {&s.canary, target.Canary}} {
				for (side.f.ready > 0 || side.f.replicas() <= side.to) && side.f.step(true) {
				}
			}
			if !s.bounds.Served(s.position(), target) {
				t.Fatalf("not served, though all that grows is up: %+v", s.position())
			}
			r.Lower = set(s.bounds.Lower(s.position(), target))
			rounds = append(rounds, r)
		}
		if diff := cmp.Diff(rounds, plan.Rounds); diff != "" {
			t.Fatalf("(-loop +plan):\n%s", diff)
		}
		if plan.Peak.Total() != peak || plan.Least != least {
			t.Fatalf("the plan has at most %d pods and %d ready, the loop %d and %d", plan.Peak.Total(), plan.Least, peak, least)
		}
		if plan.Peak.Total() > s.bounds.Ceiling || plan.Least < s.bounds.Floor {
			t.Fatalf("%+v leaves %+v", plan, s.bounds)
		}
	})
}

// Endpoints follow the pods' readiness a moment later. A plan made in that moment counts on them to come.
func TestPlanWhileEndpointsFollow(t *testing.T) {
	p, target := position(t, "4:3:4 1:0:1"), Split{3, 0}
	plan, err := NewPlan(p, target, NewBounds(p, 5, target, 3, 0))
	if err != nil || len(plan.Rounds) == 0 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// From rest and between the usual weights no move takes more than five rounds, however large, and a rollback one.
func TestRounds(t *testing.T) {
	weights := []Weight{None, 100, 1000, 2500, 5000, 7500, 9000, 9900, Full}
	for baseline := 1; baseline <= 240; baseline++ {
		a := defaults(baseline)
		for _, before := range weights {
			from, err := a.Split(before)
			if err != nil {
				t.Fatal(err)
			}
			for _, after := range weights {
				to, err := a.Split(after)
				if err != nil {
					t.Fatal(err)
				}
				p := resting(from)
				plan, err := NewPlan(p, to, NewBounds(p, from.Total(), to, a.Surge, 0))
				if err != nil || len(plan.Rounds) > 5 {
					t.Fatalf("%s to %s with surge %d: %d rounds, %v", from, to, a.Surge, len(plan.Rounds), err)
				}
			}
			p, to := resting(from), Split{Stable: baseline}
			plan, err := NewPlan(p, to, NewBounds(p, from.Total(), to, baseline, 0))
			if want := min(1, from.Canary); err != nil || len(plan.Rounds) != want {
				t.Fatalf("rollback from %s: %d rounds, %v", from, len(plan.Rounds), err)
			}
		}
	}
}
