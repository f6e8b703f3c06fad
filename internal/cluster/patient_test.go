package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// sending is a request through a patient client, whose server answers as told, one after another, and then with 200.
func sending(t *testing.T, method string, limit time.Duration, answers ...func(*http.Request) (*http.Response, error)) (p *patient, send func() (*http.Response, error), sent *[]string) {
	t.Helper()
	sent = &[]string{}
	p = &patient{on: true, limit: limit, reached: true}
	p.wrap(roundTripper(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		*sent = append(*sent, string(body))
		if len(answers) == 0 {
			return says(200)(r)
		}
		answer := answers[0]
		answers = answers[1:]
		return answer(r)
	}))
	return p, func() (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://api/deployments", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		return p.RoundTrip(r)
	}, sent
}

func says(code int, retryAfter ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		if retryAfter != nil {
			h["Retry-After"] = retryAfter
		}
		return &http.Response{StatusCode: code, Header: h, Body: http.NoBody}, nil
	}
}

func breaks(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

var errRefused = &net.OpError{Op: "dial", Err: errors.New("connection refused")}

func TestPatient(t *testing.T) {
	type answers = []func(*http.Request) (*http.Response, error)
	for _, c := range []struct {
		name    string
		method  string
		answers answers
		sent    int
		code    int           // 0 for an error
		most    time.Duration // that it takes
		least   time.Duration
	}{
		{name: "an answer", method: http.MethodGet, sent: 1, code: 200},
		{name: "no", method: http.MethodGet, answers: answers{says(404)}, sent: 1, code: 404},
		{name: "a read that is lost", method: http.MethodGet, answers: answers{breaks(errLost), breaks(errLost)}, sent: 3, code: 200, most: time.Second},
		{name: "a read that is not answered", method: http.MethodGet, answers: answers{silent}, sent: 2, code: 200, least: answerTimeout, most: answerTimeout + time.Second},
		{name: "a busy server", method: http.MethodGet, answers: answers{says(503), says(502), says(504)}, sent: 4, code: 200, most: 2 * time.Second},
		{name: "a server that breaks", method: http.MethodGet, answers: answers{says(500), says(500), says(500), says(500)}, sent: 3, code: 500, most: time.Second},
		{name: "a write that is lost", method: http.MethodPatch, answers: answers{breaks(errLost)}, sent: 1},
		{name: "a write that is not answered", method: http.MethodPatch, answers: answers{silent}, sent: 1, least: answerTimeout, most: answerTimeout},
		{name: "a write that was not sent", method: http.MethodPatch, answers: answers{breaks(errRefused)}, sent: 2, code: 200, most: time.Second},
		{name: "a write to a busy server", method: http.MethodPatch, answers: answers{says(503, "1")}, sent: 1, code: 503},
		{name: "a write too many", method: http.MethodPatch, answers: answers{says(429, "3")}, sent: 2, code: 200, least: 3 * time.Second, most: 3 * time.Second},
		{name: "forbidden", method: http.MethodGet, answers: answers{says(403)}, sent: 1, code: 403},
		{name: "forbidden by a server that has just started", method: http.MethodGet, answers: answers{breaks(errLost), says(403), says(403)}, sent: 4, code: 200, most: 2 * time.Second},
		{name: "a write so forbidden", method: http.MethodPatch, answers: answers{breaks(errRefused), says(403), says(403)}, sent: 4, code: 200, most: 2 * time.Second},
		{name: "too long", method: http.MethodGet, answers: answers{says(429, "120")}, sent: 1},
		{name: "for good", method: http.MethodGet, answers: answers{silent, silent, silent, silent, silent}, sent: 4, least: time.Minute, most: time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, send, sent := sending(t, c.method, time.Minute, c.answers...)
				began := time.Now()
				resp, err := send()
				took := time.Since(began)
				switch {
				case c.code == 0 && err == nil:
					t.Errorf("answered with %d", resp.StatusCode)
				case c.code != 0 && (err != nil || resp.StatusCode != c.code || resp.Header.Get("Retry-After") != ""):
					t.Errorf("%v %v, want %d and nothing to retry after", resp, err, c.code)
				}
				if resp != nil {
					resp.Body.Close()
				}
				if len(*sent) != c.sent || strings.Join(*sent, "") != strings.Repeat("body", c.sent) {
					t.Errorf("sent %q, want %d times", *sent, c.sent)
				}
				if took < c.least || took > c.most {
					t.Errorf("took %s, want %s to %s", took, c.least, c.most)
				}
			})
		})
	}
}

