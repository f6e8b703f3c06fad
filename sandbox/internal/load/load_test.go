package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestVersions(t *testing.T) {
	server := answer(t, func(n int64, w http.ResponseWriter) {
		version := "v2"
		if n <= 60 {
			version = []string{"v1", "v1", "v2"}[n%3]
		}
		w.Header().Set("X-Version", version)
		if n == 1 {
			time.Sleep(100 * time.Millisecond) // the first to begin is not the first to end
		}
		if n == 100 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	r := start(t, Options{URL: server.URL, Rate: 100, For: time.Second})
	report := r.Report()
	v1, v2 := report.Versions["v1"], report.Versions["v2"]
	if len(report.Versions) != 2 || v1 == nil || v2 == nil {
		t.Fatalf("versions are %v", report.Versions)
	}
	if v1.Requests != 40 || v1.Failed != 0 || v2.Requests != 60 || v2.Failed != 1 {
		t.Errorf("v1 has %+v, v2 %+v", v1, v2)
	}
	if report.Requests != 100 || report.OK != 99 || report.Failed != 1 || !report.Valid {
		t.Errorf("%d requests, %d ok, %d failed, reason %q", report.Requests, report.OK, report.Failed, report.Reason)
	}
	if after := v1.Last.Sub(report.Started).Seconds(); after < 0.55 || after > 0.9 {
		t.Errorf("the last answer of v1 came after %v s", after)
	}
	if !v2.Last.After(v1.Last) || v1.First.Before(report.Started) || v2.Last.After(report.Ended) {
		t.Errorf("out of order: %v, v1 %v-%v, v2 %v-%v, %v", report.Started, v1.First, v1.Last, v2.First, v2.Last, report.Ended)
	}
	if !slices.IsSortedFunc(r.Requests, func(a, b Request) int { return int(a.At - b.At) }) {
		t.Error("the requests are not in the order in which they were due")
	}
	if len(report.Timeline) != 1 || report.Timeline[0].OK["v1"] != 40 || report.Timeline[0].OK["v2"] != 59 || report.Timeline[0].Failed[HTTP5xx] != 1 {
		t.Errorf("timeline is %+v", report.Timeline[0])
	}
}

func TestFailures(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	for _, c := range []struct {
		failure Failure
		name    string
		url     string
	}{
		{Refused, "nobody listens", "http://" + listener.Addr().String()},
		{Reset, "reset when the request is read", accept(t, func(conn *net.TCPConn) { readRequest(conn); _ = conn.SetLinger(0) })},
		{Reset, "reset within the answer", accept(t, func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nv1")
			time.Sleep(20 * time.Millisecond)
			_ = conn.SetLinger(0)
		})},
		{EOF, "closed when the request is read", accept(t, func(conn *net.TCPConn) { readRequest(conn) })},
		{EOF, "closed within the answer", accept(t, func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nv1")
		})},
		{Timeout, "no answer", accept(t, func(conn *net.TCPConn) { readRequest(conn); readRequest(conn) })},
		{Timeout, "half an answer", accept(t, func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nv1")
			readRequest(conn)
		})},
		{Timeout, "no connection", full(t)},
		{HTTP5xx, "500", answer(t, func(_ int64, w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }).URL},
		{Other, "404", answer(t, func(_ int64, w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }).URL},
		{Other, "redirected", answer(t, func(_ int64, w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		}).URL},
		{Other, "not HTTP", accept(t, func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "hello, this is not HTTP\r\n\r\n")
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, keepAlive := range []int{0, 10} {
				r := start(t, Options{URL: c.url, Rate: 40, For: 250 * time.Millisecond, Timeout: 300 * time.Millisecond, KeepAlive: keepAlive})
				report := r.Report()
				lost := report.Failures[c.failure]
				if len(report.Failures) != 1 || lost == nil || lost.Count != 10 || lost.Example == "" || report.Failed != 10 || report.OK != 0 || !report.Valid {
					t.Fatalf("keep-alive %d: %d failed of 10; %v, first %+v, reason %q", keepAlive, report.Failed, r.Examples, lost, report.Reason)
				}
				if got := lost.Last.Sub(lost.First); got != 225*time.Millisecond || !lost.First.Equal(report.Started) {
					t.Errorf("the failures are %v apart, the first %v after the start", got, lost.First.Sub(report.Started))
				}
				for _, q := range r.Requests {
					if timeout := c.failure == Timeout; timeout != (q.Took >= 300*time.Millisecond) || q.Took > time.Second {
						t.Errorf("a request took %v", q.Took)
					}
				}
			}
		})
	}
}

