package faults

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/process"
	"github.com/kubectl-canary/kubectl-canary/test/request"
)

// signals are what a move of four services gets at every request.
func signals() []struct {
	name string
	syscall.Signal
} {
	return []struct {
		name string
		syscall.Signal
	}{{"INT", syscall.SIGINT}, {"TERM", syscall.SIGTERM}, {"HUP", syscall.SIGHUP}, {"KILL", syscall.SIGKILL}}
}

// boundary is a moment of a move: before its n-th request is carried out, or between that and the answer.
type boundary struct {
	name string
	syscall.Signal
	n     int
	after bool
}

func (b boundary) String() string {
	return fmt.Sprintf("%s %s request %d", b.name, map[bool]string{false: "before", true: "after"}[b.after], b.n)
}

const signalled = "(signal)"

var moving = []string{"kubectl-canary", "shift", "--to", "50", "--settle", "0s"}

// TestSignals ends a move of four services at its boundaries: it leaves a valid split and no lock, and the same command
// completes.
func TestSignals(t *testing.T) {
	s := newScene(t, quick())
	s.proxy.begin(func(int) fault { return nil })
	if e := s.run(moving...); e.code != 0 {
		t.Fatalf("without a signal: %s", e)
	}
	var all []boundary
	for n := 1; n <= s.proxy.calls; n++ {
		for _, signal := range signals() {
			for _, after := range []bool{false, true} {
				all = append(all, boundary{signal.name, signal.Signal, n, after})
			}
		}
	}
	// Every signal gets its turn at every boundary, whatever number of them is left out.
	some := slices.DeleteFunc(all, func(b boundary) bool { return (b.n+int(b.Signal))%*every != 0 })
	inLanes(t, 8, len(some), func(*scene) {}, func(s *scene, i int) { some[i].try(s) })
}

func (b boundary) try(s *scene) {
	s.reset(before)
	since := s.present()
	started := make(chan *process.Process, 1)
	s.proxy.begin(func(n int) fault {
		if n != b.n {
			return nil
		}
		return func(c *call) {
			p := <-started
			started <- p
			b.strike(c, p)
		}
	})
	p := s.start(moving...)
	started <- p
	e := s.end(p)
	struck := s.proxy.after(signalled)
	requests := s.proxy.requests()
	s.proxy.set()
	fail := func(format string, args ...any) {
		s.Errorf("%s: %s\n%s\n%s", b, fmt.Sprintf(format, args...), e, requests)
	}
	b.check(s, e, struck, fail)
	if b.Signal == syscall.SIGKILL {
		s.expireLocks()
	}
	if again := s.run(moving...); again.code != 0 || s.ending() != "as planned" {
		fail("the same command ends %s: %s", s.ending(), again)
	}
	s.bounded(since, 4, 5)
	report.add(b.name)
}

// strike sends the signal, around the request.
func (b boundary) strike(c *call, p *process.Process) {
	watch := c.r.URL.Query().Get("watch") != ""
	if !b.after || watch {
		b.send(c, p)
		if b.Signal == syscall.SIGKILL {
			panic(http.ErrAbortHandler)
		}
		c.pass()
		return
	}
	answer := c.carryOut()
	b.send(c, p)
	c.give(answer)
}

// send returns when the process has taken the signal in. What it had sent until then is noted before it.
func (b boundary) send(c *call, p *process.Process) {
	_ = p.Cmd.Process.Signal(b.Signal)
	if b.Signal == syscall.SIGKILL {
		<-p.Ended // what it had sent may still be carried out
		return
	}
	for deadline := time.Now().Add(10 * time.Second); pending(p.Cmd.Process.Pid) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	c.note(signalled)
}

// pending says whether a process has a signal that it has not taken.
func pending(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "ShdPnd:\t0000000000000000")
}

// check holds what a signal leaves to what it may.
func (b boundary) check(s *scene, e ended, struck []string, fail func(string, ...any)) {
	end := s.splits()
	for service, at := range end {
		if !slices.Contains([]split{before, {3, 2}, planned}, at) {
			fail("%s ends at %s", service, at)
		}
	}
	want := 130
	if b.Signal == syscall.SIGKILL {
		want = 137
	}
	if e.code != want && (e.code != 0 || s.ending() != "as planned") {
		fail("exit code %d, want %d", e.code, want)
	}
	if b.Signal == syscall.SIGKILL {
		return
	}
	for _, name := range struck {
		verb, object, _ := strings.Cut(name, " ")
		if request.Writes(verb, object) && request.Kind(object) != "leases" {
			fail("%s after the signal", name)
		}
	}
	leases, err := cluster.client.CoordinationV1().Leases(s.namespace).List(context.Background(), metav1.ListOptions{})
	s.must(err)
	for _, l := range leases.Items {
		if l.Spec.HolderIdentity != nil {
			fail("%s is still held", l.Name)
		}
	}
}

func signalRows() rows {
	t := rows{block: "signals", head: []string{"signal", "boundaries", "ends", "exit code"}}
	for _, signal := range signals() {
		t.names = append(t.names, signal.name)
		end, code := "valid, locks released", "130"
		if signal.Signal == syscall.SIGKILL {
			end, code = "valid, locks run out", "137"
		}
		t.cells = append(t.cells, []string{signal.name, end, code})
	}
	return t
}
