package canary

import (
	"fmt"
	"testing"

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

// simulation moves a release as the mover does (DESIGN §5), while pods come up in any order, and holds every moment
// against the bounds.
type simulation struct {
	t              *rapid.T
	stable, canary fleet
	bounds         Bounds
	crashes        bool // a move may be cut off after any write
	rounds         int
}

type crash struct{}

func (s *simulation) position() Position {
	return Position{Stable: s.stable.side(), Canary: s.canary.side()}
}

func (s *simulation) pods() int { return s.stable.replicas() + s.canary.replicas() }

func (s *simulation) chance(what string) bool { return rapid.Bool().Draw(s.t, what) }

func (s *simulation) check(when string) {
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

func TestServed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		at     string // stable+canary, each replicas:serving:ready
		target Split
		surge  int
		want   bool
	}{
		{"rollback, stable suffices, canary sick", "3:3:3 1:0:0", Split{3, 0}, 3, true},
		{"rollback, stable suffices, canary half up", "3:3:3 3:1:1", Split{3, 0}, 3, true},
		{"rollback, nothing serves, canary sick", "3:0:0 3:0:0", Split{3, 0}, 3, true},
		{"rollback, stable not raised as far as it may be", "2:1:1 1:0:0", Split{3, 0}, 3, false},
		{"rollback, stable still starting, canary serves", "3:0:0 3:3:3", Split{3, 0}, 3, false},
		{"promote, canary starting", "3:3:3 1:0:0", Split{0, 3}, 1, false},
		{"promote, canary ready and no endpoint yet", "3:3:3 1:0:1", Split{0, 3}, 1, false},
		{"promote, first pod serves", "3:3:3 1:1:1", Split{0, 3}, 1, true},
		{"at the target, one missing", "2:2:2 2:1:1", Split{2, 2}, 1, false},
		{"at the target", "2:2:2 2:2:2", Split{2, 2}, 1, true},
		{"both shrink: nothing to wait for", "5:5:5 5:5:5", Split{3, 1}, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := position(t, tc.at)
			b := NewBounds(p, p.Replicas().Total(), tc.target, tc.surge, 0)
			if got := b.Served(p, tc.target); got != tc.want {
				t.Errorf("Served is %v within %+v", got, b)
			}
		})
	}
}

func position(t *testing.T, s string) (p Position) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "%d:%d:%d %d:%d:%d", &p.Stable.Replicas, &p.Stable.Serving, &p.Stable.Ready,
		&p.Canary.Replicas, &p.Canary.Serving, &p.Canary.Ready); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNewBounds(t *testing.T) {
	for _, tc := range []struct {
		name               string
		at                 string
		pods               int
		target             Split
		surge, unavailable int
		want               Bounds
	}{
		{"promote", "3:3:3 0:0:0", 3, Split{0, 3}, 1, 0, Bounds{3, 4}},
		{"as many as before where that is less", "3:2:2 0:0:0", 3, Split{0, 3}, 1, 0, Bounds{2, 4}},
		{"as many as after where that is less", "3:3:3 1:1:1", 4, Split{3, 0}, 3, 0, Bounds{3, 6}},
		{"unavailable", "4:4:4 0:0:0", 4, Split{0, 4}, 0, 1, Bounds{3, 4}},
		{"never the last one", "2:2:2 0:0:0", 2, Split{0, 2}, 0, 5, Bounds{1, 2}},
		{"nothing serves", "3:0:0 0:0:0", 3, Split{0, 3}, 1, 0, Bounds{0, 4}},
		{"more pods than the ceiling are there already", "9:9:9 9:9:9", 18, Split{3, 0}, 1, 0, Bounds{3, 18}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := NewBounds(position(t, tc.at), tc.pods, tc.target, tc.surge, tc.unavailable); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestLowerTakesWhatDoesNotServe(t *testing.T) {
	for _, tc := range []struct {
		name   string
		at     string
		target Split
		want   Split
	}{
		{"unready pods beyond the floor", "3:3:3 3:1:1", Split{3, 0}, Split{3, 0}},
		{"unready pods where nothing can be spared", "4:2:2 1:1:1", Split{0, 3}, Split{2, 1}},
		{"ready pods of which no endpoint is left (a drain that was cut off)", "3:3:3 3:0:3", Split{3, 0}, Split{3, 0}},
		{"a ready pod that does not serve may be the one to stay", "10:5:10 5:5:5", Split{5, 5}, Split{10, 5}},
		{"the canary first", "4:4:4 4:4:4", Split{2, 2}, Split{2, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := position(t, tc.at)
			if got := NewBounds(p, p.Replicas().Total(), tc.target, 1, 0).Lower(p, tc.target); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// A position says what may be counted on. What a side has dark goes right after the unready pods: it is the cheapest to delete.
func TestPosition(t *testing.T) {
	r := Release{
		Stable: &Version{Serving: 5, Dark: 5, Deployment: Deployment{Replicas: 10, ReadyPods: 10}},
		Canary: &Version{Serving: 5, Deployment: Deployment{Replicas: 5, ReadyPods: 5}},
	}
	p, target := r.Position(), Split{5, 5}
	if got := NewBounds(p, 15, target, 1, 0).Lower(p, target); got != target {
		t.Errorf("dark pods keep %s", got)
	}
	// A run that begins just after a scale-down sees endpoints of pods that are about to go.
	r.Stable = &Version{Serving: 3, Deployment: Deployment{Replicas: 1, ReadyPods: 3}}
	if got, want := r.Position().Stable, (Side{Replicas: 1, Serving: 1, Ready: 1}); got != want {
		t.Errorf("in mid-scale: %+v, want %+v", got, want)
	}
	if p := (&Release{}).Position(); p != (Position{}) {
		t.Errorf("without roles: %+v", p)
	}
}

func TestDone(t *testing.T) {
	for at, want := range map[string]bool{
		"3:3:3 1:1:1": true, "3:3:3 1:0:1": false, "3:2:3 1:1:1": false, "3:3:3 2:2:2": false, "4:4:4 1:1:1": false,
	} {
		if got := position(t, at).Done(Split{3, 1}); got != want {
			t.Errorf("%s: done is %v", at, got)
		}
	}
}
