package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

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
func launch(ts *testscript.TestScript, cmd *exec.Cmd) *process.Process {
	p, err := process.Start(cmd)
	ts.Check(err)
	ts.Defer(p.Kill)
	return p
}

// end shows the output to the script's next assertions, and compares the exit code; output for programs has to be valid.
func end(ts *testscript.TestScript, p *process.Process, want string) {
	of(ts).last = p
	got, err := p.Code()
	fmt.Fprint(ts.Stdout(), p.Stdout.String())
	fmt.Fprint(ts.Stderr(), p.Stderr.String())
	ts.Check(err)
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
	hold(ts, p)
}

// exits CODE COMMAND...: the command ends with the code.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	end(ts, launch(ts, of(ts).command(ts, args[1:])), args[0])
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
	end(ts, of(ts).named(ts, args[0]), args[1])
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
	ts.Check(s.named(ts, args[0]).Cmd.Process.Signal(signals[args[1]]))
}

// says NAME PATTERN: what was started prints something that matches, by now or soon.
func cmdSays(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: says NAME PATTERN")
	}
	p := of(ts).named(ts, args[0])
	pattern, err := regexp.Compile(`(?m)` + args[1])
	ts.Check(err)
	said := func() bool { return pattern.MatchString(p.Stdout.String() + p.Stderr.String()) }
	err = patience.Until(func() error {
		select {
		case <-p.Ended:
			if !said() {
				return patience.NoMore(errors.New("it has ended"))
			}
		default:
		}
		if !said() {
			return errors.New("it has not said so")
		}
		return nil
	})
	if err != nil {
		ts.Fatalf("%s: %v\n%s%s", args[1], err, p.Stdout.String(), p.Stderr.String())
	}
}

// until PATTERN COMMAND...: the command, again and again, succeeds and prints what matches.
func cmdUntil(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND...")
	}
	pattern, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	var p *process.Process
	err = patience.Until(func() error {
		p = launch(ts, of(ts).command(ts, args[1:]))
		code, err := p.Code()
		if err == nil && (code != 0 || !pattern.MatchString(p.Stdout.String())) {
			err = fmt.Errorf("exit code %d\n%s%s", code, p.Stdout.String(), p.Stderr.String())
		}
		return err
	})
	if err != nil {
		ts.Fatalf("never matched %s: %v", args[0], err)
	}
	fmt.Fprint(ts.Stdout(), p.Stdout.String())
	fmt.Fprint(ts.Stderr(), p.Stderr.String())
}

func (s *script) named(ts *testscript.TestScript, name string) *process.Process {
	p := s.started[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}
