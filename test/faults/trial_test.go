package faults

import (
	"fmt"
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
	// rules are what the proxy does; around is what else happens to the scene before the command is run.
	rules  func(s *scene) []*rule
	around func(s *scene)
	args   []string
	world  messenger.Options

	exit   int
	says   []string // patterns that stderr has to match
	silent []string // patterns that it must not
	end    string   // in the words of ending
	within time.Duration
	floor  int // 4 unless given
	// again is what has to be done before the same command completes; nil where nothing has.
	mend func(s *scene)
	// loop is what becomes of the loop of `kubectl scale`: exit code, end, and whether the floor was held.
	loop string
}

var (
	before  = split{3, 1}
	planned = split{2, 2}
)

// loop scales the versions of one service after the other, and waits for nothing.
const loop = `for s in "$@"; do
kubectl scale deployment/$s-v2 --replicas=2
kubectl scale deployment/$s-v1 --replicas=2
done`

// try tries a fault once on the plugin and, where the scene is the same afterwards, once on the loop.
func (tr trial) try(t *testing.T) {
	t.Parallel()
	s := newScene(t, tr.world)
	args := tr.args
	if args == nil {
		args = []string{"shift", "--to", "50"}
	}
	if tr.floor == 0 {
		tr.floor = 4
	}
	say("%s", tr.name)

	since := s.present()
	rules := tr.begin(s)
	e := s.canary(args...)
	met := s.proxy.met()
	s.proxy.set()
	tr.check(s, e, met, rules)
	if tr.mend != nil {
		tr.mend(s)
	}
	if tr.exit != 0 {
		if again := s.canary(args...); again.code != 0 {
			t.Errorf("the same command does not complete:\n%s", again)
		}
		if end := s.ending(); end != "as planned" {
			t.Errorf("after the same command again: %s, want as planned", end)
		}
	}
	s.bounded(since, tr.floor, 5)
	if t.Failed() {
		t.Logf("%s\n%s", e, s.proxy.requests())
	}
	if tr.loop != "" {
		tr.tryLoop(s)
	}
	report.add(tr.name)
}

func (tr trial) begin(s *scene) []*rule {
	var rules []*rule
	if tr.rules != nil {
		rules = tr.rules(s)
	}
	s.proxy.set(rules...)
	if tr.around != nil {
		tr.around(s)
	}
	return rules
}

// check compares how the command ended with what has to come of it.
func (tr trial) check(s *scene, e ended, met int, rules []*rule) {
	s.Helper()
	if len(rules) > 0 && met == 0 {
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
	tr.begin(s)
	e := s.run(append([]string{"sh", "-c", loop, "sh"}, s.services...)...)
	met := s.proxy.met()
	s.proxy.set()
	end := s.ending()
	settle(s)
	floor := "floor held"
	for _, v := range s.judge(since, 4, 8) {
		if v.Least < 4 {
			floor = "floor broken"
		}
	}
	got := fmt.Sprintf("%d, %s, %s", e.code, end, floor)
	if tr.rules != nil && met == 0 {
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
	return []group{{"network", network()}}
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
