package mover

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// stuck returns the reason for which a release did not come up.
func stuck(t *testing.T, r Result) *StuckError {
	t.Helper()
	var e *StuckError
	if !errors.As(r.Err, &e) {
		t.Fatalf("ended for another reason: %v", r.Err)
	}
	return e
}

// One that cannot come up keeps all where they were.
func TestRestore(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		for _, name := range []string{"auth", "chat", "friends", "users"} {
			w.release(name, 3, 1)
		}
		w.start["chat-v2"] = notReady
		began := time.Now()
		results, told := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Restored, canary.Restored, canary.Restored, canary.Restored)
		w.wantSplits(slices.Repeat([]canary.Split{{Stable: 3, Canary: 1}}, 4)...)
		for i, r := range results {
			if e := stuck(t, r); e.Release != "chat" || e.Version != "v2" || e.Serving != 1 || e.Replicas != 2 || e.Definite || !errors.Is(e, ErrDeadline) {
				t.Errorf("release %d: %+v", i, e)
			}
		}
		if took := time.Since(began); took < 5*time.Minute || took > 5*time.Minute+5*time.Second {
			t.Errorf("took %s, and the deadline is 5m", took)
		}
		if n := told.count(canary.Restoring); n != 4 {
			t.Errorf("%d releases say that they are put back", n)
		}
		if slices.ContainsFunc(w.writes, func(s string) bool { return strings.Contains(s, "-v1") }) {
			t.Errorf("stable was touched: %q", w.writes)
		}
	})
}

func TestHold(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		w.start["chat-v2"] = notReady
		o := options()
		o.Restore = false
		results, _ := w.run(t.Context(), o, canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Held, canary.Held)
		w.wantSplits(canary.Split{Stable: 3, Canary: 2}, canary.Split{Stable: 3, Canary: 2})
	})
}

// There is no way back once something was lowered: it stops where it is.
func TestFailureAfterTheFirstLower(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 4, 0)
		w.start["auth-v2"] = func(p *canary.Pod) {
			if len(w.find("auth-v2").pods) > 1 {
				return
			}
			time.AfterFunc(startTime, func() { w.change("the first is ready", func() { w.find("auth-v2").pods[0].ready = true }) })
		}
		results, told := w.run(t.Context(), options(), canary.Split{Canary: 4})
		wantOutcomes(t, results, canary.Held)
		w.wantWrites("auth-v2 0→1", "auth-v1 4→3", "auth-v2 1→2")
		if told.count(canary.Restoring) > 0 {
			t.Error("told that it is put back")
		}
		if e := stuck(t, results[0]); e.Serving != 1 || e.Replicas != 2 {
			t.Errorf("%+v", e)
		}
	})
}

// What had to make room is given back too.
func TestRestoreOfWhatMadeRoom(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 4, 0)
		w.start["auth-v2"] = notReady
		moves := w.moves(canary.Split{Canary: 4}, false)
		moves[0].Bounds = canary.Bounds{Floor: 3, Ceiling: 4} // max-unavailable 1, max-surge 0
		w.bounds["auth"] = moves[0].Bounds
		results := Run(t.Context(), w, w.now(), moves, options())
		wantOutcomes(t, results, canary.Restored)
		w.wantWrites("auth-v1 4→3", "auth-v2 0→1", "auth-v2 1→0", "auth-v1 3→4")
	})
}

// What is definite need not be waited for; everything else may yet come up.
func TestDefiniteCauses(t *testing.T) {
	for _, c := range []struct {
		name     string
		start    func(*canary.Pod)
		definite bool
		code     string
	}{
		{"crash loop", crashing, true, canary.CodeCrashLoop},
		{"first crash", func(p *canary.Pod) { crashing(p); p.Containers[0].Restarts = 1 }, false, canary.CodeCrashLoop},
		{"no such image", waitingFor("ImagePullBackOff"), false, "ImagePullBackOff"},
		{"a name that is none", waitingFor("InvalidImageName"), true, "InvalidImageName"},
		{"unschedulable", unschedulable, false, canary.CodeUnschedulable},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T, w *world) {
				w.release("auth", 3, 1)
				w.start["auth-v2"] = c.start
				began := time.Now()
				results, told := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
				wantOutcomes(t, results, canary.Restored)
				e := stuck(t, results[0])
				if e.Definite != c.definite || errors.Is(e, ErrDeadline) == c.definite || e.Problem == nil || e.Problem.Code != c.code {
					t.Errorf("%+v", e)
				}
				if took := time.Since(began); took < 5*time.Second != c.definite {
					t.Errorf("took %s", took)
				}
				if n := told.count(canary.Trouble); !c.definite && n != 1 {
					t.Errorf("the trouble is told %d times", n)
				}
			})
		})
	}
}

