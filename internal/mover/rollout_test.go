package mover

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// rollOut waits for everything that is there, and returns how long that took.
func (w *world) rollOut(ctx context.Context, before *canary.Snapshot) (time.Duration, *events, error) {
	told, began := &events{}, time.Now()
	o := Rollout{Before: before, Timeout: time.Minute, Notify: told.add}
	for _, s := range w.services {
		o.Services = append(o.Services, s.Name)
	}
	for _, d := range w.deployments {
		o.Deployments = append(o.Deployments, d.Name)
	}
	err := AwaitRollout(ctx, w, o)
	return time.Since(began), told, err
}

// first applies replicas to an empty namespace with two releases.
func (w *world) first() {
	w.release("auth", 0, 0)
	w.release("chat", 0, 0)
	for name, replicas := range map[string]int{"auth-v1": 3, "auth-v2": 1, "chat-v1": 3, "chat-v2": 1} {
		w.scale(name, replicas)
	}
}

func wantStuck(t *testing.T, err error, definite bool, want string) {
	t.Helper()
	var stuck *StuckError
	if !errors.As(err, &stuck) || stuck.Definite != definite || errors.Is(err, ErrDeadline) == definite {
		t.Errorf("the error is %#v", err)
	}
	if err == nil || err.Error() != want {
		t.Errorf("it says\n%v\nwant\n%s", err, want)
	}
}

func TestRolloutOfTheFirst(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.start["chat-v2"] = w.slow(20 * time.Second)
		w.first()
		took, told, err := w.rollOut(t.Context(), &canary.Snapshot{})
		if err != nil || took < 20*time.Second || took > 21*time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
		if told.count(canary.Ready) != 1 || told.count(canary.Serves) < 4 || told.count(canary.Trouble) != 0 {
			t.Errorf("it told %+v", told.all)
		}
	})
}

// A release that is there already is waited for until the watch shows all of what was applied.
func TestRolloutIsShown(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		later := w.deployments[1]
		w.deployments = w.deployments[:1]
		time.AfterFunc(7*time.Second, func() {
			w.change("the watch shows "+later.Name, func() { w.deployments = append(w.deployments, later) })
		})
		told := &events{}
		began := time.Now()
		err := AwaitRollout(t.Context(), w, Rollout{
			Services: []string{"auth"}, Deployments: []string{"auth-v1", "auth-v2"}, Before: &canary.Snapshot{}, Timeout: time.Minute, Notify: told.add,
		})
		if took := time.Since(began); err != nil || took != 7*time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
	})
}

func TestRolloutInVain(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.start["chat-v2"] = crashing
		w.first()
		took, _, err := w.rollOut(t.Context(), &canary.Snapshot{})
		if took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		var stuck *StuckError
		if !errors.As(err, &stuck) || !stuck.Definite || stuck.Release != "chat" || stuck.Problem.Code != canary.CodeCrashLoop {
			t.Errorf("%v", err)
		}
	})
}

// What was wrong before may be what the apply has mended: it gets a while, and pods that are replaced all the time.
func TestRolloutOfWhatWasBroken(t *testing.T) {
	for mended, want := range map[bool]time.Duration{true: 10 * time.Second, false: earlierGrace} {
		in(t, func(t *testing.T, w *world) {
			w.start["auth-v2"] = crashing
			w.release("auth", 3, 0)
			w.scale("auth-v2", 1)
			time.Sleep(time.Second)
			if mended {
				time.AfterFunc(10*time.Second, func() { w.change("auth-v2 is mended", func() { w.ready(w.find("auth-v2").pods[0].UID) }) })
			}
			took, told, err := w.rollOut(t.Context(), w.now())
			if (err == nil) != mended || took < want || took > want+2*time.Second || told.count(canary.Trouble) != 1 {
				t.Errorf("mended %v: it took %s: %v, and told %+v", mended, took, err, told.all)
			}
		})
	}
}

func TestRolloutThatReplacesWhatWasBroken(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.start["auth-v2"] = crashing
		w.release("auth", 3, 0)
		w.scale("auth-v2", 1)
		time.Sleep(time.Second)
		before, d := w.now(), w.find("auth-v2")
		d.Generation, d.Observed = 9, 9
		w.newPod(d)
		d.Deployment.Pods, d.Deployment.UpdatedPods = 2, 1
		time.AfterFunc(50*time.Second, func() {
			w.change("the new pod takes the place of the old", func() {
				d.pods = d.pods[1:]
				d.pods[0].ready, d.Deployment.Pods = true, 1
			})
		})
		if took, _, err := w.rollOut(t.Context(), before); err != nil || took != 50*time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
	})
}

