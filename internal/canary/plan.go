package canary

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Round is one round of a plan: the replicas after each of its steps.
type Round struct {
	Room  Split `json:"room"`  // after what had to be lowered first, for the ceiling
	Raise Split `json:"raise"` // after the raise
	Lower Split `json:"lower"` // after the lower
}

// Plan is how a release gets to its target, if all pods that are started come to serve.
type Plan struct {
	From, Target Split
	Bounds       Bounds
	Rounds       []Round
	Peak         Split         // the moment with the most pods
	Least        int           // the fewest ready endpoints at any moment
	Keep         bool          // stable's pods are not stopped, but run on without traffic
	Bake         time.Duration // with Keep: for how long; 0 is for good
}

// maxRounds is more than anybody would wait for.
const maxRounds = 10_000

var errLongPlan = fmt.Errorf("it would take more than %d rounds: allow a larger --max-surge", maxRounds)

var errNoPlan = errors.New("no order of steps keeps both bounds: allow a --max-surge of at least 1")

// NewPlan works out the rounds from a position. Pods that are not ready on a side that shrinks are taken to stay so.
func NewPlan(from Position, target Split, bounds Bounds) (Plan, error) {
	p := Plan{From: from.Replicas(), Target: target, Bounds: bounds, Peak: from.Replicas(), Least: from.serving()}
	pos := from
	for !pos.At(target) {
		start := pos
		var r Round
		pos = pos.lowered(bounds.MakeRoom(pos, target))
		p.Least = min(p.Least, pos.serving())
		r.Room = pos.Replicas()
		pos = pos.raised(bounds.Raise(pos, target))
		r.Raise = pos.Replicas()
		if r.Raise.Total() > p.Peak.Total() {
			p.Peak = r.Raise
		}
		pos = pos.recovered(target)
		pos = pos.lowered(bounds.Lower(pos, target))
		p.Least = min(p.Least, pos.serving())
		r.Lower = pos.Replicas()
		if pos == start {
			return Plan{}, errNoPlan
		}
		if len(p.Rounds) == maxRounds {
			return Plan{}, errLongPlan
		}
		p.Rounds = append(p.Rounds, r)
	}
	return p, nil
}

// Raises says whether the plan starts any pod.
func (p *Plan) Raises() bool {
	return slices.ContainsFunc(p.Rounds, func(r Round) bool { return r.Raise != r.Room })
}

// raised sets the replicas; the new pods do not serve yet.
func (p Position) raised(to Split) Position {
	p.Stable.Replicas, p.Canary.Replicas = to.Stable, to.Canary
	return p
}

// recovered lets every pod of the sides that do not shrink serve.
func (p Position) recovered(target Split) Position {
	heal := func(s *Side, to int) {
		s.Serving = max(s.Serving, min(s.Ready, s.Replicas)) // what is ready is about to serve
		if s.Replicas <= to {
			s.Serving = max(s.Serving, s.Replicas)
			s.Ready = max(s.Ready, s.Replicas)
		}
	}
	heal(&p.Stable, target.Stable)
	heal(&p.Canary, target.Canary)
	return p
}

// lowered sets the replicas as a ReplicaSet would: unready pods go first.
func (p Position) lowered(to Split) Position {
	cut := func(s *Side, to int) {
		lost := max(0, s.Replicas-to-s.unready())
		s.Replicas = to
		s.Serving = max(0, s.Serving-lost)
		s.Ready = max(s.Serving, s.Ready-lost)
	}
	cut(&p.Stable, to.Stable)
	cut(&p.Canary, to.Canary)
	return p
}
