package mover

import (
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
	rollback           bool
}

type drawnSide struct {
	ready   []bool // of the pods that are there
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
	for range rapid.IntRange(1, 3).Draw(t, "releases") {
		var sides [2]drawnSide
		for i := range sides {
			sides[i] = drawnSide{
				ready:   pods.Draw(t, "pods"),
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
	for i, sides := range s.sides {
		name := fmt.Sprint("app", i)
		w.release(name, len(sides[0].ready), len(sides[1].ready))
		for n, version := range []string{"-v1", "-v2"} {
			d := w.find(name + version)
			for k, p := range d.pods {
				p.ready = sides[n].ready[k]
				healthy = healthy && p.ready
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
// what the mover says of the end is so. Where all pods come up it gets there.
func TestAnyMove(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		synctest.Test(t, func(t *testing.T) { checkMove(t, rt, s) })
	})
}

func checkMove(t *testing.T, rt check, s scenario) {
	w, healthy := s.world(rt)
	o := options()
	o.Timeout, o.Rollback = time.Minute, s.rollback
	var moves []Move
	for _, r := range canary.Discover(w.now(), canary.Options{}) {
		b := canary.NewBounds(r.Position(), r.Pods(), s.to, s.surge, s.unavailable)
		if _, err := canary.NewPlan(r.Position(), s.to, b); err != nil {
			continue // refused before it begins
		}
		w.bounds[r.Name] = b
		moves = append(moves, Move{Release: r, Target: s.to, Bounds: b})
	}
	for i, result := range Run(t.Context(), w, w.now(), moves, o) {
		before, name := moves[i].Release.Replicas(), result.Release.Name
		if p := result.Release.Position(); result.Outcome == canary.Done && !p.Done(s.to) {
			rt.Errorf("%s is said to be done, and is at %+v", name, p)
		}
		if now := result.Release.Replicas(); result.Outcome == canary.Restored && now != before {
			rt.Errorf("%s is said to be put back to %s, and is at %s", name, before, now)
		}
		if healthy && result.Outcome != canary.Done {
			rt.Errorf("all pods come up, and %s ended as %s: %v", name, result.Outcome, result.Err)
		}
	}
}
