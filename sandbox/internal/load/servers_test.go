package load

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, o Options) Run {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	if o.InFlight == 0 {
		o.InFlight = 1000
	}
	r, err := Start(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answer begins a server on 127.0.0.1 that answers the nth request, from 1, by do.
func answer(t *testing.T, do func(n int64, w http.ResponseWriter)) *httptest.Server {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { do(n.Add(1), w) }))
	t.Cleanup(server.Close)
	return server
}

// accept begins a server that does as do says with each connection, which it closes then.
func accept(t *testing.T, do func(*net.TCPConn)) (url string) {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				do(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func readRequest(conn io.Reader) bool {
	n, err := conn.Read(make([]byte, 4096))
	return n > 0 && err == nil
}

// full is a server whose queue is full, so that connecting to it takes forever.
func full(t *testing.T) (url string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}
	for range 20 {
		conn, err := net.DialTimeout("tcp", address.String(), 50*time.Millisecond)
		if err != nil {
			return "http://" + address.String()
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the queue never fills")
	return ""
}
