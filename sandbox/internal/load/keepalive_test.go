package load

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const ok = "HTTP/1.1 200 OK\r\nX-Version: v1\r\nContent-Length: 2\r\n\r\nv1"

// A request that was written is never sent again, or a lost one would not be seen. A connection that has ended before is just made anew.
func TestKeepAlive(t *testing.T) {
	for _, c := range []struct {
		name                          string
		serve                         func(*net.TCPConn)
		connections, lost, reconnects int
	}{
		{"kept", func(conn *net.TCPConn) {
			for readRequest(conn) {
				_, _ = io.WriteString(conn, ok)
			}
		}, 5, 0, 0},
		{"closed after every other answer", func(conn *net.TCPConn) {
			for range 2 {
				readRequest(conn)
				_, _ = io.WriteString(conn, ok)
			}
		}, 50, 0, 45},
		{"reset after every answer", func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, ok)
			time.Sleep(10 * time.Millisecond) // the answer is read meanwhile
			_ = conn.SetLinger(0)
		}, 100, 0, 95},
		{"closed on every other request", func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, ok)
			readRequest(conn)
		}, 50, 50, 45},
		{"said to end after every answer", func(conn *net.TCPConn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, strings.Replace(ok, "X-Version: v1", "Connection: close", 1))
			readRequest(conn)
		}, 100, 0, 95},
		{"told more than was asked", func(conn *net.TCPConn) {
			for readRequest(conn) {
				_, _ = io.WriteString(conn, ok+ok)
			}
		}, 100, 0, 95},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			url := accept(t, func(conn *net.TCPConn) {
				connections.Add(1)
				c.serve(conn)
			})
			r := start(t, Options{URL: url, Rate: 50, For: 2 * time.Second, KeepAlive: 5, Timeout: time.Second})
			report := r.Report()
			if report.Failed != c.lost || report.Requests != 100 || report.Reconnects != c.reconnects || !report.Valid {
				t.Errorf("%d failed of %d, %d reconnects, reason %q, %v", report.Failed, report.Requests, report.Reconnects, report.Reason, r.Examples)
			}
			if got := connections.Load(); got != int64(c.connections) {
				t.Errorf("%d connections were made, not %d", got, c.connections)
			}
		})
	}
}

// A connection that was idle for longer than the timeout is as good as any.
func TestKeepAliveIdle(t *testing.T) {
	server := answer(t, func(int64, http.ResponseWriter) {})
	report := start(t, Options{URL: server.URL, Rate: 5, For: 2 * time.Second, KeepAlive: 2, Timeout: 100 * time.Millisecond}).Report()
	if report.OK != 10 || report.Reconnects != 0 {
		t.Errorf("%d ok of 10, %d reconnects", report.OK, report.Reconnects)
	}
}

// Without keep-alive, each request has a connection of its own, and it is this side that closes it.
func TestNewConnections(t *testing.T) {
	var opened, closedHere atomic.Int64
	url := accept(t, func(conn *net.TCPConn) {
		opened.Add(1)
		readRequest(conn)
		_, _ = io.WriteString(conn, ok)
		if n, err := conn.Read(make([]byte, 1)); n == 0 && errors.Is(err, io.EOF) {
			closedHere.Add(1)
		}
	})
	report := start(t, Options{URL: url, Rate: 100, For: time.Second}).Report()
	time.Sleep(100 * time.Millisecond)
	if report.OK != 100 || report.Reconnects != 0 || opened.Load() != 100 || closedHere.Load() != 100 {
		t.Errorf("%d ok, %d reconnects, %d connections, %d closed by the client", report.OK, report.Reconnects, opened.Load(), closedHere.Load())
	}
}
