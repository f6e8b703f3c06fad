package mover

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// What leaves is drained before it is stopped, by as many as are lowered.
func TestDrains(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to canary.Split
		rollback bool
		writes   []string
	}{
		{
			name: "up", from: canary.Split{Stable: 3, Canary: 1}, to: canary.Split{Stable: 2, Canary: 2},
			writes: []string{"auth-v2 1→2", "drain of auth-v1", "auth-v1 3→2"},
		},
		{
			name: "promote", from: canary.Split{Stable: 1, Canary: 2}, to: canary.Split{Canary: 3},
			writes: []string{"auth-v2 2→3", "drain of auth-v1", "auth-v1 1→0"},
		},
		{
			name: "back", from: canary.Split{Stable: 1, Canary: 3}, to: canary.Split{Stable: 3}, rollback: true,
			writes: []string{"auth-v1 1→3", "drain of auth-v2", "drain of auth-v2", "drain of auth-v2", "auth-v2 3→0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T, w *world) {
				w.drainable, w.sliceLag = true, 2*time.Second
				w.release("auth", c.from.Stable, c.from.Canary)
				o := options()
				o.Rollback = c.rollback
				results, told := w.run(t.Context(), o, c.to)
				wantOutcomes(t, results, canary.Done)
				w.wantSplits(c.to)
				w.wantWrites(c.writes...)
				w.wantUncut()
				if n := told.count(canary.Drained); n != 1 {
					t.Errorf("told %d times of a drain", n)
				}
			})
		})
	}
}

func (w *world) wantUncut() {
	w.t.Helper()
	if len(w.cut) > 0 {
		w.t.Errorf("stopped with traffic: %v", w.cut)
	}
}

// Pods that are not ready go first anyway: nothing is drained for them.
func TestDrainsNoMoreThanGoes(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 3)
		w.find("auth-v2").pods[1].ready = false
		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 3, Canary: 1})
		wantOutcomes(t, results, canary.Done)
		w.wantWrites("drain of auth-v2", "auth-v2 3→1")
	})
}

// Where pods may not be patched, or the server refuses it, they go without.
func TestCannotDrain(t *testing.T) {
	to := canary.Split{Stable: 2, Canary: 2}
	for name, set := range map[string]func(*world, *Options){
		"not allowed": func(_ *world, o *Options) { o.MayDrain = false },
		"refused":     func(w *world, _ *Options) { w.undrainable["auth-v1"] = errors.New("admission says no") },
		"rolling out": func(w *world, _ *Options) { w.find("auth-v1").Pods = 1 },
		"no label":    func(w *world, _ *Options) { delete(w.services[0].Selector, "serving") },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, w *world) {
				w.drainable = true
				w.release("auth", 3, 1)
				o := options()
				set(w, &o)
				results, told := w.run(t.Context(), o, to)
				wantOutcomes(t, results, canary.Done)
				w.wantWrites("auth-v2 1→2", "auth-v1 3→2")
				if n := told.count(canary.Undrained); (n == 1) != (name == "refused") {
					t.Errorf("told %d times that a pod could not be drained", n)
				}
				if n := told.count(canary.Drained); n > 0 {
					t.Errorf("told %d times of a drain", n)
				}
			})
		})
	}
}

// At once, all of the canary's pods leave but for the one without which nothing would serve.
func TestNow(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 0, 3)
		w.start["auth-v1"] = w.slow(30 * time.Second)
		o := rollback()
		o.Now, o.Still = true, 0
		r := canary.Discover(w.now(), canary.Options{})[0]
		to := canary.Split{Stable: 3}
		all := canary.Percent(100)
		b := r.Bounds(canary.Ask{MoveSurge: &all, Now: true}, canary.Target{Split: to, Baseline: 3})
		w.bounds["auth"] = b
		var left atomic.Bool
		time.AfterFunc(time.Second, func() {
			left.Store(canary.Discover(w.now(), canary.Options{})[0].Canary.Serving == 1)
		})
		wantOutcomes(t, Run(t.Context(), w, w.now(), []Move{{Release: r, Target: to, Bounds: b}}, o), canary.Done)
		if !left.Load() {
			t.Error("after a second not all of the canary but one has left")
		}
		w.wantWrites("auth-v1 0→3", "drain of auth-v2", "drain of auth-v2", "auth-v2 3→1", "drain of auth-v2", "auth-v2 1→0")
		w.wantUncut()
	})
}

// Whatever comes after a move that was cut off when its pods were drained puts them right.
func TestAfterACutOffDrain(t *testing.T) {
	for _, next := range []canary.Split{{Canary: 3}, {Stable: 2, Canary: 2}, {Stable: 3}} {
		in(t, func(t *testing.T, w *world) {
			w.drainable = true
			w.release("auth", 3, 1)
			ctx, cancel := context.WithCancelCause(t.Context())
			o := options()
			moves := w.moves(canary.Split{Canary: 3}, false)
			o.Notify = func(e canary.Event) {
				if e.Kind == canary.Drained {
					cancel(ErrInterrupted)
				}
			}
			if r := Run(ctx, w, w.now(), moves, o)[0]; r.Outcome != canary.Interrupted {
				t.Fatalf("ended as %s (%v)", r.Outcome, r.Err)
			}
			time.Sleep(time.Second)
			if r := canary.Discover(w.now(), canary.Options{})[0]; r.Stable.Dark != 1 {
				t.Fatalf("%d pods are dark", r.Stable.Dark)
			}
			o = options()
			o.Rollback = next.Canary == 0
			results, _ := w.run(t.Context(), o, next)
			wantOutcomes(t, results, canary.Done)
			w.wantSplits(next)
			if r := results[0].Release; r.Stable.Dark+r.Canary.Dark > 0 {
				t.Errorf("%d and %d pods are still dark", r.Stable.Dark, r.Canary.Dark)
			}
			w.wantUncut()
		})
	}
}

// What more may go by the time that pods are drained has its own turn.
func TestDrainsWhatRecoversLater(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 4, 2)
		sick := w.find("auth-v1").pods[0]
		sick.ready = false
		time.AfterFunc(2*time.Second, func() { w.change("a pod recovers", func() { sick.ready = true }) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 1, Canary: 2})
		wantOutcomes(t, results, canary.Done)
		w.wantWrites("drain of auth-v1", "drain of auth-v1", "auth-v1 4→2", "drain of auth-v1", "auth-v1 2→1")
		w.wantUncut()
	})
}

// Pods that are counted, and cannot be seen, are lowered without a drain.
func TestDrainsNothingUnseen(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 2)
		for _, p := range w.find("auth-v2").pods {
			p.Owned = false
		}
		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 3})
		wantOutcomes(t, results, canary.Done)
		w.wantWrites("auth-v2 2→0")
	})
}

// Somebody else who scales while pods are drained is noticed before the lower.
func TestConflictWhileDraining(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		o, moves := options(), w.moves(canary.Split{Stable: 2, Canary: 2}, false)
		o.Notify = func(e canary.Event) {
			if e.Kind == canary.Drained {
				time.AfterFunc(time.Second, func() { w.other("auth-v2", 1) })
			}
		}
		var conflict *canary.ConflictError
		if r := Run(t.Context(), w, w.now(), moves, o)[0]; !errors.As(r.Err, &conflict) {
			t.Errorf("ended as %s (%v)", r.Outcome, r.Err)
		}
		if slices.Contains(w.writes, "auth-v1 3→2") {
			t.Errorf("lowered all the same: %q", w.writes)
		}
	})
}
