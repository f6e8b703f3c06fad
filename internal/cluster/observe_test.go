package cluster

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// What changes is seen; what our own write has made is seen before anything else is.
func TestObserve(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		l := read(t, c, Want{})
		follow(t, l)
		var splits [][2]int
		time.AfterFunc(time.Second, func() { a.put("endpointslices", slice("auth-1", "auth", "uid-v1-a", "uid-v2-a")) })
		err := l.Observe(t.Context(), func(s *canary.Snapshot) (bool, error) {
			v1, v2 := served(t, s)
			splits = append(splits, [2]int{v1, v2})
			return v1 == 1, nil
		})
		if err != nil || len(splits) != 2 {
			t.Errorf("%v, %v", err, splits)
		}
		if err := l.Scale(t.Context(), canary.Deployment{Name: "v2", UID: "uid-v2", Replicas: 1}, 3); err != nil {
			t.Fatal(err)
		}
		err = l.Observe(t.Context(), func(s *canary.Snapshot) (bool, error) {
			if n := canary.Discover(s, canary.Options{})[0].Canary.Deployment.Replicas; n != 3 {
				t.Errorf("shows %d after the write", n)
			}
			return true, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// The watch may be late: nothing is shown until it has caught up with our write, and then a fresh read is as good.
func TestObserveWaitsForOurWrite(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		l := read(t, c, Want{}) // not followed
		if err := l.Scale(t.Context(), canary.Deployment{Name: "v2", UID: "uid-v2", Replicas: 1}, 3); err != nil {
			t.Fatal(err)
		}
		looked := false
		go func() {
			_ = l.Observe(t.Context(), func(*canary.Snapshot) (bool, error) { looked = true; return true, nil })
		}()
		time.Sleep(time.Minute)
		if looked {
			t.Fatal("looks at what was before the write")
		}
		s, err := l.Refresh(t.Context())
		synctest.Wait()
		if err != nil || !looked || canary.Discover(s, canary.Options{})[0].Canary.Deployment.Replicas != 3 {
			t.Errorf("%v, looked %t", err, looked)
		}
	})
}

// A watch that is forbidden ends what waits on it.
func TestObserveEndsWithTheWatch(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		l := read(t, c, Want{})
		a.answer = refusing("/endpointslices")
		follow(t, l)
		if err := l.Observe(t.Context(), func(*canary.Snapshot) (bool, error) { return false, nil }); !apierrors.IsForbidden(err) {
			t.Errorf("%v", err)
		}
		stop := errors.New("stop")
		if err := l.ObserveAll(t.Context(), func() (bool, error) { return false, stop }); err == nil {
			t.Error("goes on")
		}
	})
}

// Where Leases are forbidden, everything else is followed.
func TestFollowWithoutLeases(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		a.answer = refusing("/leases")
		l := read(t, c, Want{})
		follow(t, l)
		synctest.Wait()
		for resource, want := range map[string]int{"deployments?": 1, "endpointslices?": 1, "pods?": 1, "services?": 1, "leases?": 1} {
			if got := a.count("/" + resource); got != want {
				t.Errorf("%d requests for %s with options", got, resource)
			}
		}
	})
}

// A Snapshot is one value until something changes: who looks at it twice need not work twice.
func TestSnapshotIsShared(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		l := read(t, c, Want{})
		first := l.Snapshot()
		if l.Snapshot() != first {
			t.Error("built anew though nothing has changed")
		}
		follow(t, l)
		synctest.Wait()
		a.put("deployments", deployment("v2", 2))
		synctest.Wait()
		if l.Snapshot() == first {
			t.Error("still the old one after a change")
		}
	})
}
