package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// client makes connections to one server, and sends one request over them. It never sends a request again: what was written and
// not answered is lost, as it would be for a client that does not know whether a second try does harm.
type client struct {
	address string
	request *http.Request
	bytes   []byte
}

// connection belongs to one request at a time.
type connection struct {
	net.Conn
	unread *bufio.Reader
	keep   bool // neither side has said that it ends
}

func newClient(u *url.URL) (*client, error) {
	request := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{"User-Agent": {"canary-load"}}}
	var written bytes.Buffer
	if err := request.Write(&written); err != nil {
		return nil, err
	}
	return &client{address: u.Host, request: request, bytes: written.Bytes()}, nil
}

func (c *client) connect(deadline time.Time) (*connection, error) {
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(context.Background(), "tcp", c.address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn, unread: bufio.NewReader(conn), keep: true}, nil
}

// exchange returns the version that answered, which a failing server may have told too. An error of the answer's status is a statusError.
func (c *client) exchange(conn *connection, deadline time.Time) (version string, err error) {
	whole := false
	defer func() { conn.keep = conn.keep && whole }()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	if _, err := conn.Write(c.bytes); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(conn.unread, c.request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	version = response.Header.Get("X-Version")
	if version == "" {
		version = "unknown"
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return version, err
	}
	whole = !response.Close
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return version, statusError(response.StatusCode)
	}
	return version, nil
}

// usable tells whether a connection can carry a request: it was not closed, nor written to, by the server since the last one.
func (conn *connection) usable() bool {
	if !conn.keep || conn.unread.Buffered() > 0 {
		return false
	}
	raw, err := conn.Conn.(syscall.Conn).SyscallConn()
	if err != nil || conn.SetDeadline(time.Time{}) != nil {
		return false
	}
	silent := false
	err = raw.Read(func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), make([]byte, 1)) // does not wait: Go's sockets never do
		silent = err == syscall.EAGAIN
		return true
	})
	return err == nil && silent
}

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("the answer is %d", int(e)) }
