package canary

// Side is one version's part in a move, as observed.
type Side struct {
	Replicas int // what the Deployment asks for
	Serving  int // ready endpoints
	Ready    int // ready pods, those that do not serve too
}

// unready is how many of the replicas a scale-down takes first: those that are not ready, or not there yet, or dark.
func (s Side) unready() int { return max(0, s.Replicas-max(s.Serving, s.Ready)) }

// Position is where both sides of a release stand.
type Position struct {
	Stable, Canary Side
}

// Position measures the release; it is empty where the roles cannot be told.
func (r *Release) Position() Position {
	if r.Stable == nil {
		return Position{}
	}
	return Position{Stable: r.Stable.side(), Canary: r.Canary.side()}
}

// side counts on no pod beyond what the Deployment asks for: which of them are about to go cannot be told. Dark pods are
// the cheapest to delete: a scale-down takes them right after the unready ones.
func (v *Version) side() Side {
	d := &v.Deployment
	return Side{Replicas: d.Replicas, Serving: min(v.Serving, d.Replicas), Ready: min(max(0, d.ReadyPods-v.Dark), d.Replicas)}
}

// Replicas is the split that both sides ask for.
func (p Position) Replicas() Split { return Split{p.Stable.Replicas, p.Canary.Replicas} }

func (p Position) serving() int { return p.Stable.Serving + p.Canary.Serving }

// At says whether both sides ask for the target.
func (p Position) At(target Split) bool { return p.Replicas() == target }

// Done says whether both sides stand ready at the target.
func (p Position) Done(target Split) bool {
	return p.At(target) && p.Stable.Serving >= target.Stable && p.Canary.Serving >= target.Canary
}

// Bounds are what holds at every moment of a move: ready endpoints at or above Floor, pods at or below Ceiling
// (docs/design.md §5). Others count in neither.
type Bounds struct {
	Floor, Ceiling int
}

// NewBounds returns the bounds of a move from a position, where pods is the pods that are there now,
// without terminating ones.
func NewBounds(from Position, pods int, target Split, surge, unavailable int) Bounds {
	after := target.Total()
	return Bounds{
		Floor:   min(from.serving(), max(after-unavailable, 1)),
		Ceiling: max(pods, after+surge),
	}
}

// Hold says whether enough serves.
func (b Bounds) Hold(p Position) bool { return p.serving() >= b.Floor }

// Raise returns the replicas to set on the growing sides now: up to the target, as far as the ceiling leaves room.
func (b Bounds) Raise(p Position, target Split) Split {
	room := max(0, b.Ceiling-p.Replicas().Total())
	next := p.Replicas()
	grow := func(now *int, to int) {
		n := min(max(0, to-*now), room)
		*now += n
		room -= n
	}
	grow(&next.Stable, target.Stable)
	grow(&next.Canary, target.Canary)
	return next
}

// MakeRoom returns the replicas to set on the shrinking sides before a raise: no less than the raise needs room for,
// and no less than the floor allows.
func (b Bounds) MakeRoom(p Position, target Split) Split {
	need := max(0, target.Stable-p.Stable.Replicas) + max(0, target.Canary-p.Canary.Replicas)
	return b.lower(p, target, need-(b.Ceiling-p.Replicas().Total()))
}

// Lower returns the replicas to set on the shrinking sides now: down to the target, as far as the floor allows.
// A scale-down takes unready pods first, so those may always go.
func (b Bounds) Lower(p Position, target Split) Split {
	return b.lower(p, target, p.Replicas().Total())
}

func (b Bounds) lower(p Position, target Split, most int) Split {
	spare := max(0, p.serving()-b.Floor)
	shrink := func(s Side, to int) int {
		free := s.unready() + spare
		if s.Serving <= spare {
			free = s.Replicas // even all of what serves there may go, and so may what is ready and does not serve
		}
		n := min(max(0, s.Replicas-to), free, max(0, most))
		spare -= min(max(0, n-s.unready()), s.Serving)
		most -= n
		return s.Replicas - n
	}
	canary := shrink(p.Canary, target.Canary)
	return Split{Stable: shrink(p.Stable, target.Stable), Canary: canary}
}

// Spared is what a lower to some replicas may be without taking any that serves, or is about to.
func (p Position) Spared(to Split) Split {
	return Split{
		Stable: max(to.Stable, p.Stable.Replicas-p.Stable.unready()),
		Canary: max(to.Canary, p.Canary.Replicas-p.Canary.unready()),
	}
}

// Served says whether the wait after a raise is over: the sides that do not shrink serve, or as much of them as it
// takes to lower everything that is to go.
func (b Bounds) Served(p Position, target Split) bool {
	if !p.At(target) && b.Raise(p, target) == p.Replicas() && b.Lower(p, target) == (Split{min(p.Stable.Replicas, target.Stable), min(p.Canary.Replicas, target.Canary)}) {
		return true
	}
	return (p.Stable.Replicas > target.Stable || p.Stable.Serving >= p.Stable.Replicas) &&
		(p.Canary.Replicas > target.Canary || p.Canary.Serving >= p.Canary.Replicas)
}
