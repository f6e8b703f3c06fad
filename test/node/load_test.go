package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// load is a load generator at work on one Service.
type load struct {
	t     testing.TB
	cmd   *exec.Cmd
	rate  int // requests in a second
	out   bytes.Buffer
	began time.Time
	err   bytes.Buffer
	end   sync.Once
}

// report is what the load generator reports, as far as it counts here. Times of failures are when requests were due.
type report struct {
	Started  time.Time          `json:"started"`
	Valid    bool               `json:"valid"`
	Reason   string             `json:"reason"`
	Requests int                `json:"requests"`
	Failed   int                `json:"failed"`
	Versions map[string]answers `json:"versions"`
	Failures map[string]struct {
		Count   int    `json:"count"`
		Example string `json:"example"`
	} `json:"failures"`
	FirstFailure  *time.Time `json:"firstFailure"`
	LastFailure   *time.Time `json:"lastFailure"`
	LongestOutage float64    `json:"longestOutage"` // seconds
}

// answers are those of a version, by when they came.
type answers struct {
	Requests     int       `json:"requests"`
	Failed       int       `json:"failed"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
	FirstFailure time.Time `json:"firstFailure"` // zero without one
	LastFailure  time.Time `json:"lastFailure"`
}

// rate is the requests in a second, each on a connection of its own.
const rate = 200

// startLoad sends requests to a Service until stop, or for ten minutes. flags are the load generator's.
func startLoad(t testing.TB, namespace, service string, flags ...string) *load {
	t.Helper()
	forgetConnections(t)
	return request(t, namespace, service, rate, flags...)
}

func request(t testing.TB, namespace, service string, rate int, flags ...string) *load {
	t.Helper()
	address := runs(t, "", "kubectl", "get", "service", service, "-n", namespace, "-o", "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}")
	l := &load{t: t, rate: rate, began: time.Now()}
	args := []string{"canary-load", "--url", "http://" + address + "/", "--rate", fmt.Sprint(rate), "--for", "10m"}
	l.cmd = cluster.command(t.Context(), append(args, flags...)...)
	l.cmd.Stdout, l.cmd.Stderr = &l.out, &l.err
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.end.Do(func() { _ = l.cmd.Process.Kill(); _ = l.cmd.Wait() }) })
	return l
}

// forgetConnections empties the node's table of connections, so that a port that is used again does not lead to a pod that
// has gone: that is nothing a move does.
func forgetConnections(t testing.TB) {
	t.Helper()
	out, err := cluster.command(t.Context(), "conntrack", "-F").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// until goes on until so many requests were sent since the load began.
func (l *load) until(requests int) *load {
	time.Sleep(time.Until(l.began.Add(time.Duration(requests) * time.Second / time.Duration(l.rate))))
	return l
}

// stop ends the load and returns what became of it. A run that was not what it should be fails the test.
func (l *load) stop() report {
	l.t.Helper()
	r := l.finish()
	if !r.Valid {
		l.t.Fatalf("the load is not valid: %s", r.Reason)
	}
	return r
}

// finish is stop, for who looks at r.Valid.
func (l *load) finish() (r report) {
	l.t.Helper()
	const invalid = 2 // its exit code of a run that it has reported all the same
	l.end.Do(func() {
		if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			l.t.Fatal(err)
		}
		if err := l.cmd.Wait(); err != nil && l.cmd.ProcessState.ExitCode() != invalid {
			l.t.Fatalf("%v\n%s%s", err, l.out.String(), l.err.String())
		}
		if err := json.Unmarshal(l.out.Bytes(), &r); err != nil {
			l.t.Fatal(err)
		}
	})
	return r
}

// String is one line.
func (r report) String() string {
	s := fmt.Sprintf("%d requests, %d failed", r.Requests, r.Failed)
	for kind, f := range r.Failures {
		s += fmt.Sprintf(", %d %s (%s)", f.Count, kind, strings.TrimSpace(f.Example))
	}
	if r.Failed > 0 {
		s += fmt.Sprintf(", longest outage %.2fs", r.LongestOutage)
	}
	return s
}

// wantNothingLost fails the test where a request was lost, or fewer were sent than it takes to tell.
func (r report) wantNothingLost(t testing.TB, atLeast int) {
	t.Helper()
	t.Log(r)
	if r.Failed > 0 || r.Requests < atLeast {
		t.Errorf("lost requests, or too few: %s; want none of %d", r, atLeast)
	}
}

// share is the part of v2 in the requests that were answered.
func (r report) share() float64 {
	return float64(r.Versions["v2"].Requests) / float64(r.Versions["v1"].Requests+r.Versions["v2"].Requests)
}
