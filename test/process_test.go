package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every command and every wait of a script. What takes longer hangs.
const patience = 90 * time.Second

// process is a command that a script has started.
type process struct {
	cmd    *exec.Cmd
	stdout text
	stderr text
	since  time.Time
	until  time.Time
	ended  chan struct{} // closed when it has
}

// text collects output that may be read while it grows.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// command prepares a command to run where exec would, with settings added to its environment.
func (s *script) command(ts *testscript.TestScript, words []string, settings ...string) *exec.Cmd {
	path := words[0]
	if !strings.ContainsRune(path, filepath.Separator) {
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if found, err := exec.LookPath(filepath.Join(dir, path)); err == nil {
				path = found
				break
			}
		}
	}
	cmd := exec.Command(path, words[1:]...)
	cmd.Args[0] = words[0]
	cmd.Dir = ts.MkAbs(".")
	for _, name := range s.environment {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Env = append(cmd.Env, settings...)
	cmd.WaitDelay = time.Second
	return cmd
}

// launch starts a command, which does not outlive the script.
func launch(ts *testscript.TestScript, cmd *exec.Cmd) *process {
	p := &process{cmd: cmd, since: time.Now(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.stdout, &p.stderr
	ts.Check(cmd.Start())
	go func() {
		_ = cmd.Wait()
		p.until = time.Now()
		close(p.ended)
	}()
	ts.Defer(func() {
		select {
		case <-p.ended:
		default:
			_ = cmd.Process.Kill()
			<-p.ended
		}
	})
	return p
}

// code waits for the exit code: as in a shell, 128 more than the signal that ended it. A process that hangs is made to
// show where.
func (p *process) code() (int, error) {
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		return 0, fmt.Errorf("%s: has not ended within %s", strings.Join(p.cmd.Args, " "), patience)
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

// end shows the output to the script's next assertions, and compares the exit code; output for programs has to be valid.
func (p *process) end(ts *testscript.TestScript, want string) {
	of(ts).last = p
	got, err := p.code()
	fmt.Fprint(ts.Stdout(), p.stdout.String())
	fmt.Fprint(ts.Stderr(), p.stderr.String())
	ts.Check(err)
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
	p.hold(ts)
}

// exits CODE COMMAND...: the command ends with the code.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	launch(ts, of(ts).command(ts, args[1:])).end(ts, args[0])
}

// start NAME COMMAND...: the command goes on in the background.
func cmdStart(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND...")
	}
	s := of(ts)
	s.started[args[0]] = launch(ts, s.command(ts, args[1:]))
}

// ends NAME CODE: what was started ends with the code.
func cmdEnds(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: ends NAME CODE")
	}
	of(ts).named(ts, args[0]).end(ts, args[1])
}

// signal NAME SIGNAL: what was started gets a signal, and what it asks the proxy for from now on stands after it.
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
	if len(args) != 2 || signals[args[1]] == nil {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL")
	}
	s := of(ts)
	if s.proxy != nil {
		s.proxy.note("(signal " + args[1] + ")")
	}
	ts.Check(s.named(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

// says NAME PATTERN: what was started prints something that matches, by now or soon.
func cmdSays(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: says NAME PATTERN")
	}
	p := of(ts).named(ts, args[0])
	pattern, err := regexp.Compile(`(?m)` + args[1])
	ts.Check(err)
	said := func() bool { return pattern.MatchString(p.stdout.String() + p.stderr.String()) }
	err = eventually(func() error {
		select {
		case <-p.ended:
			if !said() {
				return final{errors.New("it has ended")}
			}
		default:
		}
		if !said() {
			return errors.New("it has not said so")
		}
		return nil
	})
	if err != nil {
		ts.Fatalf("%s: %v\n%s%s", args[1], err, p.stdout.String(), p.stderr.String())
	}
}

// until PATTERN COMMAND...: the command, again and again, succeeds and prints what matches.
func cmdUntil(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND...")
	}
	pattern, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	var p *process
	err = eventually(func() error {
		p = launch(ts, of(ts).command(ts, args[1:]))
		code, err := p.code()
		if err == nil && (code != 0 || !pattern.MatchString(p.stdout.String())) {
			err = fmt.Errorf("exit code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
		}
		return err
	})
	if err != nil {
		ts.Fatalf("never matched %s: %v", args[0], err)
	}
	fmt.Fprint(ts.Stdout(), p.stdout.String())
	fmt.Fprint(ts.Stderr(), p.stderr.String())
}

func (s *script) named(ts *testscript.TestScript, name string) *process {
	p := s.started[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

// final is an error that waiting does not mend.
type final struct{ error }

// eventually calls try until it succeeds, and returns its last error when patience is at its end.
func eventually(try func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := try()
		if err == nil || errors.As(err, new(final)) || time.Now().After(deadline) {
			return err
		}
	}
}
