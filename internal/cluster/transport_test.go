package cluster

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func get(ctx context.Context, t *testing.T, rt http.RoundTripper, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, err = rt.RoundTrip(r)
	return err
}

// So many requests at once and no more; watches last, and do not count.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		slow := roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("watch") != "" {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil, nil
		})
		rt := limit(3)(slow)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { _ = get(ctx, t, rt, "http://api/pods?watch=true") })
		}
		began := time.Now()
		var reads sync.WaitGroup
		for range 9 {
			reads.Go(func() { _ = get(t.Context(), t, rt, "http://api/pods") })
		}
		reads.Wait()
		if took := time.Since(began); took != 3*time.Second || most != 3 {
			t.Errorf("took %s with at most %d at once", took, most)
		}
		cancel()
		all.Wait()
	})
}

// Who waits for a place may give up.
func TestLimitAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		rt := limit(1)(roundTripper(func(*http.Request) (*http.Response, error) { <-block; return nil, nil }))
		go func() { _ = get(t.Context(), t, rt, "http://api/pods") }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := get(ctx, t, rt, "http://api/pods"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(block)
	})
}

func TestServerClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &serverClock{}
		var date time.Time
		rt := c.watch(roundTripper(func(*http.Request) (*http.Response, error) {
			h := http.Header{}
			if !date.IsZero() {
				h.Set("Date", date.UTC().Format(http.TimeFormat))
			}
			return &http.Response{Header: h}, nil
		}))
		for _, step := range []struct {
			server time.Duration // ahead of this machine
			want   time.Duration
		}{
			{time.Hour, time.Hour},
			{-time.Hour, -time.Hour},
			{time.Second, 0}, // no more than the header's resolution and the way
			{-90 * time.Second, -90 * time.Second},
		} {
			date = time.Now().Add(step.server)
			if err := get(t.Context(), t, rt, "http://api/"); err != nil {
				t.Fatal(err)
			}
			if got := time.Until(c.now()).Round(time.Second); got != step.want {
				t.Errorf("a server %s ahead: %s", step.server, got)
			}
		}
		date = time.Time{} // an answer without a Date teaches nothing
		if err := get(t.Context(), t, rt, "http://api/"); err != nil {
			t.Fatal(err)
		}
		if got := time.Until(c.now()).Round(time.Second); got != -90*time.Second {
			t.Errorf("forgot what it knew: %s", got)
		}
	})
}

// The connection is made as docs/design.md §9 says: named, by protobuf, and without client-go's own rate limit.
func TestRequests(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if ua := r.Header.Get("User-Agent"); ua != "kubectl-canary/test" {
				t.Errorf("the user agent is %q", ua)
			}
			return nil, nil
		}
		a.put("deployments", deployment("auth-v2", 1))
		l := read(t, c, Want{})
		began := time.Now()
		for range 100 {
			if err := l.Conflict(t.Context(), seenAt("auth-v2", 1)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("100 requests were held up for %s", took)
		}
	})
}
