package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// race is two operators who move the same four services at once.
type race struct {
	name           string
	start          split
	first, second  []string
	user           string
	ends           []split // where they may leave a service; with locks, all of them at the same
	floor, ceiling int     // of the two moves together
}

// unlocked is a user who has the operator's Role but for Leases.
const unlocked = "unlocked"

func races() []race {
	to := func(n string) []string { return []string{"shift", "--to", n, "--replicas", "3"} }
	back := []string{"rollback", "--replicas", "3"}
	shifts := race{start: split{2, 2}, first: to("25"), second: to("75"), ends: []split{{2, 2}, {3, 1}, {1, 3}}, floor: 4, ceiling: 5}
	backs := race{start: before, first: to("50"), second: back, ends: []split{before, planned, {3, 0}}, floor: 3, ceiling: 6}
	all := []race{shifts, shifts, backs, backs}
	all[0].name, all[0].user = "`shift --to 25` and `shift --to 75`", operator
	all[1].name, all[1].user = "the same, Leases forbidden", unlocked
	// Each of them may raise a side before it sees the other, and seldom lower one: nothing guards the pair.
	all[1].floor, all[1].ceiling = 3, 6
	all[1].ends = append(slices.Clone(shifts.ends), split{3, 2}, split{2, 3})
	all[2].name, all[2].user = "`shift --to 50` and `rollback`", operator
	all[3].name, all[3].user = "the same two, Leases forbidden", unlocked
	return all
}

// TestRaces runs rounds of every race.
func TestRaces(t *testing.T) {
	for _, r := range races() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.run(t)
		})
	}
}

func (r race) run(t *testing.T) {
	inLanes(t, 3, *rounds, func(s *scene) {
		s.must(s.bind(t.Context(), unlocked, func(rule rbacv1.PolicyRule) bool { return !slices.Contains(rule.Resources, "leases") }))
		s.direct(r.user)
	}, r.round)
}

// round lets both loose, the second within a second of the first.
func (r race) round(s *scene, n int) {
	s.reset(r.start)
	lead := time.Duration(rand.New(rand.NewPCG(uint64(n), 0)).IntN(1000)) * time.Millisecond
	if n%4 == 0 {
		lead = 0
	}
	settle := "0s"
	if n%10 == 9 {
		settle = "3s" // the default, and what it may see of the other
	}
	since := s.present()
	one := s.start(append([]string{"kubectl-canary"}, slices.Concat(r.first, []string{"--settle", settle})...)...)
	time.Sleep(lead)
	two := s.start(append([]string{"kubectl-canary"}, slices.Concat(r.second, []string{"--settle", settle})...)...)
	a, b := s.end(one), s.end(two)
	end, problems := r.judge(s, since, a, b)
	if len(problems) > 0 {
		s.Errorf("round %d, the second %s later, ends at %s: %s\n%s\n%s", n, lead, end, problems, a, b)
	}
	report.add(r.name)
	report.add(fmt.Sprintf("%s: %s", r.name, codes(a, b)))
}

// codes are the exit codes of both.
func codes(a, b ended) string { return fmt.Sprintf("%d and %d", a.code, b.code) }

// judge says what is wrong with a round.
func (r race) judge(s *scene, since uint64, a, b ended) (end string, problems []string) {
	for _, e := range []ended{a, b} {
		refused := e.code == 1 && strings.Contains(e.Stderr.String(), "the controller has not seen the last change") && e.Stdout.String() == ""
		if e.code != 0 && e.code != 6 && !refused {
			problems = append(problems, fmt.Sprintf("exit code %d", e.code))
		}
	}
	splits := s.splits()
	for _, service := range s.services {
		if !slices.Contains(r.ends, splits[service]) {
			problems = append(problems, "a mixed split")
			break
		}
		if r.user == operator && splits[service] != splits[s.services[0]] {
			problems = append(problems, "services differ")
			break
		}
	}
	for _, v := range s.judge(since, r.floor, r.ceiling) {
		if len(v.Violations) > 0 {
			problems = append(problems, v.String())
		}
	}
	return fmt.Sprint(splits), problems
}

// raceEnds is how often the two of a race ended with which exit codes; it differs from run to run.
func raceEnds() string {
	var out strings.Builder
	table := markdown.NewTable(&out, "race", "exit codes, first and second", "rounds")
	for _, r := range races() {
		for _, name := range slices.Sorted(maps.Keys(report.tried)) {
			if codes, of := strings.CutPrefix(name, r.name+": "); of {
				table.Row(r.name, codes, strconv.Itoa(report.tried[name]))
			}
		}
	}
	return out.String()
}

func raceRows() rows {
	t := rows{block: "races", head: []string{"race", "rounds", "floor or ceiling broken", "mixed at the end"}}
	for _, r := range races() {
		t.names = append(t.names, r.name)
		t.cells = append(t.cells, []string{r.name, strconv.Itoa(0), strconv.Itoa(0)})
	}
	return t
}
