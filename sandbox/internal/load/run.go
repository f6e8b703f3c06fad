package load

import (
	"context"
	"time"
)

// maxLate is how long after it was due a request may begin: what happens to a server meanwhile nobody sees. It waits as long
// for a connection to come free.
const maxLate = 500 * time.Millisecond

// Request is what became of one request.
type Request struct {
	At      time.Duration // when it was due, from the start of the run
	Took    time.Duration // from then to the last byte of the answer, or to the failure: what begins late counts as slow
	Version string        // of the answer, failed or not; empty without one
	Failure Failure
}

// Run is what was sent, and what came of it.
type Run struct {
	Options
	Started, Ended time.Time // the first request is due at the start, the last answer has come at the end
	Interrupted    bool
	Requests       []Request          // that were sent, in the order in which they were due
	Shed           int                // were due, and not sent: too many in flight, or no connection came free in time
	Late           time.Duration      // by which the latest request began after it was due
	Reconnects     int                // connections made in the place of one that was to be kept
	Examples       map[Failure]string // the message of the first of each
}

// Start runs the schedule to its end or to that of ctx, and then waits for the answers to what was sent. An error is one of the
// options. Once a second progress, if not nil, is given the requests that have ended.
func Start(ctx context.Context, o Options, progress func([]Request)) (Run, error) {
	u, err := o.check()
	if err != nil {
		return Run{}, err
	}
	client, err := newClient(u)
	if err != nil {
		return Run{}, err
	}
	s := newSender(o, client)
	stop := s.report(progress)
	next := time.NewTimer(0)
	defer next.Stop()
	interrupted := false
	for i := 0; o.due(i) < o.For && !interrupted; i++ {
		due := s.run.Started.Add(o.due(i))
		next.Reset(time.Until(due))
		select {
		case <-next.C:
			s.send(due)
		case <-ctx.Done():
			interrupted = true
		}
	}
	s.sent.Wait()
	stop()
	s.run.Interrupted = interrupted
	return s.end(), nil
}