// In a new namespace pods cannot be created for a moment.
func TestRolloutThatFailsForAMoment(t *testing.T) {
	for _, passes := range []bool{true, false} {
		in(t, func(t *testing.T, w *world) {
			w.full["auth-v1"] = true
			w.release("auth", 0, 0)
			w.scale("auth-v1", 1)
			if passes {
				time.AfterFunc(3*time.Second, func() {
					w.change("there is room", func() {
						w.full["auth-v1"], w.find("auth-v1").Failure = false, nil
						w.reconcile(w.find("auth-v1"))
					})
				})
			}
			took, _, err := w.rollOut(t.Context(), &canary.Snapshot{})
			if passes != (err == nil) || took > failureGrace+2*time.Second {
				t.Errorf("passes %v: it took %s: %v", passes, took, err)
			}
			if !passes {
				wantStuck(t, err, true, "auth: 0 of 1 pods of v1 serve: deployment auth-v1 FailedCreate (exceeded quota)")
			}
		})
	}
}

// At the deadline all that is not up is told.
func TestRolloutThatIsLate(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.start["auth-v2"], w.start["chat-v1"] = notReady, unschedulable
		w.first()
		took, told, err := w.rollOut(t.Context(), &canary.Snapshot{})
		if took != time.Minute || told.count(canary.Trouble) == 0 {
			t.Errorf("it took %s, and told %+v", took, told.all)
		}
		lines := strings.Split(err.Error(), "\n")
		slices.Sort(lines)
		want := []string{"auth: 0 of 1 pods of v2 serve after 1m0s", "chat: 0 of 3 pods of v1 serve after 1m0s: pod chat-v1-"}
		if !errors.Is(err, ErrDeadline) || len(lines) != 2 || lines[0] != want[0] || !strings.HasPrefix(lines[1], want[1]) {
			t.Errorf("%v", err)
		}
	})
}

// Old pods that serve are none of the new ones.
func TestRolloutOfAnImage(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		d := w.find("auth-v1")
		d.Deployment.Pods, d.Deployment.UpdatedPods = 3, 1 // two are old
		time.AfterFunc(5*time.Second, func() { w.change("it has rolled out", func() { d.Deployment.UpdatedPods = 3 }) })
		took, told, err := w.rollOut(t.Context(), w.now())
		if err != nil || took != 5*time.Second || told.count(canary.RollingOut) != 1 {
			t.Errorf("it took %s: %v, and told %+v", took, err, told.all)
		}
		d.Deployment.UpdatedPods = 1
		_, _, err = w.rollOut(t.Context(), w.now())
		wantStuck(t, err, false, "auth: 1 of 3 pods of v1 serve after 1m0s")
	})
}

// A Deployment behind no Service is up when its pods are ready.
func TestRolloutBehindNoService(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.first()
		w.services = w.services[1:]
		if took, _, err := w.rollOut(t.Context(), &canary.Snapshot{}); err != nil || took < time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
		w.start["auth-v1"] = notReady
		w.scale("auth-v1", 4)
		_, _, err := w.rollOut(t.Context(), &canary.Snapshot{})
		wantStuck(t, err, false, "auth-v1: 3 of 4 pods of Deployment auth-v1 serve after 1m0s")
	})
}

func TestRolloutOfWhatIsPaused(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		d := w.find("auth-v2")
		d.Paused, d.Deployment.Pods, d.Deployment.UpdatedPods = true, 1, 0
		_, _, err := w.rollOut(t.Context(), w.now())
		wantStuck(t, err, true, "auth: 0 of 1 pods of v2 serve: Deployment auth-v2 is paused")
	})
}

func TestRolloutInterrupted(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.start["auth-v2"] = notReady
		w.first()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(ErrInterrupted) })
		if took, _, err := w.rollOut(ctx, &canary.Snapshot{}); !errors.Is(err, ErrInterrupted) || took != 3*time.Second {
			t.Errorf("it took %s: %v", took, err)
		}
	})
}

// What is ready and not in the endpoints yet does not serve, and an old pod beside enough new ones is still to go.
func TestRolloutToItsEnd(t *testing.T) {
	for name, late := range map[string]func(w *world) (end func()){
		"an endpoint": func(w *world) func() {
			p := w.find("auth-v1").pods[0]
			p.away = true
			return func() { p.away = false }
		},
		"an old pod": func(w *world) func() {
			d := w.find("auth-v1")
			w.newPod(d).ready = true
			d.Deployment.Pods, d.Deployment.UpdatedPods = 4, 3
			return func() { d.pods, d.Deployment.Pods = d.pods[1:], 3 }
		},
	} {
		in(t, func(t *testing.T, w *world) {
			w.release("auth", 3, 1)
			end := late(w)
			time.AfterFunc(5*time.Second, func() { w.change(name, end) })
			if took, _, err := w.rollOut(t.Context(), w.now()); err != nil || took != 5*time.Second {
				t.Errorf("%s: it took %s: %v", name, took, err)
			}
		})
	}
}
