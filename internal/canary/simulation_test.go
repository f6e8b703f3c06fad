package canary

import (
	"pgregory.net/rapid"
)

// fleet is the pods of one side in a simulated cluster.
type fleet struct {
	starting int  // not ready
	ready    int  // ready, and not yet among the endpoints
	serving  int  // ready endpoints
	sick     bool // no pod gets ready any more
}

func (f *fleet) replicas() int { return f.starting + f.ready + f.serving }

func (f *fleet) side() Side {
	return Side{Replicas: f.replicas(), Serving: f.serving, Ready: f.ready + f.serving}
}

// scale does what a Deployment's ReplicaSet does: of pods to delete, those that are not ready go first, and of the
// others any, so that serves says which.
func (f *fleet) scale(to int, serves func() bool) {
	f.starting += max(0, to-f.replicas())
	for f.replicas() > to {
		switch {
		case f.starting > 0:
			f.starting--
		case f.serving > 0 && (f.ready == 0 || serves()):
			f.serving--
		default:
			f.ready--
		}
	}
}

// step lets one pod come nearer to serving, at once or in two steps; false when none can.
func (f *fleet) step(atOnce bool) bool {
	switch {
	case f.ready > 0:
		f.ready--
		f.serving++
	case f.starting > 0 && !f.sick && atOnce:
		f.starting--
		f.serving++
	case f.starting > 0 && !f.sick:
		f.starting--
		f.ready++
	default:
		return false
	}
	return true
}

// simulation moves a release as the mover does (docs/design.md §5), while pods come up in any order, and holds every moment
// against the bounds.
type simulation struct {
	t              *rapid.T
	stable, canary fleet
	bounds         Bounds
	crashes        bool // a move may be cut off after any write
	rounds         int
	look           func() // at every moment, if it is set
}

type crash struct{}

func (s *simulation) position() Position {
	return Position{Stable: s.stable.side(), Canary: s.canary.side()}
}

func (s *simulation) pods() int { return s.stable.replicas() + s.canary.replicas() }

func (s *simulation) chance(what string) bool { return rapid.Bool().Draw(s.t, what) }

func (s *simulation) check(when string) {
	if s.look != nil {
		s.look()
	}
	if n := s.stable.serving + s.canary.serving; n < s.bounds.Floor {
		s.t.Fatalf("%s: %d ready endpoints, below the floor of %+v: %+v", when, n, s.bounds, s.position())
	}
	if s.pods() > s.bounds.Ceiling {
		s.t.Fatalf("%s: %d pods, above the ceiling of %+v: %+v", when, s.pods(), s.bounds, s.position())
	}
}

// progress lets one pod come nearer to serving; false when none can.
func (s *simulation) progress(atOnce bool) bool {
	first, second := &s.stable, &s.canary
	if s.chance("canary first") {
		first, second = second, first
	}
	return first.step(atOnce) || second.step(atOnce)
}

// meanwhile lets none or some of the pods come up.
func (s *simulation) meanwhile(atOnce bool) {
	for s.chance("meanwhile") && s.progress(atOnce) {
		s.check("pods came up")
	}
}

// write sets both sides, one after the other, in any order. Pods may come up between the read that the write rests on
// and its effect, but no pod is then caught without its endpoint: a ReplicaSet might delete one that serves in
// its stead, and no client can prevent that.
func (s *simulation) write(what string, to Split) {
	stableFirst := s.chance("stable first")
	for i := range 2 {
		f, n := &s.stable, to.Stable
		if (i == 0) != stableFirst {
			f, n = &s.canary, to.Canary
		}
		if f.replicas() == n {
			continue
		}
		s.meanwhile(true)
		f.scale(n, func() bool { return s.chance("one that serves goes") })
		s.check(what)
		if s.crashes && s.chance("crash") && s.chance("really") {
			panic(crash{})
		}
	}
}

// round does one round; false when it was over at the target, or got no further although all pods are up that come up.
func (s *simulation) round(target Split) bool {
	if s.position().At(target) {
		return false
	}
	s.rounds++
	at := s.position().Replicas()
	s.write("room", s.bounds.MakeRoom(s.position(), target))
	s.meanwhile(false)
	s.write("raise", s.bounds.Raise(s.position(), target))
	for !s.bounds.Served(s.position(), target) {
		if !s.progress(false) {
			return false
		}
		s.check("waiting")
	}
	s.meanwhile(false)
	s.write("lower", s.bounds.Lower(s.position(), target))
	return s.position().Replicas() != at || s.progress(false)
}

// run is one run of the command, from wherever the release is now; false when it was cut off.
func (s *simulation) run(target Split, surge, unavailable int) (finished bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
		}
	}()
	s.bounds = NewBounds(s.position(), s.pods(), target, surge, unavailable)
	s.rounds = 0
	for s.round(target) {
	}
	for !s.position().Done(target) && s.progress(false) {
		s.check("at the target")
	}
	return true
}

func anyFleet(t *rapid.T, name string) fleet {
	return fleet{
		starting: max(0, rapid.IntRange(-4, 6).Draw(t, name+" starting")),
		ready:    max(0, rapid.IntRange(-6, 3).Draw(t, name+" ready")),
		serving:  rapid.IntRange(0, 12).Draw(t, name+" serving"),
	}
}

func anySplit(t *rapid.T) Split {
	s := Split{Stable: rapid.IntRange(0, 12).Draw(t, "target stable"), Canary: rapid.IntRange(0, 12).Draw(t, "target canary")}
	if s.Total() == 0 {
		s.Stable = 1
	}
	return s
}

// anyLimits returns a surge and an unavailability of which one is above 0. One pod cannot be replaced without a
// surge: the floor keeps the last ready endpoint.
func anyLimits(t *rapid.T, target Split) (surge, unavailable int) {
	surge = rapid.IntRange(0, 4).Draw(t, "surge")
	unavailable = rapid.IntRange(0, 4).Draw(t, "unavailable")
	if surge+unavailable == 0 || target.Total() == 1 {
		surge = max(surge, 1)
	}
	return surge, unavailable
}
