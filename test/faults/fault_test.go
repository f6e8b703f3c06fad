package faults

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pass lets the API server answer.
func (c *call) pass() { c.target.ServeHTTP(c.w, c.r) }

// carryOut lets the API server do what was asked, and keeps the answer. A watch is not kept.
func (c *call) carryOut() *httptest.ResponseRecorder {
	if c.r.URL.Query().Get("watch") != "" {
		c.pass()
		return nil
	}
	answer := httptest.NewRecorder()
	c.target.ServeHTTP(answer, c.r)
	return answer
}

func (c *call) give(answer *httptest.ResponseRecorder) {
	if answer == nil {
		return
	}
	maps.Copy(c.w.Header(), answer.Header())
	c.w.WriteHeader(answer.Code)
	_, _ = c.w.Write(answer.Body.Bytes())
}

// hangUp closes the connection without an answer, and with it everything else that was under way on it.
func (c *call) hangUp() {
	_ = c.r.Context().Value(connKey{}).(net.Conn).Close()
	panic(http.ErrAbortHandler)
}

// drop closes the connection instead of passing a request on.
func drop(c *call) { c.hangUp() }

// swallow lets the API server carry a request out, and closes the connection instead of passing the answer on.
func swallow(c *call) {
	c.carryOut()
	c.hangUp()
}

// stall neither passes a request on nor answers it.
func stall(c *call) { <-c.r.Context().Done() }

// stallAnswer lets a request be carried out, and never answers it.
func stallAnswer(c *call) {
	c.carryOut()
	<-c.r.Context().Done()
}

// late passes a request on after a while.
func late(d time.Duration) fault {
	return func(c *call) {
		time.Sleep(d)
		c.pass()
	}
}

// blackHole lets this and all connections go dead, with forGood for ever: no answer, no reset.
func blackHole(forGood bool) fault {
	return func(c *call) {
		c.line.die(forGood)
		<-c.r.Context().Done()
	}
}

// answer is an answer of a proxy or an overloaded API server, in the words of one.
func answer(code int, reason metav1.StatusReason, retryAfter int) fault {
	return func(c *call) {
		status := metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
			Code: int32(code), Reason: reason, Message: "made up: " + http.StatusText(code),
		}
		if retryAfter > 0 {
			c.w.Header().Set("Retry-After", fmt.Sprint(retryAfter))
			status.Details = &metav1.StatusDetails{RetryAfterSeconds: int32(retryAfter)}
		}
		c.w.Header().Set("Content-Type", "application/json")
		c.w.WriteHeader(code)
		_ = json.NewEncoder(c.w).Encode(status)
	}
}

// carriedOutBut gives another answer to a request that was carried out.
func carriedOutBut(other fault) fault {
	return func(c *call) {
		c.carryOut()
		other(c)
	}
}

// expire opens a watch, and ends it with an event that says 410.
func expire(c *call) {
	c.w.Header().Set("Content-Type", "application/json")
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: "made up: too old resource version",
	}
	_ = json.NewEncoder(c.w).Encode(map[string]any{"type": "ERROR", "object": status})
}

// cutAfter passes on n pieces of a watch, which are events, and closes the connection before the next.
func cutAfter(n int) fault {
	return func(c *call) {
		c.w = &cutter{ResponseWriter: c.w, left: n, cut: c.hangUp}
		c.pass()
	}
}

type cutter struct {
	http.ResponseWriter
	left int
	cut  func()
}

func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutter) Write(b []byte) (int, error) {
	if c.left == 0 {
		c.cut()
	}
	c.left--
	return c.ResponseWriter.Write(b)
}
