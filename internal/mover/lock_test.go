package mover

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// lock is one that its release loses at the nth check.
type lock struct {
	left  int
	notes []bool
	taken bool // when it next notes something
}

func (l *lock) Bake(_ context.Context, baking bool) error {
	l.notes = append(l.notes, baking)
	if l.taken {
		return &canary.LockedError{Release: "auth", Holder: "joe", Lost: true}
	}
	return nil
}

func (l *lock) Check(context.Context) error {
	if l.left--; l.left < 0 {
		return &canary.LockedError{Release: "auth", Holder: "joe", Lost: true}
	}
	return nil
}

// Whose lock was taken over writes nothing more: whoever has it now is at work.
func TestLockLostBeforeTheLower(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		moves := w.moves(canary.Split{Stable: 2, Canary: 2}, false)
		moves[0].Lock, moves[1].Lock = &lock{}, &lock{left: 9}
		o, told := options(), &events{}
		o.Notify = told.add
		results := Run(t.Context(), w, w.now(), moves, o)
		wantOutcomes(t, results, canary.Held, canary.Held)
		if told.count(canary.Restoring) > 0 {
			t.Error("says that it puts back what is another's by now")
		}
		if e := new(canary.LockedError); !errors.As(results[0].Err, &e) || e.Holder != "joe" {
			t.Errorf("ended with %v", results[0].Err)
		}
		w.wantSplits(canary.Split{Stable: 3, Canary: 2}, canary.Split{Stable: 3, Canary: 2})
	})
}

// Who renews the lock cancels the move when it is lost: that ends the wait at once, and nothing is put back.
func TestLockLostDuringTheWait(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(startTime/2, func() { cancel(&canary.LockedError{Release: "auth", Holder: "joe", Lost: true}) })
		results, _ := w.run(ctx, options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Held)
		if e := new(canary.LockedError); !errors.As(results[0].Err, &e) {
			t.Errorf("ended with %v", results[0].Err)
		}
		w.wantWrites("auth-v2 1→2")
	})
}

// A later round does not raise by a lock that was taken over since the last lower, and a restore puts nothing back.
func TestLockLostBetweenWrites(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 10, 0)
		moves := w.moves(canary.Split{Canary: 10}, false)
		moves[0].Lock = &lock{left: 1}
		results := Run(t.Context(), w, w.now(), moves, options())
		wantOutcomes(t, results, canary.Held)
		w.wantWrites("auth-v2 0→3", "auth-v1 10→7")
	})
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.start["auth-v2"] = crashing
		moves := w.moves(canary.Split{Stable: 2, Canary: 2}, false)
		moves[0].Lock = &lock{}
		results := Run(t.Context(), w, w.now(), moves, options())
		wantOutcomes(t, results, canary.Held)
		w.wantWrites("auth-v2 1→2")
	})
}

// What made room is not given back by a lock that was taken over since.
func TestLockLostBeforeTheRestore(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		moves := w.moves(canary.Split{Stable: 2, Canary: 2}, false)
		moves[0].Lock, moves[0].Bounds = &lock{left: 1}, canary.Bounds{Floor: 3, Ceiling: 4} // max-unavailable 1, max-surge 0
		w.bounds["auth"] = moves[0].Bounds
		scales := 0
		w.on(func(what string) error {
			if what == "scale" {
				if scales++; scales == 2 {
					return errFault
				}
			}
			return nil
		})
		results := Run(t.Context(), w, w.now(), moves, options())
		wantOutcomes(t, results, canary.Held)
		w.wantWrites("auth-v1 3→2")
	})
}
