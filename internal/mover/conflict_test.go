package mover

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// at does something right before the nth step of a kind.
func (w *world) at(kind string, nth int32, do func()) {
	var seen atomic.Int32
	w.on(func(what string) error {
		if what == kind && seen.Add(1) == nth {
			do()
		}
		return nil
	})
}

func wantConflict(t *testing.T, err error, deployment string) {
	t.Helper()
	var conflict *canary.ConflictError
	if !errors.As(err, &conflict) || conflict.Deployment != deployment {
		t.Errorf("ended with %v, want a conflict over %s", err, deployment)
	}
}

// Another writer between the plan and the first write: nothing of theirs is overwritten, and the others are put back.
func TestConflictAtTheRaise(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		w.at("scale", 1, func() { w.other("auth-v2", 5) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantConflict(t, results[0].Err, "auth-v2")
		w.wantSplits(canary.Split{Stable: 3, Canary: 5}, canary.Split{Stable: 3, Canary: 1})
		if results[1].Outcome != canary.Restored {
			t.Errorf("chat ended as %s", results[1].Outcome)
		}
	})
}

// Another writer during the wait: whichever side they have changed stays as they want it, the other is put back.
func TestConflictDuringTheWait(t *testing.T) {
	for _, c := range []struct {
		deployment string
		to         int
		want       canary.Split
	}{
		{"auth-v2", 0, canary.Split{Stable: 3, Canary: 0}},
		{"auth-v1", 6, canary.Split{Stable: 6, Canary: 1}},
	} {
		in(t, func(t *testing.T, w *world) {
			w.release("auth", 3, 1)
			time.AfterFunc(startTime/2, func() { w.other(c.deployment, c.to) })
			results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
			wantConflict(t, results[0].Err, c.deployment)
			w.wantSplits(c.want)
		})
	}
}

// Where somebody else has taken stable's pods away, the canary's new ones are all that is left: they stay, and there is
// nothing to wait for.
func TestConflictThatTookCapacity(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.at("refresh", 1, func() { w.other("auth-v1", 1) })
		began := time.Now()
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantConflict(t, results[0].Err, "auth-v1")
		w.wantSplits(canary.Split{Stable: 1, Canary: 2})
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

// A lower rests on a fresh read: what was changed since the wait ended is seen before the write.
func TestConflictBeforeTheLower(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.at("refresh", 1, func() { w.other("auth-v2", 1) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantConflict(t, results[0].Err, "auth-v2")
		w.wantWrites("auth-v2 1→2")
	})
}

// A precondition guards one Deployment, not the pair: where the other side has shrunk while a side was lowered, the
// lower is undone, of every release that it happened to.
func TestLowerIsUndone(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		w.release("users", 3, 1)
		w.at("refresh", 2, func() {
			w.other("auth-v2", 0)
			w.other("users-v2", 1)
		})
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		w.wantSplits(canary.Split{Stable: 3, Canary: 0}, canary.Split{Stable: 2, Canary: 2}, canary.Split{Stable: 3, Canary: 1})
		wantConflict(t, results[0].Err, "auth-v2")
		wantConflict(t, results[2].Err, "users-v2")
		for i, r := range results {
			if r.Outcome != canary.Held {
				t.Errorf("release %d ended as %s, and stable was lowered already", i, r.Outcome)
			}
		}
	})
}

// The same while the pods that were lowered leave: an apply that reads one Deployment before the lower, and writes the other
// after it, would leave too few of both.
func TestLowerIsUndoneWhileItLeaves(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.at("controllers act on auth-v1", 1, func() { w.other("auth-v2", 1) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantConflict(t, results[0].Err, "auth-v2")
		w.wantSplits(canary.Split{Stable: 3, Canary: 1})
	})
}

// Whose lock is gone undoes nothing: whoever has it now has changed the other side.
func TestNothingIsUndoneWithoutTheLock(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.at("refresh", 2, func() { w.other("auth-v2", 0) })
		moves := w.moves(canary.Split{Stable: 2, Canary: 2}, false)
		moves[0].Lock = &lock{left: 1}
		wantOutcomes(t, Run(t.Context(), w, w.now(), moves, options()), canary.Held)
		w.wantWrites("auth-v2 1→2", "auth-v1 3→2")
	})
}

// A Deployment that was deleted and created again is another one, though it has as many replicas.
func TestReplacedDeployment(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.at("refresh", 1, func() { w.find("auth-v1").UID = "another" })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantConflict(t, results[0].Err, "auth-v1")
		for _, write := range w.writes {
			if strings.HasPrefix(write, "auth-v1") {
				t.Errorf("the new one was written to: %s", write)
			}
		}
	})
}

// A conflict over the very first lower has lowered nothing: all are put back.
func TestConflictAtTheFirstLower(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.at("scale", 2, func() { w.other("auth-v1", 5) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantConflict(t, results[0].Err, "auth-v1")
		w.wantSplits(canary.Split{Stable: 5, Canary: 1})
	})
}

// A release may go away under way, with its Service say. What serves there is unknown then, so it stays as it is; the
// others are put back.
func TestReleaseIsGone(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		time.AfterFunc(startTime/2, func() { w.change("a Service is deleted", func() { w.services = w.services[:1] }) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		if results[0].Outcome != canary.Restored || results[1].Outcome != canary.Held {
			t.Errorf("ended as %s and %s", results[0].Outcome, results[1].Outcome)
		}
		if err := results[1].Err; err == nil || !strings.Contains(err.Error(), "chat") {
			t.Errorf("chat ended with %v", err)
		}
		w.wantSplits(canary.Split{Stable: 3, Canary: 1})
	})
}

// Two operators without locks who put back each their own: neither undoes what takes nobody below the floor, nor gives up because
// the other is at it too.
func TestTwoWhoPutBack(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 2, 2)
		time.AfterFunc(startTime/2, func() { w.other("auth-v2", 3) })
		seen := 0
		w.on(func(what string) error {
			if what == "scale" {
				seen++
			}
			if what == "scale" && seen == 2 { // ours, back from 3
				w.other("auth-v2", 2)
			}
			return nil
		})
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 3, Canary: 1})
		wantConflict(t, results[0].Err, "auth-v2")
		w.wantSplits(canary.Split{Stable: 2, Canary: 2})
		w.wantWrites("auth-v1 2→3", "auth-v1 3→2")
	})
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 2, 2)
		time.AfterFunc(startTime/2, func() { w.other("auth-v2", 3) })
		w.at("refresh", 2, func() { w.other("auth-v2", 2) }) // before ours goes back
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 3, Canary: 1})
		wantConflict(t, results[0].Err, "auth-v2")
		w.wantSplits(canary.Split{Stable: 2, Canary: 2})
		w.wantWrites("auth-v1 2→3", "auth-v1 3→2")
	})
}
