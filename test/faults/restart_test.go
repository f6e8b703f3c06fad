package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// outage is when the API server is killed, and for how long it is away, in the middle of moves of four services each.
type outage struct {
	away  time.Duration
	moves []cutOff
}

// cutOff is a move that an outage finds in the middle.
type cutOff struct {
	name  string
	args  []string
	start split
	says  string // what stderr has said when it is killed
	end   split
	floor int
}

func outages() []outage {
	shift, promote, rollback := []string{"shift", "--to", "50"}, []string{"promote"}, []string{"rollback"}
	return []outage{
		{0, []cutOff{
			{"`shift --to 50`, while pods start", shift, before, `raised v2`, planned, 4},
			{"`promote`, while pods start", promote, before, `raised v2`, split{0, 3}, 3},
			{"`rollback`, while pods start", rollback, split{1, 3}, `raised v1`, split{3, 0}, 3},
		}},
		{10 * time.Second, []cutOff{{"`shift --to 50`, away for 10 s", shift, before, `raised v2`, planned, 4}}},
		{0, []cutOff{{"`shift --to 50`, when the first is lowered", shift, before, `lowered v1`, planned, 4}}},
	}
}

// TestRestart kills the API server in the middle of moves, and starts it again: they complete. It has the cluster to itself.
func TestRestart(t *testing.T) {
	for i, o := range outages() {
		for n := range *runs {
			t.Run(fmt.Sprintf("%d/%d", i+1, n+1), o.try)
		}
	}
}

func (o outage) try(t *testing.T) {
	scenes := make([]*scene, len(o.moves))
	running := make([]*process.Process, len(o.moves))
	since := make([]uint64, len(o.moves))
	for i, m := range o.moves {
		scenes[i] = m.prepare(t)
		since[i] = scenes[i].present()
	}
	for i, m := range o.moves {
		running[i] = scenes[i].start(append([]string{"kubectl", "canary"}, m.args...)...)
	}
	for i, m := range o.moves {
		scenes[i].until(running[i], m.says)
	}
	say("the API server is killed in %s", o.moves)
	if err := killAPIServer(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(o.away)
	if _, err := cluster.guard.Run("restart", "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	// The other components would wait longer from outage to outage until they try again.
	for _, component := range []string{"kube-controller-manager", "kube-scheduler", "kwok"} {
		if _, err := cluster.guard.Run("restart", component); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range o.moves {
		e := scenes[i].end(running[i])
		m.check(scenes[i], e, since[i])
		if told := strings.Contains(e.Stderr.String(), "waiting for the API server, which has not answered for ") && strings.Contains(e.Stderr.String(), "the API server answers again, after "); o.away > 0 && !told {
			t.Errorf("%s does not say that the API server was away: %s", m.name, e)
		}
	}
}

func (m cutOff) prepare(t *testing.T) *scene {
	s := newScene(t, messenger.Options{
		Services: messenger.Services, Annotations: map[string]map[string]string{"": {"ready-after": "5s"}},
	})
	s.reset(m.start)
	s.direct(operator)
	s.history.Resume()
	return s
}

func (m cutOff) String() string { return m.name }

// check holds the end of a move to what was planned.
func (m cutOff) check(s *scene, e ended, since uint64) {
	s.Helper()
	if e.code != 0 {
		s.Errorf("%s: exit code %d, want 0: %s", m.name, e.code, e)
	}
	for service, at := range s.splits() {
		if at != m.end {
			s.Errorf("%s: %s ends at %s, want %s", m.name, service, at, m.end)
		}
	}
	s.bounded(since, m.floor, 7)
	report.add(m.name)
}

// killAPIServer ends it by KILL: no connection is closed in order.
func killAPIServer() error {
	data, err := os.ReadFile(filepath.Join(cluster.dir, clusterName, "state.json"))
	if err != nil {
		return err
	}
	var state struct {
		Components []struct {
			Name    string
			Process struct{ PID int }
		}
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return err
	}
	for _, c := range state.Components {
		if c.Name == "kube-apiserver" && c.Process.PID > 0 {
			return syscall.Kill(c.Process.PID, syscall.SIGKILL)
		}
	}
	return fmt.Errorf("no kube-apiserver among %s", data)
}

func outageRows() rows {
	t := rows{block: "restart", head: []string{"the API server is killed during", "tried", "ends", "exit code"}}
	for _, o := range outages() {
		for _, m := range o.moves {
			t.names = append(t.names, m.name)
			t.cells = append(t.cells, []string{m.name, "as planned", strconv.Itoa(0)})
		}
	}
	return t
}
