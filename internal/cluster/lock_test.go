package cluster

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const leaseName = leasePrefix + "auth"

// lease is what the server has.
func (a *api) lease() canary.Lease {
	a.mu.Lock()
	defer a.mu.Unlock()
	named, _ := toLease(a.objects["leases/"+leaseName].(*coordinationv1.Lease))
	return named.lease
}

// takenBy lets somebody else take the lock.
func (a *api) takenBy(holder string) {
	l := leaseOf("auth")
	if err := held(l, holder, time.Now(), record()); err != nil {
		a.t.Error(err)
	}
	a.put("leases", l)
}

func acquire(t *testing.T, l *Live, takeOver bool) *Lock {
	t.Helper()
	lock, err := l.Acquire(t.Context(), "auth", "jane", record(), takeOver)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func wantLocked(t *testing.T, err error, lost bool) {
	t.Helper()
	var locked *canary.LockedError
	if !errors.As(err, &locked) || locked.Holder != "joe" || locked.Lost != lost || locked.Command != record().Move.Command {
		t.Errorf("%v (%+v), want one that joe has", err, locked)
	}
}

func TestLockAndRelease(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		lock := acquire(t, read(t, c, Want{}), false)
		if got := a.lease(); got.Holder != "jane" || got.Record.Move == nil || a.count("POST") != 1 {
			t.Errorf("taken: %+v", got)
		}
		if err := lock.Check(t.Context()); err != nil {
			t.Error(err)
		}
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return refusing("/leases/")(r, false)
			}
			return nil, nil
		}
		if err := lock.Check(t.Context()); err != nil {
			t.Error("which may not be read:", err)
		}
		done := record()
		done.Move = nil
		if err := lock.Release(t.Context(), done); err != nil {
			t.Error(err)
		}
		if got := a.lease(); got.Holder != "" || got.Record == nil || got.Record.Move != nil {
			t.Errorf("released: %+v", got)
		}
		again := acquire(t, read(t, c, Want{}), false)
		if got := a.lease(); got.Holder != "jane" || a.count("POST") != 1 || a.count("PUT") != 2 {
			t.Errorf("taken again: %+v, %q", got, a.seen())
		}
		if err := again.Release(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}

// Whoever writes the Lease between our read and our write was faster; a rollback takes it from them.
func TestTwoAtOnce(t *testing.T) {
	for name, exists := range map[string]bool{"the first Lease of the release": false, "a Lease that was there": true} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, c *Client) {
				if exists {
					a.takenBy("")
				}
				live := read(t, c, Want{})
				a.takenBy("joe")
				_, err := live.Acquire(t.Context(), "auth", "jane", record(), false)
				wantLocked(t, err, false)
				if got := a.lease().Holder; got != "joe" {
					t.Errorf("%s has it", got)
				}
				lock := acquire(t, live, true)
				if got := a.lease().Holder; got != "jane" {
					t.Errorf("%s has it after a rollback", got)
				}
				if err := lock.Release(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A lost answer tells nothing: the lock is ours where the Lease says so, and is taken again where it is as it was.
func TestAcquireWithoutAnAnswer(t *testing.T) {
	for name, lost := range map[string]func(writes int, effective bool) bool{
		"carried out":            func(n int, effective bool) bool { return effective && n == 1 },
		"not carried out":        func(n int, effective bool) bool { return !effective && n == 1 },
		"not once, and then was": func(n int, effective bool) bool { return effective == (n == 2) && n <= 2 },
	} {
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			t.Run(name+"/"+method, func(t *testing.T) {
				in(t, func(t *testing.T, a *api, c *Client) {
					if method == http.MethodPut {
						a.takenBy("")
					}
					live, writes := read(t, c, Want{}), 0
					a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
						if r.Method == method && !effective {
							writes++
						}
						if r.Method == method && lost(writes, effective) {
							return nil, errLost
						}
						return nil, nil
					}
					lock := acquire(t, live, false)
					if got := a.lease().Holder; got != "jane" {
						t.Errorf("%q has it", got)
					}
					if err := lock.Release(t.Context(), nil); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// Whose lock was taken over learns it from the next renewal and from every check, and leaves theirs alone.
func TestLostLock(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		lock := acquire(t, read(t, c, Want{}), false)
		var lost []error
		lock.Keep(t.Context(), func(err error) { lost = append(lost, err) })
		a.takenBy("joe")
		wantLocked(t, lock.Check(t.Context()), true)
		sleep(3 * renewEvery)
		if len(lost) != 1 {
			t.Fatalf("told %d times", len(lost))
		}
		wantLocked(t, lost[0], true)
		wantLocked(t, lock.Release(t.Context(), record()), true)
		if got := a.lease().Holder; got != "joe" {
			t.Errorf("%s has it", got)
		}
	})
}

// While it is kept it does not run out, and once it is released nothing is renewed any more.
func TestKeep(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		lock := acquire(t, read(t, c, Want{}), false)
		lock.Keep(t.Context(), func(err error) { t.Error(err) })
		for range 10 {
			sleep(renewEvery)
			if now := time.Now(); a.lease().Until.Before(now) {
				t.Fatalf("ran out at %s", now)
			}
		}
		if err := lock.Release(t.Context(), nil); err != nil {
			t.Error(err)
		}
		n := len(a.seen())
		sleep(time.Minute)
		if more := a.seen()[n:]; len(more) > 0 {
			t.Errorf("after the release: %q", more)
		}
	})
}

// One answer that is lost, or an edit by another tool, does not cost the lock.
func TestLockSurvives(t *testing.T) {
	for name, trouble := range map[string]func(a *api){
		"a lost answer": func(a *api) {
			n := 0
			a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
				if r.Method == http.MethodPut && effective {
					if n++; n == 1 {
						return nil, errLost
					}
				}
				return nil, nil
			}
		},
		"a renewal that fails": func(a *api) {
			n := 0
			a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
				if r.Method == http.MethodPut && !effective {
					if n++; n == 1 {
						return failure(http.StatusInternalServerError, metav1.StatusReasonInternalError, "etcd"), nil
					}
				}
				return nil, nil
			}
		},
		"an edit by another tool": func(a *api) {
			a.mu.Lock()
			l := a.objects["leases/"+leaseName].(*coordinationv1.Lease).DeepCopy()
			a.mu.Unlock()
			l.Annotations["note"] = "seen"
			a.put("leases", l)
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, c *Client) {
				lock := acquire(t, read(t, c, Want{}), false)
				trouble(a)
				lock.Keep(t.Context(), func(err error) { t.Error(err) })
				sleep(2*renewEvery + time.Second)
				if until := a.lease().Until; until.Before(time.Now().Add(renewEvery)) {
					t.Errorf("not renewed: runs out at %s, and it is %s", until, time.Now())
				}
				if err := lock.Release(t.Context(), nil); err != nil || a.lease().Holder != "" {
					t.Errorf("released: %v", err)
				}
			})
		})
	}
}

