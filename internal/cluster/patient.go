package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// patient sends requests again that did not get through, where a move has asked for it: reads, and writes that were certainly
// not carried out. What became of any other write is for its caller to find out.
type patient struct {
	next http.RoundTripper

	mu      sync.Mutex
	on      bool
	limit   time.Duration // 0 is none
	reached bool          // the server has answered before
	failing time.Time     // since when it has not; zero while it does
	back    time.Time     // when it last did again, or a watch was broken off
}

const (
	// answerTimeout is how long one request waits for an answer before it counts as lost.
	answerTimeout = 15 * time.Second
	// lastChance is what a request still gets when the server has not answered for as long as the limit.
	lastChance = time.Second
	// afterRestart is how long an API server that has come back may forbid what it allows: it does not know its roles yet.
	afterRestart = 10 * time.Second
	// serverErrors is how often a read may be answered with 500: what is broken at the server seldom mends.
	serverErrors = 3
)

// ErrNoAnswer is what requests fail with when the patience of Persist is at its end.
var ErrNoAnswer = errors.New("no answer")

// Persist lets requests be tried again while the server cannot be reached or is too busy, for as long as the limit; 0 is for
// ever. A server that has never answered is not waited for.
func (c *Client) Persist(limit time.Duration) {
	c.patient.mu.Lock()
	defer c.patient.mu.Unlock()
	c.patient.on, c.patient.limit = true, limit
}

// Silence is for how long the API server has not been reached, or was too busy, by requests that failed; 0 while it answers.
func (c *Client) Silence() time.Duration {
	c.patient.mu.Lock()
	defer c.patient.mu.Unlock()
	if c.patient.failing.IsZero() {
		return 0
	}
	return time.Since(c.patient.failing)
}

func (p *patient) wrap(next http.RoundTripper) http.RoundTripper {
	p.next = next
	return p
}

func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	for n, wait := 1, minBackoff; ; n, wait = n+1, min(2*wait, maxBackoff) {
		attempt := time.Now()
		left, on := p.left(began)
		timeout := min(max(left, lastChance), answerTimeout)
		watch := r.URL.Query().Get("watch") != ""
		if watch || !on && r.Method == http.MethodGet {
			timeout = forEver
		}
		resp, err := p.once(r, n, timeout)
		if err == nil || r.Context().Err() == nil { // else we have given up, not the server
			p.note(attempt, resp, err)
		}
		if !on {
			return resp, err // client-go does what a Retry-After asks for
		}
		after, again := p.tryAgain(r, resp, err, n)
		if watch && (err != nil || resp.StatusCode != http.StatusForbidden) {
			return resp, err // whoever watches begins anew
		}
		if !again || r.Context().Err() != nil {
			return resp, err
		}
		pause := max(after, wait+rand.N(wait))
		if left, _ := p.left(began); pause > left {
			return nil, p.giveUp(resp, err, after)
		}
		closeBody(resp)
		select {
		case <-r.Context().Done():
			return nil, context.Cause(r.Context())
		case <-time.After(pause):
		}
	}
}

const forEver = time.Duration(1<<63 - 1)

// left is how long a request may go on that began then, or would have been allowed to.
func (p *patient) left(began time.Time) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit == 0 {
		return forEver, p.on
	}
	if !p.failing.IsZero() && p.failing.Before(began) {
		began = p.failing
	}
	return p.limit - time.Since(began), p.on
}

// over says whether what began then has gone on for as long as it may.
func (p *patient) over(began time.Time) bool {
	left, on := p.left(began)
	return !on || left <= 0
}

// note remembers whether the server answers.
func (p *patient) note(attempt time.Time, resp *http.Response, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil && !busy(resp.StatusCode):
		if !p.failing.IsZero() {
			p.failing, p.back = time.Time{}, time.Now()
		}
	case p.failing.IsZero():
		p.failing = attempt
	}
	p.reached = p.reached || err == nil
}

func (p *patient) hasBeenReached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached
}

// restarting says whether the server may have come back just now.
func (p *patient) restarting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.back.IsZero() && time.Since(p.back) < afterRestart
}

// once sends a request, which fails when it is not answered in time.
func (p *patient) once(r *http.Request, n int, timeout time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(timeout, func() { cancel(errLate) })
	r = r.WithContext(ctx)
	if n > 1 && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			cancel(nil)
			return nil, err
		}
		r.Body = body
	}
	resp, err := p.next.RoundTrip(r)
	timer.Stop()
	if err != nil {
		if errors.Is(context.Cause(ctx), errLate) {
			err = errLate
		}
		cancel(nil)
		return nil, err
	}
	resp.Body = &endingBody{resp.Body, func() { cancel(nil) }, func() {
		if ctx.Err() == nil {
			p.brokenOff()
		}
	}}
	return resp, nil
}

// brokenOff notes that an answer ended by itself: for a watch that may be all that is seen of an outage.
func (p *patient) brokenOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back = time.Now()
}

var errLate = errors.New("the server does not answer")

// endingBody ends the context of a request when its answer has been read.
type endingBody struct {
	io.ReadCloser

	end    func()
	broken func() // the answer ends otherwise than by its end
}

func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.broken()
	}
	return n, err
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// tryAgain says whether a request may be sent again, and how long the server asks to wait before. Of the answers that are
// passed on, none asks client-go to do so.
func (p *patient) tryAgain(r *http.Request, resp *http.Response, err error, n int) (after time.Duration, again bool) {
	reads := r.Method == http.MethodGet || strings.Contains(r.URL.Path, "/selfsubject")
	if err != nil {
		var dial *net.OpError
		unsent := errors.As(err, &dial) && dial.Op == "dial"
		return 0, (p.hasBeenReached() || errors.Is(err, errLate)) && (reads || unsent)
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	resp.Header.Del("Retry-After")
	after = time.Duration(seconds) * time.Second
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return after, true
	case http.StatusForbidden:
		return after, p.restarting()
	case http.StatusInternalServerError:
		return after, reads && n < serverErrors
	}
	return after, reads && busy(resp.StatusCode)
}

// busy says whether an answer comes from a server that is not able to answer now.
func busy(code int) bool {
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// giveUp says how the last try has ended.
func (p *patient) giveUp(resp *http.Response, err error, after time.Duration) error {
	closeBody(resp)
	what := ""
	switch {
	case err != nil:
		what = err.Error()
	case after > 0:
		what = fmt.Sprintf("%s, and asks to wait %s", strings.ToLower(http.StatusText(resp.StatusCode)), after)
	default:
		what = strings.ToLower(http.StatusText(resp.StatusCode))
	}
	return fmt.Errorf("%w within %s: %s", ErrNoAnswer, p.limit, what)
}

func closeBody(resp *http.Response) {
	if resp != nil {
		_ = resp.Body.Close()
	}
}
