package test

import (
	"context"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

// record begins the history of the script's namespace, unless it has begun.
func (s *script) record(ts *testscript.TestScript) *witness.History {
	if s.history == nil {
		h, err := witness.Watch(cluster.client, s.namespace)
		ts.Check(err)
		ts.Defer(h.End)
		s.history = h
	}
	return s.history
}

// bounds SERVICE FLOOR CEILING [DEPLOYMENT...]: from now on at least FLOOR endpoints are ready, and at most CEILING pods
// exist that are not terminating, of these Deployments; of all that the Service selects if none is given. It replaces the
// bound of the Service before.
func cmdBounds(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: bounds SERVICE FLOOR CEILING [DEPLOYMENT...]")
	}
	s := of(ts)
	s.record(ts)
	b := &witness.Bound{Service: args[0], Deployments: args[3:], From: presentVersion(ts, s.namespace)}
	var err error
	b.Floor, err = strconv.Atoi(args[1])
	ts.Check(err)
	b.Ceiling, err = strconv.Atoi(args[2])
	ts.Check(err)
	if len(b.Deployments) == 0 {
		b.Deployments, err = witness.Behind(context.Background(), cluster.client, s.namespace, b.Service)
		ts.Check(err)
	}
	for _, old := range s.bounds {
		if old.Service == b.Service && old.To == 0 {
			old.To = b.From
		}
	}
	s.bounds = append(s.bounds, b)
}

// bounds-held: the bounds were kept at every moment until now, and end.
func cmdBoundsHeld(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if len(args) != 0 || len(s.bounds) == 0 {
		ts.Fatalf("usage: bounds, and later bounds-held")
	}
	now := presentVersion(ts, s.namespace)
	events, err := s.history.Sorted(context.Background())
	ts.Check(err)
	broken := false
	for _, b := range s.bounds {
		if b.To == 0 {
			b.To = now
		}
		verdict := b.Judge(events)
		ts.Logf("%s", verdict)
		broken = broken || len(verdict.Violations) > 0
	}
	s.bounds = nil
	if broken {
		ts.Fatalf("a bound was broken")
	}
}

// presentVersion is the resource version of now.
func presentVersion(ts *testscript.TestScript, namespace string) uint64 {
	version, err := witness.Present(context.Background(), cluster.client, namespace)
	ts.Check(err)
	return version
}
