package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// grace is how long a component may take to end: the API server would wait a minute for its watchers to go.
const grace = 2 * time.Second

// process is a process by its number and the moment it was born: numbers are used again, that pair is not.
type process struct {
	PID  int    `json:"pid"`
	Born string `json:"born"`
}

// alive says whether this very process still runs. A dead one that nobody has waited for does not.
func (p process) alive() bool { return p.PID > 0 && p.Born != "" && born(p.PID) == p.Born }

func (p process) signal(sig syscall.Signal) {
	if p.alive() {
		_ = syscall.Kill(p.PID, sig) // gone meanwhile is as good
	}
}

// start runs a component by run, in a session of its own, so that it outlives this process and its terminal.
func start(r *recorded, dir, logFile string, run func(*exec.Cmd) error) (process, error) {
	program := r.Program
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return process{}, err
		}
		program = self
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return process{}, err
	}
	defer log.Close()
	cmd := &exec.Cmd{
		Path:   program,
		Args:   append([]string{r.Name}, r.Args...),
		Dir:    dir,
		Stdout: log,
		Stderr: log,
		// nothing of the caller's environment (proxies, KUBECONFIG, ~/.kwok) shall change how a cluster behaves
		Env:         []string{"PATH=" + realnode.Path(), "HOME=" + dir, "KWOK_WORKDIR=" + dir},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := run(cmd); err != nil {
		return process{}, fmt.Errorf("start %s: %w", r.Name, err)
	}
	p := process{PID: cmd.Process.Pid, Born: born(cmd.Process.Pid)}
	go cmd.Wait() //nolint:errcheck // reaps it, should it end while this process lives
	return p, nil
}

// stop asks the processes to end, waits up to grace, and kills those that are left.
func stop(grace time.Duration, ps ...process) error {
	for _, p := range ps {
		p.signal(syscall.SIGTERM)
	}
	if gone(grace, ps) {
		return nil
	}
	for _, p := range ps {
		p.signal(syscall.SIGKILL)
	}
	if gone(5*time.Second, ps) {
		return nil
	}
	return fmt.Errorf("a process does not end: %v", ps)
}

func gone(wait time.Duration, ps []process) bool {
	for deadline := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		left := 0
		for _, p := range ps {
			if p.alive() {
				left++
			}
		}
		if left == 0 {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
