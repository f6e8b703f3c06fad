// Package guard takes the cluster of a test down when the test's process ends, by itself or by a panic, a signal or KILL.
package guard

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Guard watches over a sandbox cluster.
type Guard struct {
	program, dir, name string

	cmd   *exec.Cmd
	alive io.WriteCloser // held open by this process until it ends, in whatever way
	once  sync.Once
}

// Watch starts a process that, when this one ends, takes down the cluster of a name in a folder, by the program sandbox, and
// removes the folder.
func Watch(program, dir, name string) (*Guard, error) {
	program, err := filepath.EvalSymlinks(program)
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, err
	}
	const script = `trap "" INT HUP TERM; cat >/dev/null; [ -d "$1/$2" ] && { "$0" down --dir "$1" --name "$2" 2>"$1/down.log" || cat "$1/down.log" >&2; }; rm -rf "$1"`
	g := &Guard{program: program, dir: dir, name: name, cmd: exec.Command("sh", "-c", script, program, dir, name)} //nolint:noctx // it outlives everything
	g.cmd.Stderr = os.Stderr
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of the terminal's ^C
	if g.alive, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return g, g.cmd.Start()
}

// Run runs the program on the cluster, and returns what it prints.
func (g *Guard) Run(args ...string) (string, error) {
	cmd := exec.Command(g.program, append(args, "--dir", g.dir, "--name", g.name)...) //nolint:noctx // it ends by itself
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("sandbox %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Stop takes the cluster down now. It may be called again.
func (g *Guard) Stop() {
	g.once.Do(func() {
		_ = g.alive.Close()
		if err := g.cmd.Wait(); err != nil {
			fmt.Fprintln(os.Stderr, "error: the sandbox cluster may still run:", err)
		}
	})
}

// StopOnSignal takes the cluster down at a signal, after what is to be done before, and ends this process.
func (g *Guard) StopOnSignal(before ...func()) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-interrupted
		for _, do := range before {
			do()
		}
		g.Stop()
		os.Exit(130)
	}()
}