// The answers' time changes nothing about when requests begin.
func TestSchedule(t *testing.T) {
	var arrived []time.Time
	turn := make(chan struct{}, 1)
	server := answer(t, func(_ int64, _ http.ResponseWriter) {
		turn <- struct{}{}
		arrived = append(arrived, time.Now())
		<-turn
		time.Sleep(400 * time.Millisecond)
	})
	r := start(t, Options{URL: server.URL, Rate: 200, For: 2 * time.Second})
	report := r.Report()
	if report.OK != 400 || !report.Valid {
		t.Fatalf("%d ok of 400, reason %q, %v", report.OK, report.Reason, r.Examples)
	}
	slices.SortFunc(arrived, time.Time.Compare)
	late := 0
	for i, at := range arrived {
		after := at.Sub(r.Started) - time.Duration(i)*5*time.Millisecond
		if after < -5*time.Millisecond {
			t.Fatalf("request %d came %v before it was due", i, -after)
		}
		if after > 100*time.Millisecond {
			late++
		}
	}
	if late > 40 {
		t.Errorf("%d of 400 requests came more than 100 ms late", late)
	}
	if p50 := report.Latency.P50; p50 < 0.4 || p50 > 0.6 || report.Latency.Max < report.Latency.P99 || report.Latency.P99 < p50 {
		t.Errorf("latency is %+v", report.Latency)
	}
	if len(report.Timeline) != 2 || report.Timeline[0].OK["unknown"] != 200 || report.Timeline[1].OK["unknown"] != 200 {
		t.Errorf("timeline has %d seconds, of which the first %+v", len(report.Timeline), report.Timeline[0])
	}
}

// What cannot be sent when it is due makes the run invalid, and slows nothing down.
func TestShed(t *testing.T) {
	url := accept(t, func(conn *net.TCPConn) { readRequest(conn); readRequest(conn) })
	for _, o := range []Options{{InFlight: 5}, {KeepAlive: 5}} {
		o.URL, o.Rate, o.For, o.Timeout = url, 100, time.Second, 800*time.Millisecond
		report := start(t, o).Report()
		if report.Valid || !strings.Contains(report.Reason, "not sent") || report.Shed == 0 || report.Requests+report.Shed != 100 || report.Requests < 5 {
			t.Errorf("in flight %d, keep-alive %d: %d sent, %d shed, valid %v: %s",
				o.InFlight, o.KeepAlive, report.Requests, report.Shed, report.Valid, report.Reason)
		}
		if took := report.Ended.Sub(report.Started); took > 2400*time.Millisecond {
			t.Errorf("in flight %d, keep-alive %d: it took %v", o.InFlight, o.KeepAlive, took)
		}
	}
}

func TestInterrupt(t *testing.T) {
	server := answer(t, func(int64, http.ResponseWriter) { time.Sleep(200 * time.Millisecond) })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	seen := 0
	r, err := Start(ctx, Options{URL: server.URL, Rate: 100, For: time.Minute, Timeout: time.Second, InFlight: 100}, func(ended []Request) { seen = len(ended) })
	if err != nil {
		t.Fatal(err)
	}
	report := r.Report()
	if !report.Interrupted || !report.Valid || report.Failed != 0 || report.OK < 45 || report.OK > 55 {
		t.Errorf("interrupted %v, %d ok, %d failed, reason %q", report.Interrupted, report.OK, report.Failed, report.Reason)
	}
	if seen != 0 {
		t.Errorf("progress tells of %d requests before a second has passed", seen)
	}
}

func TestProgress(t *testing.T) {
	server := answer(t, func(int64, http.ResponseWriter) {})
	var seen []int
	_, err := Start(t.Context(), Options{URL: server.URL, Rate: 50, For: 2500 * time.Millisecond, Timeout: time.Second, InFlight: 50},
		func(ended []Request) { seen = append(seen, len(ended)) })
	if err != nil || len(seen) != 2 || seen[0] < 40 || seen[0] > 55 || seen[1] < 90 || seen[1] > 105 {
		t.Errorf("progress tells of %v requests, %v", seen, err)
	}
}
