package mover

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// What a move drained to make room is back in the Service when the move is put back.
func TestRestoresWhatWasDrained(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 2, 2)
		fails := false
		w.on(func(what string) error {
			dark := slices.ContainsFunc(w.find("auth-v1").pods, func(p *pod) bool { return p.Cheapest })
			if what == "refresh" && dark && !fails {
				fails = true
				return errors.New("the server is gone for a moment")
			}
			return nil
		})
		results, _ := w.run(t.Context(), options(), canary.Split{Canary: 3})
		wantOutcomes(t, results, canary.Restored)
		w.wantSplits(canary.Split{Stable: 2, Canary: 2})
		if r := results[0].Release; r.Stable.Dark > 0 {
			t.Errorf("%d pods are dark", r.Stable.Dark)
		}
		w.wantWrites("drain of auth-v1", "relight of auth-v1")
	})
}

// Pods that a move before has just taken out of the Service are not counted on, though an EndpointSlice still has them.
func TestCountsNotOnWhatLeaves(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable, w.sliceLag = true, 4*time.Second
		w.release("auth", 3, 3)
		ctx, cancel := context.WithCancelCause(t.Context())
		o := options()
		o.Notify = func(e canary.Event) {
			if e.Kind == canary.Drained {
				cancel(ErrInterrupted)
			}
		}
		if r := w.keeps(ctx, t, o); r.Outcome != canary.Interrupted {
			t.Fatalf("ended as %s (%v)", r.Outcome, r.Err)
		}
		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 3})
		wantOutcomes(t, results, canary.Done)
		w.wantUncut()
	})
}

// Where the others stop serving while pods leave, these come back instead of being stopped.
func TestComesBackWhenTheOthersFail(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 3)
		o, moves := options(), w.moves(canary.Split{Canary: 3}, false)
		delete(w.bounds, "auth") // the pods fail by themselves
		once := false
		o.Notify = func(e canary.Event) {
			if e.Kind == canary.Drained && !once {
				once = true
				time.AfterFunc(time.Second, func() { w.change("v2 fails", func() { w.setReady("auth-v2", false) }) })
				time.AfterFunc(time.Minute, func() {
					if r := canary.Discover(w.now(), canary.Options{})[0]; r.Stable.Serving != 3 {
						t.Errorf("v1 serves with %d of 3 while v2 does not", r.Stable.Serving)
					}
					w.change("v2 recovers", func() { w.setReady("auth-v2", true) })
				})
			}
		}
		wantOutcomes(t, Run(t.Context(), w, w.now(), moves, o), canary.Done)
		w.wantSplits(canary.Split{Canary: 3})
		w.wantUncut()
	})
}

func (w *world) setReady(deployment string, ready bool) {
	for _, p := range w.find(deployment).pods {
		p.ready = ready
	}
}

// A pod that somebody has taken out of the Service by hand is kept like the others.
func TestKeepsWhatSomebodyHasDarkened(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		p := w.find("auth-v1").pods[1]
		delete(p.Labels, "serving")
		p.away = true
		if r := w.keeps(t.Context(), t, options()); r.Outcome != canary.Done || r.Release.Replicas() != (canary.Split{Stable: 3, Canary: 3}) {
			t.Errorf("ended as %s (%v) at %s", r.Outcome, r.Err, r.Release.Replicas())
		}
	})
}

// What cannot be put back into the Service is replaced.
func TestCannotRelight(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		w.keeps(t.Context(), t, options())
		w.undrainable["auth-v1"], w.writes = errors.New("admission says no"), nil
		results, told := w.run(t.Context(), rollback(), canary.Split{Stable: 3})
		wantOutcomes(t, results, canary.Done)
		w.wantWrites("auth-v1 3→0", "auth-v1 0→3", "auth-v2 3→0")
		if n := told.count(canary.Relit); n > 0 {
			t.Errorf("told %d times that pods are back", n)
		}
	})
}

// Where that happens again and again, it is not tried for ever.
func TestComesBackNotForEver(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 3)
		o, moves := options(), w.moves(canary.Split{Canary: 3}, false)
		delete(w.bounds, "auth")
		o.Notify = func(e canary.Event) {
			if e.Kind == canary.Drained {
				time.AfterFunc(time.Second, func() { w.change("v2 fails", func() { w.setReady("auth-v2", false) }) })
				time.AfterFunc(10*time.Second, func() { w.change("v2 recovers", func() { w.setReady("auth-v2", true) }) })
			}
		}
		wantOutcomes(t, Run(t.Context(), w, w.now(), moves, o), canary.Restored)
		w.wantSplits(canary.Split{Stable: 3, Canary: 3})
		w.wantUncut()
	})
}

// There is nothing to bake where no pod is left.
func TestBakesNothing(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 0, 1)
		o := options()
		o.Bake = 10 * time.Minute
		began := time.Now()
		if r := w.keeps(t.Context(), t, o); r.Outcome != canary.Done {
			t.Errorf("ended as %s (%v)", r.Outcome, r.Err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %s", took)
		}
	})
}
