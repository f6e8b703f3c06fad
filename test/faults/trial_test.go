package faults

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
)

// trial is one fault, and what has to come of it. Without anything else it is `shift --to 50` of two services from 3/1.
type trial struct {
	name  string // of the test
	fault string // in the table
	// rules are what the proxy does; around is what else is wrong while the command runs, until what it returns is called.
	rules  func(s *scene) []*rule
	around func(s *scene) (end func())
	lasts  bool // what is around goes on after the command has ended, and is waited for
	args   []string
	sick   map[string]map[string]string // the sandbox's annotations of the pods of a Deployment
	settle time.Duration

	exit   int
	says   []string // patterns that stderr has to match
	silent []string // patterns that it must not
	end    string   // in the words of ending
	within time.Duration
	floor  int            // 4 unless given
	mend   func(s *scene) // what has to be done before the same command completes; nil where nothing has
	// loop is what becomes of the loop of `kubectl scale`: exit code, end, and whether the floor was held.
	loop string
}

var (
	before  = split{3, 1}
	planned = split{2, 2}
)

// loopLimit is how long the loop may take until it is killed.
const loopLimit = 20 * time.Second

// loop scales the versions of one service after the other, and waits for nothing.
const loop = `for s in "$@"; do
kubectl scale deployment/$s-v2 --replicas=2
kubectl scale deployment/$s-v1 --replicas=2
done`

// try tries a fault once on the plugin, then on the loop, and then mends what is broken and runs the same command again.
func (tr trial) try(t *testing.T) {
	t.Parallel()
	s := newScene(t, tr.slowly())
	if tr.args == nil {
		tr.args = []string{"shift", "--to", "50"}
	}
	tr.args = append(tr.args, "--settle", tr.settle.String())
	if tr.floor == 0 {
		tr.floor = 4
	}
	say("%s", tr.name)

	since := s.present()
	stop := tr.begin(s)
	e := s.canary(tr.args...)
	met := s.proxy.met()
	stop()
	tr.check(s, e, met)
	s.bounded(since, tr.floor, 5)
	if t.Failed() {
		t.Logf("%s\n%s", e, s.proxy.requests())
	}
	if tr.loop != "" {
		tr.tryLoop(s)
		s.reset(before)
	}
	tr.tryAgain(s)
	report.add(tr.name)
}

// slowly lets the pods of the second version take longer to be ready than the loop does to go on.
func (tr trial) slowly() messenger.Options {
	annotations := map[string]map[string]string{"auth-v2": {"ready-after": "3s"}, "chat-v2": {"ready-after": "3s"}}
	for deployment, some := range tr.sick {
		maps.Copy(annotations[deployment], some)
	}
	return messenger.Options{Annotations: annotations}
}

// tryAgain runs the same command without the fault: it completes, or has nothing to do any more.
func (tr trial) tryAgain(s *scene) {
	s.Helper()
	if tr.mend != nil {
		tr.mend(s)
	}
	since := s.present()
	if again := s.canary(tr.args...); again.code != 0 {
		s.Errorf("the same command does not complete:\n%s", again)
	}
	if end := s.ending(); end != "as planned" {
		s.Errorf("after the same command again: %s, want as planned", end)
	}
	s.bounded(since, tr.floor, 5)
}

// begin lets the fault be there, until stop.
func (tr trial) begin(s *scene) (stop func()) {
	var rules []*rule
	if tr.rules != nil {
		rules = tr.rules(s)
	}
	s.proxy.set(rules...)
	end := func() {}
	if tr.around != nil {
		end = tr.around(s)
	}
	return func() {
		s.proxy.set()
		end()
	}
}

// check compares how the command ended with what has to come of it.
func (tr trial) check(s *scene, e ended, met int) {
	s.Helper()
	if tr.rules != nil && met == 0 {
		s.Error("the fault was never met")
	}
	if e.code != tr.exit {
		s.Errorf("exit code %d, want %d", e.code, tr.exit)
	}
	for _, pattern := range tr.says {
		if !regexp.MustCompile(`(?m)` + pattern).MatchString(e.Stderr.String()) {
			s.Errorf("it does not say %q", pattern)
		}
	}
	for _, pattern := range tr.silent {
		if regexp.MustCompile(`(?m)` + pattern).MatchString(e.Stderr.String()) {
			s.Errorf("it says %q", pattern)
		}
	}
	if end := s.ending(); end != tr.end {
		s.Errorf("it ends %s, want %s", end, tr.end)
	}
	if took := e.Until.Sub(e.Since); tr.within > 0 && took > tr.within {
		s.Errorf("it took %s, want %s at most", took, tr.within)
	}
}

// tryLoop lets the loop meet the same fault, from where the plugin began.
func (tr trial) tryLoop(s *scene) {
	s.Helper()
	s.reset(before)
	since := s.present()
	stop := tr.begin(s)
	p := s.start(append([]string{"sh", "-c", loop, "sh"}, s.services...)...)
	hangs := false
	select {
	case <-p.Ended:
	case <-time.After(loopLimit):
		hangs = true
		p.Kill()
	}
	e := s.end(p)
	met := s.proxy.met()
	if tr.lasts {
		time.Sleep(3 * time.Second)
	}
	end := s.ending()
	stop()
	settle(s)
	floor := "floor held"
	for _, v := range s.judge(since, tr.floor, 8) {
		if v.Least < tr.floor {
			floor = "floor broken"
		}
	}
	got := fmt.Sprintf("%d, %s, %s", e.code, end, floor)
	if !strings.Contains(tr.loop, "floor") { // it depends on who is faster
		got = fmt.Sprintf("%d, %s", e.code, end)
	}
	switch {
	case hangs:
		got = fmt.Sprintf("hangs, %s", end)
	case tr.rules != nil && met == 0:
		got = "does not ask for it"
	}
	if got != tr.loop {
		s.Errorf("the loop: %s, want %s\n%s\n%s", got, tr.loop, e, s.proxy.requests())
	}
}

// settle gives the controllers time to do what the loop has asked for.
func settle(s *scene) {
	deadline := time.Now().Add(10 * time.Second)
	for messenger.Ready(s.Context(), cluster.client, s.namespace) != nil && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
	}
}

// ending says where the releases are: as before, as planned, or what else there is.
func (s *scene) ending() string {
	s.Helper()
	all := s.splits()
	everywhere := func(at split) bool {
		return !slices.ContainsFunc(s.services, func(service string) bool { return all[service] != at })
	}
	switch {
	case everywhere(before):
		return "as before"
	case everywhere(planned):
		return "as planned"
	}
	var words []string
	for _, service := range s.services {
		words = append(words, service+" "+all[service].String())
	}
	return strings.Join(words, ", ")
}

// group is a table of trials.
type group struct {
	block  string
	trials []trial
}

// groups are all that is tried.
func groups() []group {
	return []group{{"network", network()}, {"hands", hands()}, {"pods", pods()}, {"state", state()}}
}

// TestFaults tries every fault of the table.
func TestFaults(t *testing.T) {
	for _, g := range groups() {
		for _, tr := range g.trials {
			for n := range *runs {
				t.Run(fmt.Sprintf("%s/%d", tr.name, n+1), tr.try)
			}
		}
	}
}
