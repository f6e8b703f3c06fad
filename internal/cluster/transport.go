package cluster

import (
	"net/http"
	"sync/atomic"
	"time"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// limit lets n requests be under way at once, watches apart: they last.
func limit(n int) func(http.RoundTripper) http.RoundTripper {
	slots := make(chan struct{}, n)
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("watch") != "" {
				return next.RoundTrip(r)
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				return next.RoundTrip(r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
	}
}

// serverClock learns the API server's time from the Date of its answers, to the second.
type serverClock struct {
	offset atomic.Int64 // nanoseconds to add to the local time
}

func (c *serverClock) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil {
			if date, parseErr := http.ParseTime(resp.Header.Get("Date")); parseErr == nil {
				c.learn(date, time.Now())
			}
		}
		return resp, err
	})
}

// learn leaves an offset alone that the header's resolution may explain.
func (c *serverClock) learn(server, local time.Time) {
	off := server.Sub(local)
	if off > -2*time.Second && off < 2*time.Second {
		off = 0
	}
	c.offset.Store(int64(off))
}

func (c *serverClock) now() time.Time {
	return time.Now().Add(time.Duration(c.offset.Load()))
}
