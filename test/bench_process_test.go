package test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// usage is what one process took, with its children that have ended.
type usage struct {
	Wall   time.Duration
	CPU    time.Duration // user and system
	Memory int64         // the peak, in bytes
}

const measureArg = "measure"

// measure runs a command and prints its usage. It is the whole of a process of its own: the peak memory that the kernel
// reports of a process is at least what the process that started it had: some 35 MB here, and much more in the benchmark's own.
func measure(words []string) int {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	u := usage{Wall: time.Since(began), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Memory = r.Maxrss << 10
	}
	if err := json.NewEncoder(os.Stdout).Encode(u); err != nil {
		return 1
	}
	return 0
}

// run runs a command, its output thrown away, with the administrator's kubeconfig or another.
func (b *bench) run(ctx context.Context, words []string, kubeconfig string) (u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{measureArg}, words...)...)
	cmd.Env = []string{"HOME=" + b.home, "PATH=" + cluster.tools + "/real:" + cluster.tools + ":/usr/bin:/bin", "KUBECONFIG=" + kubeconfig}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return u, fmt.Errorf("%.100s: %w\n%s", strings.Join(words, " "), err, stderr.String())
	}
	return u, json.Unmarshal(out, &u)
}

// subject is a command that is measured.
type subject struct {
	label  string
	words  []string
	before func(context.Context) error // runs before each time, untimed; may be nil
	runs   []usage
}

// sideBySide measures the subjects in turn, n times each, after some times that do not count.
func (b *bench) sideBySide(ctx context.Context, warmUp, n int, subjects ...*subject) error {
	for i := range warmUp + n {
		for _, s := range subjects {
			if s.before != nil {
				if err := s.before(ctx); err != nil {
					return err
				}
			}
			u, err := b.run(ctx, s.words, cluster.kubeconfig)
			if err != nil {
				return err
			}
			if i >= warmUp {
				s.runs = append(s.runs, u)
			}
		}
	}
	return nil
}

func wall(u usage) float64   { return u.Wall.Seconds() }
func cpu(u usage) float64    { return u.CPU.Seconds() }
func memory(u usage) float64 { return float64(u.Memory) / (1 << 20) }

// sample is one figure of all runs.
func (s *subject) sample(of func(usage) float64) markdown.Sample {
	all := make([]float64, len(s.runs))
	for i, u := range s.runs {
		all[i] = of(u)
	}
	return markdown.Summary(all)
}
