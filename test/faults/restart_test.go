package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
)

// outage is a move of four services during which the API server is killed.
type outage struct {
	name  string
	args  []string
	start split
	says  string // what stderr has said when it is killed
	away  time.Duration
	end   split
	floor int
}

func outages() []outage {
	shift, promote, rollback := []string{"shift", "--to", "50"}, []string{"promote"}, []string{"rollback"}
	return []outage{
		{"`shift --to 50`, while pods start", shift, before, `raised v2`, 0, planned, 4},
		{"`shift --to 50`, away for 10 s", shift, before, `raised v2`, 10 * time.Second, planned, 4},
		{"`shift --to 50`, after the first is lowered", shift, before, `lowered v1`, 0, planned, 4},
		{"`promote`, while pods start", promote, before, `raised v2`, 0, split{0, 3}, 3},
		{"`rollback`, while pods start", rollback, split{1, 3}, `raised v1`, 0, split{3, 0}, 3},
	}
}

// TestRestart kills the API server in the middle of a move, and starts it again: the move completes. It has the cluster to
// itself.
func TestRestart(t *testing.T) {
	for _, o := range outages() {
		for n := range *runs {
			t.Run(fmt.Sprintf("%s/%d", o.name, n+1), o.try)
		}
	}
}

func (o outage) try(t *testing.T) {
	s := newScene(t, messenger.Options{
		Services: messenger.Services, Annotations: map[string]map[string]string{"": {"ready-after": "2s"}},
		Replicas: map[string]int32{},
	})
	s.reset(o.start)
	s.direct(operator)
	s.history.Resume()
	say("%s: the API server is killed", o.name)
	since := s.present()
	p := s.start(append([]string{"kubectl", "canary"}, o.args...)...)
	s.until(p, o.says)
	s.must(killAPIServer())
	time.Sleep(o.away)
	if _, err := cluster.guard.Run("restart", "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	e := s.end(p)
	if e.code != 0 {
		t.Errorf("exit code %d, want 0", e.code)
	}
	for service, at := range s.splits() {
		if at != o.end {
			t.Errorf("%s ends at %s, want %s", service, at, o.end)
		}
	}
	s.bounded(since, o.floor, 7)
	if t.Failed() {
		t.Logf("%s", e)
	}
	report.add(o.name)
	// The other components wait longer from outage to outage until they try again.
	for _, component := range []string{"kube-controller-manager", "kube-scheduler", "kwok"} {
		if _, err := cluster.guard.Run("restart", component); err != nil {
			t.Fatal(err)
		}
	}
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
		t.names = append(t.names, o.name)
		t.cells = append(t.cells, []string{o.name, "as planned", strconv.Itoa(0)})
	}
	return t
}
