package faults

import (
	"net"
	"sync"
)

// line is a listener whose connections can go dead: nothing comes through any more, in neither direction, and nobody is told.
type line struct {
	net.Listener

	mu    sync.Mutex
	conns []*deadable
	dead  bool
}

type deadable struct {
	net.Conn

	mu     sync.Mutex
	gone   chan struct{} // closed with the connection
	silent bool
	once   sync.Once
}

func (l *line) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d := &deadable{Conn: c, gone: make(chan struct{}), silent: l.dead}
	l.conns = append(l.conns, d)
	return d, nil
}

// die makes the connections that there are go dead, and with forGood those that come later too.
func (l *line) die(forGood bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = forGood
	for _, c := range l.conns {
		c.mu.Lock()
		c.silent = true
		c.mu.Unlock()
	}
}

// revive lets connections that come from now on live.
func (l *line) revive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = false
}

// close ends all connections, the dead ones too.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
}

func (c *deadable) isSilent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.silent
}

func (c *deadable) Read(b []byte) (int, error) {
	n, err := 0, error(nil)
	if !c.isSilent() {
		n, err = c.Conn.Read(b)
	}
	if c.isSilent() { // what has come is not taken in
		<-c.gone
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *deadable) Write(b []byte) (int, error) {
	if c.isSilent() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *deadable) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}
