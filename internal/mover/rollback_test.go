package mover

import (
	"errors"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// spoil makes every pod of a Deployment unready, as a bad configuration would.
func (w *world) spoil(name string) {
	for _, p := range w.find(name).pods {
		p.ready = false
		crashing(&p.Pod)
	}
}

// A rollback takes a sick canary's pods first where they are in the way, and does not wait for it.
func TestRollbackOfASickCanary(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 1, 3)
		w.spoil("auth-v2")
		began := time.Now()
		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 3})
		wantOutcomes(t, results, canary.Done)
		w.wantSplits(canary.Split{Stable: 3})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// Where stable does not come up, as much of the canary goes as the floor allows, and no more.
func TestRollbackOntoASickStable(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 2, 2)
		w.start["auth-v1"] = notReady
		w.find("auth-v2").pods[0].ready = false
		results, told := w.run(t.Context(), rollback(), canary.Split{Stable: 4})
		wantOutcomes(t, results, canary.Held)
		// 3 served, so 3 must serve: the two of stable that do, and one of the canary.
		w.wantSplits(canary.Split{Stable: 4, Canary: 1})
		if e := stuck(t, results[0]); e.Version != "v1" || !errors.Is(e, ErrDeadline) {
			t.Errorf("%+v", e)
		}
		if told.count(canary.Restoring) > 0 {
			t.Error("a rollback is put back")
		}
	})
}

// Each release goes by itself.
func TestRollbackHasNoBarrier(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 2, 2)
		w.release("chat", 2, 2)
		w.release("users", 2, 2)
		w.start["chat-v1"] = crashing
		var done time.Duration
		began := time.Now()
		w.on(func(what string) error {
			if what == "users-v2 is scaled to 0" {
				done = time.Since(began)
			}
			return nil
		})
		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 4})
		wantOutcomes(t, results, canary.Done, canary.Held, canary.Done)
		w.wantSplits(canary.Split{Stable: 4}, canary.Split{Stable: 4, Canary: 2}, canary.Split{Stable: 4})
		if done == 0 || done > 5*time.Second {
			t.Errorf("users rolled back after %s", done)
		}
		if e := stuck(t, results[1]); !e.Definite {
			t.Errorf("%+v", e)
		}
	})
}

// A roll-out that is stuck keeps a pod too many for ever: neither side is waited for on that account.
func TestRollbackWhileTheCanaryRollsOut(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 1, 3)
		d := w.find("auth-v2")
		d.Deployment.Pods, d.Deployment.UpdatedPods = 4, 1 // three old ones that serve, a new one that does not
		w.newPod(d)
		began := time.Now()
		moves := w.moves(canary.Split{Stable: 3}, true)
		w.bounds["auth"] = canary.Bounds{Floor: moves[0].Bounds.Floor, Ceiling: moves[0].Bounds.Ceiling + 1} // the roll-out's own
		results := Run(t.Context(), w, w.now(), moves, rollback())
		wantOutcomes(t, results, canary.Done)
		w.wantSplits(canary.Split{Stable: 3})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// Somebody else's scale ends a rollback like any other move: what they want is not known.
func TestRollbackInConflict(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 2, 2)
		w.at("refresh", 1, func() { w.other("auth-v2", 1) }) // stable serves by then: the floor would let all of the canary go
		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 4})
		wantOutcomes(t, results, canary.Held)
		w.wantSplits(canary.Split{Stable: 4, Canary: 1})
		if conflict := new(canary.ConflictError); !errors.As(results[0].Err, &conflict) || conflict.Deployment != "auth-v2" {
			t.Errorf("auth: %v", results[0].Err)
		}
	})
}

// With Independent each release goes by itself too, and what fails is put back alone.
func TestIndependent(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		w.start["chat-v2"] = crashing
		o := options()
		o.Independent = true
		results, told := w.run(t.Context(), o, canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Done, canary.Restored)
		w.wantSplits(canary.Split{Stable: 2, Canary: 2}, canary.Split{Stable: 3, Canary: 1})
		if told.count(canary.Settling) != 1 {
			t.Errorf("%d are watched at the end", told.count(canary.Settling))
		}
	})
}