// The lock is given back after a signal too.
func TestReleaseAfterASignal(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		lock := acquire(t, read(t, c, Want{}), false)
		ctx, cancel := context.WithCancel(t.Context())
		lock.Keep(ctx, func(err error) { t.Error(err) })
		cancel()
		if err := lock.Release(ctx, nil); err != nil || a.lease().Holder != "" {
			t.Errorf("%v", err)
		}
	})
}

// Where Leases are forbidden the caller goes on without.
func TestForbiddenLock(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		live := read(t, c, Want{})
		a.answer = func(*http.Request, bool) (*http.Response, error) {
			return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), nil
		}
		if _, err := live.Acquire(t.Context(), "auth", "jane", record(), false); !apierrors.IsForbidden(err) {
			t.Errorf("%v", err)
		}
	})
}

// One who was slower is not let go on without a lock, only since the faster one's may not be read.
func TestSlowerWithoutReads(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		live := read(t, c, Want{})
		a.takenBy("joe")
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return refusing("/leases/")(r, false)
			}
			return nil, nil
		}
		if _, err := live.Acquire(t.Context(), "auth", "jane", record(), false); err == nil || apierrors.IsForbidden(err) {
			t.Errorf("%v", err)
		}
	})
}

// Who takes a lock over has to wait for the last write of its holder, unless that one only waited.
func TestTakeOverOfABake(t *testing.T) {
	for name, c := range map[string]struct {
		notes []bool
		want  bool
	}{"at work": {nil, true}, "baking": {[]bool{true}, false}, "at work again": {[]bool{true, false}, true}} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, client *Client) {
				theirs := acquire(t, read(t, client, Want{}), false)
				if theirs.TookOver {
					t.Error("took over what nobody had")
				}
				for _, baking := range c.notes {
					if err := theirs.Bake(t.Context(), baking); err != nil {
						t.Fatal(err)
					}
				}
				ours, err := read(t, client, Want{}).Acquire(t.Context(), "auth", "joe", record(), true)
				if err != nil || ours.TookOver != c.want {
					t.Fatalf("took over: %v, want %v (%v)", ours.TookOver, c.want, err)
				}
				err = theirs.Bake(t.Context(), false)
				wantLocked(t, err, true)
				if l := a.lease(); l.Holder != "joe" || l.Baking() {
					t.Errorf("the lease is %+v", l)
				}
			})
		})
	}
}
