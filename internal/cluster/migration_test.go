package cluster

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func migrating(phase canary.MigrationPhase) *canary.Record {
	r := record()
	r.Migration = &canary.Migration{ID: "x", Steps: []canary.Step{{Weight: 2500}, {Weight: canary.Full}}, Phase: phase}
	return r
}

func ask(t *testing.T, l *Live, verb canary.Verb) canary.Request {
	t.Helper()
	asked := canary.Request{Verb: verb, By: "ann", Time: time.Now()}
	if err := l.Amend(t.Context(), "auth", func(now canary.Lease) (*canary.Record, error) {
		now.Record.Migration.Request = &asked
		return now.Record, nil
	}); err != nil {
		t.Fatal(err)
	}
	return asked
}

// A request that comes between two writes of whoever holds the lock stays until it is taken.
func TestWriteKeepsARequest(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		live := read(t, c, Want{})
		lock := acquire(t, live, false)
		write := func(phase canary.MigrationPhase, taken *canary.Request) {
			t.Helper()
			if err := lock.Write(t.Context(), migrating(phase), taken); err != nil {
				t.Error(err)
			}
		}
		write(canary.StepMoving, nil)
		asked := ask(t, live, canary.VerbPause)
		write(canary.StepPaused, nil)
		if now := a.lease().Record.Migration; now.Phase != canary.StepPaused || !asked.Is(now.Request) {
			t.Errorf("%+v", now)
		}
		again := ask(t, live, canary.VerbResume)
		write(canary.StepPaused, &asked)
		if now := a.lease().Record.Migration; !again.Is(now.Request) {
			t.Errorf("the second is gone: %+v", now)
		}
		write(canary.StepPaused, &again)
		if now := a.lease(); now.Record.Migration.Request != nil || now.Holder != "jane" {
			t.Errorf("it was taken: %+v", now.Record.Migration)
		}
		a.takenBy("joe")
		wantLocked(t, lock.Write(t.Context(), migrating(canary.StepPaused), nil), true)
		gone, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("a signal"))
		if err := lock.Write(gone, migrating(canary.StepPaused), nil); err == nil || err.Error() != "a signal" {
			t.Errorf("after a signal: %v", err)
		}
	})
}

// Whoever amends a record while others write to it tries again, with what they have written.
func TestAmend(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		live := read(t, c, Want{})
		lock := acquire(t, live, false)
		tries := 0
		err := live.Amend(t.Context(), "auth", func(now canary.Lease) (*canary.Record, error) {
			if tries++; tries < 3 {
				if err := lock.Write(t.Context(), migrating(canary.StepPaused), nil); err != nil {
					t.Error(err)
				}
			}
			now.Record.Desired = 1234
			return now.Record, nil
		})
		if now := a.lease().Record; err != nil || tries != 3 || now.Desired != 1234 || now.Migration == nil {
			t.Errorf("%v after %d, %+v", err, tries, now)
		}
		no := errors.New("no")
		if err := live.Amend(t.Context(), "auth", func(canary.Lease) (*canary.Record, error) { return nil, no }); !errors.Is(err, no) {
			t.Error(err)
		}
		if err := live.Amend(t.Context(), "chat", nil); err == nil {
			t.Error("there is no such Lease")
		}
	})
}

func TestFollowLeases(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		live := read(t, c, Want{})
		lock := acquire(t, live, false)
		ctx, cancel := context.WithCancel(t.Context())
		last, done := canary.Lease{}, make(chan error)
		go func() { done <- live.FollowLeases(ctx, func(all map[string]canary.Lease) { last = all["auth"] }) }()
		synctest.Wait()
		if last.Holder != "jane" || last.Record.Migration != nil {
			t.Errorf("at first: %+v", last)
		}
		if err := lock.Write(t.Context(), migrating(canary.StepPaused), nil); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if last.Record.Migration == nil || last.Renewed.IsZero() {
			t.Errorf("then: %+v", last)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) { return refusing("/leases")(r, false) }
		if live.FollowLeases(t.Context(), func(map[string]canary.Lease) {}) == nil {
			t.Error("which may not be read")
		}
	})
}