// Each trouble is told once, however often the namespace changes while it lasts.
func TestTroubleIsToldOnce(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 8, 0)
		w.start["auth-v2"] = unschedulable
		for i := range 20 {
			time.AfterFunc(time.Duration(i)*10*time.Second, func() { w.change("something", func() {}) })
		}
		_, told := w.run(t.Context(), options(), canary.Split{Canary: 8})
		if n := told.count(canary.Trouble); n != 2 {
			t.Errorf("told %d times of two pods", n)
		}
	})
}

func waitingFor(reason string) func(*canary.Pod) {
	return func(p *canary.Pod) {
		p.Containers = []canary.Container{{Name: "app", Waiting: &canary.Waiting{Reason: reason}}}
	}
}

// Pods that crashed before the raise are the reason for many a move: they do not end it.
func TestWhatWasThereBeforeIsNoDefiniteCause(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		sick := w.find("auth-v2").pods[0]
		sick.ready = false
		crashing(&sick.Pod)
		w.find("auth-v2").Failure = &canary.Failure{Reason: canary.CodeFailedCreate, Message: "quota", Since: time.Now()}
		time.AfterFunc(time.Minute, func() { w.change("it has recovered", func() { sick.ready = true }) })
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Done)
	})
}

func TestQuota(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.full["auth-v2"] = true
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Restored)
		if e := stuck(t, results[0]); !e.Definite || e.Problem.Code != canary.CodeFailedCreate {
			t.Errorf("%+v", e)
		}
	})
}

// What a quota refuses while pods are stopping may have room when they are gone.
func TestQuotaOfStoppingPods(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.full["auth-v2"] = true
		w.stopping = []canary.Pod{{Name: "other", UID: "other", Terminating: true}}
		time.AfterFunc(30*time.Second, func() {
			w.change("the other is gone", func() {
				w.stopping, w.full, w.find("auth-v2").Failure = nil, nil, nil
				w.reconcile(w.find("auth-v2"))
			})
		})
		results, told := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Done)
		if n := told.count(canary.Trouble); n != 1 {
			t.Errorf("told %d times of the quota", n)
		}
	})
}

// The timeout is of each wait: a move of many rounds may take longer.
func TestTimeoutIsOfEachWait(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 4, 0)
		o := options()
		o.Timeout = controllerLag + startTime + 10*time.Millisecond
		results, _ := w.run(t.Context(), o, canary.Split{Canary: 4})
		wantOutcomes(t, results, canary.Done)
	})
}

// 0 waits for ever.
func TestNoTimeout(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.start["auth-v2"] = w.slow(24 * time.Hour)
		o := options()
		o.Timeout = 0
		results, _ := w.run(t.Context(), o, canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Done)
	})
}

// The message says which side of which release, how far it got, and why.
func TestStuckMessage(t *testing.T) {
	problem := &canary.Problem{Object: "Pod/chat-v2-x", Message: "CrashLoopBackOff"}
	for want, e := range map[string]StuckError{
		"chat: 1 of 2 pods of v2 serve: pod chat-v2-x CrashLoopBackOff":           {Release: "chat", Version: "v2", Serving: 1, Replicas: 2, Problem: problem, Definite: true},
		"chat: 1 of 2 pods of v2 serve after 5m0s":                                {Release: "chat", Version: "v2", Serving: 1, Replicas: 2, Waited: 5 * time.Minute},
		"chat: 1 of 2 pods of v2 serve after 20s: pod chat-v2-x CrashLoopBackOff": {Release: "chat", Version: "v2", Serving: 1, Replicas: 2, Waited: 20 * time.Second, Problem: problem},
		"chat: pods that were taken away are still there after 5m0s":              {Release: "chat", Waited: 5 * time.Minute},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
