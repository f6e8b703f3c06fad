package load

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// sender sends requests, each on its own, and collects what becomes of them.
type sender struct {
	client   *client
	inFlight chan struct{}
	idle     chan *place // those that no request has, the one that has been idle longest first
	sent     sync.WaitGroup

	mu       sync.Mutex
	run      Run
	versions map[string]string // each once, however many answers have told it
}

// place is where a connection is kept from request to request.
type place struct {
	conn *connection
	used bool // had one before
}

func newSender(o Options, c *client) *sender {
	s := &sender{
		client:   c,
		inFlight: make(chan struct{}, o.InFlight),
		idle:     make(chan *place, o.KeepAlive),
		versions: map[string]string{},
	}
	for range o.KeepAlive {
		s.idle <- &place{}
	}
	s.run = Run{Options: o, Started: time.Now(), Examples: map[Failure]string{}}
	return s
}

// send begins a request, and does not wait for it.
func (s *sender) send(due time.Time) {
	select {
	case s.inFlight <- struct{}{}:
	default:
		s.shed()
		return
	}
	s.sent.Go(func() {
		defer func() { <-s.inFlight }()
		p := &place{}
		if s.run.KeepAlive > 0 {
			select {
			case p = <-s.idle:
			case <-time.After(time.Until(due.Add(maxLate))):
				s.shed()
				return
			}
		}
		began := time.Now()
		version, err := s.over(p, began.Add(s.run.Timeout))
		s.add(Request{At: due.Sub(s.run.Started), Took: time.Since(due), Version: version, Failure: classify(err)}, began.Sub(due), err)
		if s.run.KeepAlive > 0 {
			s.idle <- p
		} else if p.conn != nil {
			p.conn.Close()
		}
	})
}

// over sends a request over the connection of a place, which is made if there is none, or none that can be used again.
func (s *sender) over(p *place, deadline time.Time) (version string, err error) {
	if p.conn != nil && !p.conn.usable() {
		p.conn.Close()
		p.conn = nil
	}
	if p.conn == nil {
		if p.used {
			s.mu.Lock()
			s.run.Reconnects++
			s.mu.Unlock()
		}
		if p.conn, err = s.client.connect(deadline); err != nil {
			return "", err
		}
		p.used = true
	}
	return s.client.exchange(p.conn, deadline)
}

func (s *sender) shed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run.Shed++
}

func (s *sender) add(r Request, late time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.versions[r.Version]; ok {
		r.Version = known
	} else {
		s.versions[r.Version] = r.Version
	}
	if _, ok := s.run.Examples[r.Failure]; err != nil && !ok {
		s.run.Examples[r.Failure] = err.Error()
	}
	s.run.Late = max(s.run.Late, late)
	s.run.Requests = append(s.run.Requests, r)
}

// end closes what was kept, when all is answered.
func (s *sender) end() Run {
	s.run.Ended = time.Now()
	for range s.run.KeepAlive {
		if p := <-s.idle; p.conn != nil {
			p.conn.Close()
		}
	}
	slices.SortFunc(s.run.Requests, func(a, b Request) int { return cmp.Compare(a.At, b.At) })
	return s.run
}

// report gives the requests that have ended to progress once a second, until stop is called.
func (s *sender) report(progress func([]Request)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	over := make(chan struct{})
	var reporting sync.WaitGroup
	reporting.Go(func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			select {
			case <-second.C:
				s.mu.Lock()
				ended := s.run.Requests
				s.mu.Unlock()
				progress(ended)
			case <-over:
				return
			}
		}
	})
	return func() { close(over); reporting.Wait() }
}
