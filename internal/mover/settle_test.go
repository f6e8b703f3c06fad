package mover

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// onSettling does something a while after the last release has got to its target.
func onSettling(o *Options, of int, after time.Duration, do func()) *events {
	told, left := &events{}, of
	o.Notify = func(e canary.Event) {
		told.add(e)
		if e.Kind != canary.Settling {
			return
		}
		if left--; left == 0 {
			time.AfterFunc(after, do)
		}
	}
	return told
}

// What somebody else changes while it is watched is undone, and named; the others are done. Nothing is written any more.
func TestUndone(t *testing.T) {
	for _, rollback := range []bool{false, true} {
		in(t, func(t *testing.T, w *world) {
			w.release("auth", 3, 1)
			w.release("chat", 3, 1)
			o, writes := options(), 0
			o.Rollback = rollback
			onSettling(&o, 2, settleTime-controllerLag, func() { writes = len(w.writes); w.other("auth-v1", 5) })
			results := Run(t.Context(), w, w.now(), w.moves(target(rollback), rollback), o)
			wantOutcomes(t, results, canary.Undone, canary.Done)
			wantConflict(t, results[0].Err, "auth-v1")
			if got := results[0]; got.Set != target(rollback) || got.Release.Replicas().Stable != 5 {
				t.Errorf("set to %s, and seen at %s", got.Set, got.Release.Replicas())
			}
			if more := w.writes[writes:]; len(more) > 0 {
				t.Errorf("afterwards it writes %q", more)
			}
		})
	}
}

// It is watched for as long as was asked, from when all are there.
func TestSettles(t *testing.T) {
	for _, watch := range []time.Duration{0, settleTime} {
		in(t, func(t *testing.T, w *world) {
			w.release("auth", 3, 1)
			w.release("chat", 3, 1)
			w.start["chat-v2"] = w.slow(20 * time.Second)
			o := options()
			o.Settle = watch
			var there time.Time
			w.on(func(what string) error {
				if what == "controllers act on chat-v1" {
					there = time.Now()
				}
				return nil
			})
			results, told := w.run(t.Context(), o, canary.Split{Stable: 2, Canary: 2})
			wantOutcomes(t, results, canary.Done, canary.Done)
			if took := time.Since(there); took < watch || took > watch+controllerLag {
				t.Errorf("ended %s after it was there, want %s", took, watch)
			}
			if n := told.count(canary.Settling); (n == 2) != (watch > 0) {
				t.Errorf("told of %d that are watched", n)
			}
		})
	}
}

// Where nothing was scaled there is nothing to watch.
func TestNothingToSettle(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 2, 2)
		began := time.Now()
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Done)
		if took := time.Since(began); took > 0 {
			t.Errorf("took %s", took)
		}
	})
}

// A Deployment that is deleted, or is another one by then, is a conflict too.
func TestDeletedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"deleted": func(w *world) {
			w.deployments = slices.DeleteFunc(w.deployments, func(d *deployment) bool { return d.Name == "auth-v2" })
		},
		"created anew": func(w *world) { w.find("auth-v2").UID = "another" },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, w *world) {
				w.release("auth", 3, 1)
				o := options()
				onSettling(&o, 1, time.Second, func() {
					w.mu.Lock()
					delete(w.bounds, "auth")
					w.mu.Unlock()
					w.change(name, func() { change(w) })
				})
				results := Run(t.Context(), w, w.now(), w.moves(canary.Split{Stable: 2, Canary: 2}, false), o)
				wantOutcomes(t, results, canary.Undone)
				wantConflict(t, results[0].Err, "auth-v2")
			})
		})
	}
}

// A signal while it is watched leaves it done, and ends the watch.
func TestInterruptWhileItSettles(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		o, began := options(), time.Now()
		onSettling(&o, 1, time.Second, func() { began = time.Now(); cancel(ErrInterrupted) })
		results := Run(ctx, w, w.now(), w.moves(canary.Split{Stable: 2, Canary: 2}, false), o)
		if r := results[0]; r.Outcome != canary.Done || !errors.Is(r.Err, ErrInterrupted) || time.Since(began) > 0 {
			t.Errorf("ended as %s (%v) after %s", r.Outcome, r.Err, time.Since(began))
		}
	})
}

// Whose lock is taken over meanwhile has lost that release to the other; the rest is done.
func TestLockLostWhileItSettles(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		o := options()
		onSettling(&o, 2, time.Second, func() { cancel(&canary.LockedError{Release: "auth", Holder: "joe", Lost: true}) })
		results := Run(ctx, w, w.now(), w.moves(canary.Split{Stable: 2, Canary: 2}, false), o)
		wantOutcomes(t, results, canary.Held, canary.Done)
	})
}

// A bake begins only when nobody has changed it.
func TestUndoneBeforeTheBake(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		o := options()
		o.Bake = time.Hour
		told := onSettling(&o, 1, time.Second, func() { w.other("auth-v2", 1) })
		moves := w.moves(canary.Split{Canary: 3}, false)
		moves[0].Keep = true
		w.bounds = map[string]canary.Bounds{}
		results := Run(t.Context(), w, w.now(), moves, o)
		wantOutcomes(t, results, canary.Undone)
		if told.count(canary.Baking) > 0 {
			t.Error("it bakes all the same")
		}
	})
}