// When the server has been away for as long as the limit, what comes then is tried once more, and not waited for.
func TestPatienceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, send, _ := sending(t, http.MethodGet, 10*time.Second, silent, silent, silent)
		for range 2 {
			began := time.Now()
			if _, err := send(); !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "within 10s") {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 11*time.Second || p.failing.IsZero() {
				t.Errorf("took %s, failing since %s", took, p.failing)
			}
			time.Sleep(time.Minute)
		}
		began := time.Now()
		if _, err := send(); !errors.Is(err, ErrNoAnswer) || time.Since(began) != lastChance {
			t.Errorf("the third after %s: %v", time.Since(began), err)
		}
		if resp, err := send(); err != nil || !p.failing.IsZero() {
			t.Errorf("the server is there again: %v", err)
		} else {
			resp.Body.Close()
		}
	})
}

// Of a server that is killed and starts again fast, a watch may be all that notices: it is broken off.
func TestForbiddenAfterABrokenWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(iotest.ErrReader(errLost))}, nil
		}
		_, send, sent := sending(t, http.MethodGet, time.Minute, broken, says(403), says(403))
		watch, err := send()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(watch.Body); !errors.Is(err, errLost) {
			t.Errorf("%v", err)
		}
		watch.Body.Close()
		if resp, err := send(); err != nil || resp.StatusCode != http.StatusOK || len(*sent) != 4 {
			t.Errorf("%v %v, sent %d times", resp, err, len(*sent))
		}
	})
}

// A server that has never answered is told of at once, and so is one where no move is under way; a watch is not held to
// a time.
func TestImpatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, send, sent := sending(t, http.MethodGet, time.Minute, breaks(errRefused), says(429, "1"), breaks(errRefused))
		p.reached = false
		if _, err := send(); !errors.Is(err, errRefused) {
			t.Errorf("never reached: %v", err)
		}
		p.on = false
		if resp, err := send(); err != nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "1" {
			t.Errorf("no move: %v %v", resp, err)
		}
		if _, err := send(); err == nil || len(*sent) != 3 {
			t.Errorf("no move: %v, sent %d times", err, len(*sent))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := &patient{on: true, limit: time.Minute, reached: true}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := get(ctx, t, p.wrap(roundTripper(silent)), "http://api/pods?watch=true"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// The lock is given back once, though the answer is lost.
func TestReleaseWithoutAnAnswer(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		lock := acquire(t, read(t, c, Want{}), false)
		a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
			if r.Method == http.MethodPut && effective {
				return nil, errLost
			}
			return nil, nil
		}
		if err := lock.Release(t.Context(), record()); err != nil || a.lease().Holder != "" {
			t.Errorf("%v, holder %q", err, a.lease().Holder)
		}
		if n := a.count("PUT"); n != 1 {
			t.Errorf("written %d times", n)
		}
	})
}

// While the server is away a write waits for it, for as long as the client is told to, and then takes effect once.
func TestScaleWhileTheServerIsAway(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		c.Persist(time.Minute)
		until := time.Now().Add(30 * time.Second)
		lost := false
		a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
			switch {
			case !lost && isPatch(r):
				lost = true
				return nil, errLost
			case time.Now().Before(until):
				return nil, errRefused
			}
			return nil, nil
		}
		if err := l.Scale(t.Context(), seenAt("auth-v2", 1), 2); err != nil || a.replicas("auth-v2") != 2 {
			t.Errorf("%v, at %d", err, a.replicas("auth-v2"))
		}
		until = time.Now().Add(2 * time.Minute)
		if err := l.Scale(t.Context(), seenAt("auth-v2", 2), 3); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("%v", err)
		}
	})
}

// After a signal a write whose answer was lost is settled, and not begun again.
func TestScaleIsNotBegunAgainAfterASignal(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		stop := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if isPatch(r) {
				cancel(stop)
				return nil, errLost
			}
			return nil, nil
		}
		if err := l.Scale(ctx, seenAt("auth-v2", 1), 2); !errors.Is(err, stop) || a.count("PATCH") != 1 {
			t.Errorf("%v, %d patches", err, a.count("PATCH"))
		}
	})
}

// How long a server has been silent is told, and who has given up a request of their own does not count as silence.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *Client
		during := time.Duration(0)
		p, send, _ := sending(t, http.MethodGet, time.Minute, breaks(errRefused), silent, func(r *http.Request) (*http.Response, error) {
			during = c.Silence()
			return says(200)(r)
		})
		c = &Client{patient: p}
		if _, err := send(); err != nil {
			t.Fatal(err)
		}
		if during < answerTimeout || during > answerTimeout+time.Second || c.Silence() != 0 {
			t.Errorf("silent for %s before it answered, and for %s after that", during, c.Silence())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p, _, _ = sending(t, http.MethodGet, time.Minute, silent)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api/pods", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.RoundTrip(r)
		if time.Sleep(time.Second); err == nil || (&Client{patient: p}).Silence() != 0 {
			t.Errorf("given up: %v, silent for %s", err, (&Client{patient: p}).Silence())
		}
	})
}
