package mover

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// A failure prints the seed that repeats it: no file is needed beside.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// scenario is a start and what is asked of it; it is drawn before the clock of the world begins.
type scenario struct {
	sides              [][2]drawnSide // of each release: stable, canary
	to                 canary.Split
	surge, unavailable int
	rollback, now      bool
	drainable          bool // pods have a label to drain them by
	mayDrain           bool
	keep               bool
	// hand is when somebody else scales a Deployment of the first release, and to what; never where it is 0.
	hand   time.Duration
	handOf string
	handTo int
}

type drawnSide struct {
	ready   []bool // of the pods that are there
	dark    int    // of these, at the start
	newPods string // what becomes of those that are started
}

func drawScenario(t *rapid.T) scenario {
	pods := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 9), func(n int) bool { return n > 0 }), 0, 4)
	s := scenario{
		surge: rapid.IntRange(0, 2).Draw(t, "surge"), unavailable: rapid.IntRange(0, 2).Draw(t, "unavailable"),
		rollback: rapid.Bool().Draw(t, "rollback"), to: canary.Split{Stable: rapid.IntRange(1, 4).Draw(t, "to stable")},
	}
	if !s.rollback {
		s.to.Canary = rapid.IntRange(0, 4).Draw(t, "to canary")
	}
	s.drainable, s.mayDrain = rapid.Bool().Draw(t, "drainable"), rapid.Bool().Draw(t, "may drain")
	s.now = s.rollback && rapid.Bool().Draw(t, "now")
	s.keep = !s.rollback && s.drainable && s.mayDrain && rapid.Bool().Draw(t, "keep")
	if s.keep {
		s.to = canary.Split{Canary: max(1, s.to.Canary)}
	}
	if rapid.Bool().Draw(t, "another hand") {
		s.hand = time.Duration(rapid.IntRange(1, 120).Draw(t, "after")) * 100 * time.Millisecond
		s.handOf, s.handTo = rapid.SampledFrom([]string{"app0-v1", "app0-v2"}).Draw(t, "of"), rapid.IntRange(0, 5).Draw(t, "to")
	}
	for range rapid.IntRange(1, 3).Draw(t, "releases") {
		var sides [2]drawnSide
		for i := range sides {
			sides[i] = drawnSide{
				ready:   pods.Draw(t, "pods"),
				dark:    max(0, rapid.IntRange(-6, 4).Draw(t, "dark")),
				newPods: rapid.SampledFrom([]string{"serve", "serve", "serve", "slow", "never", "crash"}).Draw(t, "new pods"),
			}
		}
		s.sides = append(s.sides, sides)
	}
	return s
}

// world builds the start. healthy says that every pod serves, or will.
func (s scenario) world(t check) (w *world, healthy bool) {
	w, healthy = newWorld(t), true
	w.drainable = s.drainable
	for i, sides := range s.sides {
		name := fmt.Sprint("app", i)
		w.release(name, len(sides[0].ready), len(sides[1].ready))
		for n, version := range []string{"-v1", "-v2"} {
			d := w.find(name + version)
			for k, p := range d.pods {
				p.ready = sides[n].ready[k]
				healthy = healthy && p.ready
				if s.drainable && k < sides[n].dark {
					delete(p.Labels, "serving")
					p.Cheapest, p.away = true, true
				}
			}
			switch sides[n].newPods {
			case "slow":
				w.start[d.Name] = w.slow(20 * time.Second)
			case "never":
				w.start[d.Name], healthy = notReady, false
			case "crash":
				w.start[d.Name], healthy = crashing, false
			}
		}
	}
	return w, healthy
}

// From any start to any target, with pods that come up or do not: the world holds every moment against both bounds, and
// what the mover says of the end is so. Where all pods come up it gets there. What somebody else has scaled meanwhile, or
// in the time that it is watched after that, is never said to be done.
func TestAnyMove(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		synctest.Test(t, func(t *testing.T) { checkMove(t, rt, s) })
	})
}

func checkMove(t *testing.T, rt check, s scenario) {
	w, healthy := s.world(rt)
	o := options()
	o.Timeout, o.Rollback, o.Now, o.MayDrain = time.Minute, s.rollback, s.now, s.mayDrain
	if s.now {
		o.Still = 0
	}
	var moves []Move
	for _, r := range canary.Discover(w.now(), canary.Options{}) {
		from := r.Position()
		if s.keep {
			from = r.LitPosition()
		}
		surge, unavailable := canary.Amount{Value: s.surge}, canary.Amount{Value: s.unavailable}
		b := r.Bounds(canary.Ask{Surge: surge, Unavailable: unavailable, Keep: s.keep, Now: s.now}, canary.Target{Split: s.to, Baseline: 100})
		if _, err := canary.NewPlan(from, s.to, b); err != nil {
			continue // refused before it begins
		}
		w.bounds[r.Name] = b
		if s.keep {
			w.bounds[r.Name] = canary.Bounds{Floor: b.Floor, Ceiling: b.Ceiling + r.Stable.Dark}
		}
		moves = append(moves, Move{Release: r, Target: s.to, Bounds: b, Keep: s.keep})
	}
	touched := false
	if s.hand > 0 {
		time.AfterFunc(s.hand, func() {
			w.mu.Lock()
			touched = w.find(s.handOf).Replicas != s.handTo
			w.mu.Unlock()
			if touched {
				w.other(s.handOf, s.handTo)
			}
		})
	}
	results := Run(t.Context(), w, w.now(), moves, o)
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, result := range results {
		before, name := moves[i].Release.Replicas(), result.Release.Name
		now := result.Release.Position()
		if s.keep {
			now = result.Release.LitPosition()
		}
		if result.Outcome == canary.Done && !now.Done(s.to) {
			rt.Errorf("%s is said to be done, and is at %+v", name, now)
		}
		if r := result.Release; result.Outcome == canary.Done && !s.keep && r.Stable.Dark+r.Canary.Dark > 0 {
			rt.Errorf("%s is said to be done, with %d and %d pods dark", name, r.Stable.Dark, r.Canary.Dark)
		}
		if now := result.Release.Replicas(); result.Outcome == canary.Restored && now != before {
			rt.Errorf("%s is said to be put back to %s, and is at %s", name, before, now)
		}
		var conflict *canary.ConflictError
		switch {
		case touched && name == "app0" && result.Outcome == canary.Done && before != result.Set:
			rt.Errorf("%s was scaled by another, and is said to be done", name)
		case result.Outcome == canary.Undone && (!touched || !errors.As(result.Err, &conflict) || conflict.Deployment != s.handOf || result.Release.Replicas() == result.Set):
			rt.Errorf("%s is said to be undone, and is at %+v: %v", name, now, result.Err)
		}
		if healthy && !touched && result.Outcome != canary.Done {
			rt.Errorf("all pods come up, and %s ended as %s: %v", name, result.Outcome, result.Err)
		}
	}
	if s.drainable && s.mayDrain && !touched && len(w.cut) > 0 {
		rt.Errorf("stopped with traffic: %v", w.cut)
	}
}
