package mover

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

var errFault = errors.New("the API server is away")

// start is the namespace that the faults and interrupts of this file and the next meet: one release goes up, in several
// rounds.
func start(w *world) {
	w.release("auth", 4, 0)
	w.release("chat", 4, 1)
}

var goal = canary.Split{Stable: 1, Canary: 3}

// calls counts the calls that the mover makes where nothing goes wrong.
func calls(t *testing.T, rollback bool) int {
	var made atomic.Int32
	in(t, func(t *testing.T, w *world) {
		start(w)
		w.on(func(what string) error {
			if isCall(what) {
				made.Add(1)
			}
			return nil
		})
		o := options()
		o.Rollback = rollback
		results, _ := w.run(t.Context(), o, target(rollback))
		wantOutcomes(t, results, canary.Done, canary.Done)
	})
	n := int(made.Load())
	if n < 7 {
		t.Fatalf("the mover makes only %d calls: is this still the move to test with?", n)
	}
	return n
}

func target(rollback bool) canary.Split {
	if rollback {
		return canary.Split{Stable: 4}
	}
	return goal
}

func isCall(what string) bool { return what == "observe" || what == "refresh" || what == "scale" }

// failing fails the nth call, and with more than one the calls after it.
func failing(nth, more int) func(string) error {
	var made atomic.Int32
	return func(what string) error {
		if !isCall(what) {
			return nil
		}
		if n := int(made.Add(1)) - 1; n >= nth && n < nth+more {
			return errFault
		}
		return nil
	}
}

// Whatever call fails, once or from then on: the bounds hold (the world sees to that), the outcome tells where each release is,
// and the same move again comes to its end.
func TestFaultAtEveryCall(t *testing.T) {
	for _, rollback := range []bool{false, true} {
		for i := range calls(t, rollback) {
			for _, more := range []int{1, 1000} {
				t.Run(fmt.Sprintf("rollback %t, call %d, %d", rollback, i, more), func(t *testing.T) {
					in(t, func(t *testing.T, w *world) {
						start(w)
						before := w.splits()
						w.on(failing(i, more))
						o := options()
						o.Rollback = rollback
						results, _ := w.run(t.Context(), o, target(rollback))
						checkFailed(t, w, before, results, rollback)
						w.on(quietly)
						results, _ = w.run(t.Context(), o, target(rollback))
						wantOutcomes(t, results, canary.Done, canary.Done)
						w.wantSplits(target(rollback), target(rollback))
					})
				})
			}
		}
	}
}

func checkFailed(t *testing.T, w *world, before []canary.Split, results []Result, rollback bool) {
	t.Helper()
	now := w.splits()
	failed := false
	for i, r := range results {
		failed = failed || r.Err != nil
		switch {
		case r.Err == nil && now[i] != target(rollback), r.Err != nil && !errors.Is(r.Err, errFault):
			t.Errorf("%s is at %s, and ended with %v", r.Release.Name, now[i], r.Err)
		case r.Outcome == canary.Restored && (now[i] != before[i] || rollback):
			t.Errorf("%s is said to be put back to %s, and is at %s", r.Release.Name, before[i], now[i])
		case r.Err != nil && r.Outcome != canary.Restored && r.Outcome != canary.Held:
			t.Errorf("%s ended as %s", r.Release.Name, r.Outcome)
		}
	}
	if !failed {
		t.Error("no release tells of the fault")
	}
}

// A write that took effect although it failed, and could not be settled: the mover does not know, and does no harm.
func TestAnswerLostForGood(t *testing.T) {
	for nth := range 4 {
		in(t, func(t *testing.T, w *world) {
			start(w)
			var n atomic.Int32
			w.lost = func(string) error {
				if int(n.Add(1)) == nth+1 {
					return errFault
				}
				return nil
			}
			results, _ := w.run(t.Context(), options(), goal)
			for _, r := range results {
				if !errors.Is(r.Err, errFault) {
					t.Errorf("write %d: %s ended with %v", nth, r.Release.Name, r.Err)
				}
			}
			w.lost = quietly
			results, _ = w.run(t.Context(), options(), goal)
			wantOutcomes(t, results, canary.Done, canary.Done)
		})
	}
}

// At whatever step the signal comes, a call or a change of the cluster: no write begins after it, and the same move again comes
// to its end.
func TestInterruptAtEveryStep(t *testing.T) {
	for _, rollback := range []bool{false, true} {
		interrupted := true
		for i := 0; interrupted; i++ {
			t.Run(fmt.Sprintf("rollback %t, step %d", rollback, i), func(t *testing.T) {
				in(t, func(t *testing.T, w *world) { interrupted = interruptAt(t, w, i, rollback) })
			})
		}
	}
}

// interruptAt reports false where the move has fewer steps.
func interruptAt(t *testing.T, w *world, step int, rollback bool) bool {
	start(w)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	again := false // what has asked for this before may call it later, in the run that is not interrupted
	w.on(func(string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if step--; step < 0 && !again {
			cancel(ErrInterrupted)
			w.stopped = true
		}
		return nil
	})
	o := options()
	o.Rollback = rollback
	results, told := w.run(ctx, o, target(rollback))
	interrupted := ctx.Err() != nil
	for _, r := range results {
		// While it is only watched at its target it is done.
		if r.Err != nil && (!errors.Is(r.Err, ErrInterrupted) || r.Outcome != canary.Interrupted && r.Outcome != canary.Done) {
			t.Errorf("%s ended as %s: %v", r.Release.Name, r.Outcome, r.Err)
		}
		if r.Outcome == canary.Done && !r.Release.Position().Done(target(rollback)) {
			t.Errorf("%s is said to be done, and is at %+v", r.Release.Name, r.Release.Position())
		}
	}
	if told.count(canary.Restoring) > 0 {
		t.Error("put back after a signal")
	}
	w.on(quietly)
	w.change("time goes by", func() { w.stopped, again = false, true })
	results, _ = w.run(t.Context(), o, target(rollback))
	wantOutcomes(t, results, canary.Done, canary.Done)
	return interrupted
}
