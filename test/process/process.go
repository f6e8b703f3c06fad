// Package process runs the commands of tests.
package process

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

// Process is a command that was started.
type Process struct {
	Cmd    *exec.Cmd
	Stdout Text
	Stderr Text
	Since  time.Time
	Until  time.Time     // when it ended
	Ended  chan struct{} // closed when it has
}

// running are those that were started and have not ended.
var running sync.Map

// KillAll ends what still runs, when the tests are cut off.
func KillAll() {
	running.Range(func(p, _ any) bool {
		p.(*Process).Kill()
		return true
	})
}

// Text collects output that may be read while it grows.
type Text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *Text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// Start starts a command. Kill ends it at the latest when its test does.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Cmd: cmd, Since: time.Now(), Ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.Stdout, &p.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	running.Store(p, nil)
	go func() {
		_ = cmd.Wait()
		running.Delete(p)
		p.Until = time.Now()
		close(p.Ended)
	}()
	return p, nil
}

// Kill ends it, unless it has ended.
func (p *Process) Kill() {
	select {
	case <-p.Ended:
	default:
		_ = p.Cmd.Process.Kill()
		<-p.Ended
	}
}

// Code waits for the exit code: as in a shell, 128 more than the signal that ended it. A process that hangs is made to
// show where.
func (p *Process) Code() (int, error) {
	select {
	case <-p.Ended:
	case <-time.After(patience.Limit):
		_ = p.Cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-p.Ended:
		case <-time.After(5 * time.Second):
			p.Kill()
		}
		return 0, fmt.Errorf("%s: has not ended within %s", strings.Join(p.Cmd.Args, " "), patience.Limit)
	}
	if status, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return p.Cmd.ProcessState.ExitCode(), nil
}
