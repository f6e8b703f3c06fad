// Package sandbox_test drives the built programs as people do. They are those that SANDBOX_BIN and KUBECTL_BIN name, or ../bin's,
// which are built when they are missing. Every cluster a test starts is stopped by it, also when it fails or is interrupted.
package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

var (
	sandboxBin, kubectlBin string

	mu      sync.Mutex
	started = map[string]bool{} // the folders of the clusters that run
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("clusters are not started in short mode")
		return
	}
	if err := findPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		downAll()
		os.Exit(1)
	}()
	code := m.Run()
	downAll()
	os.Exit(code)
}

// findPrograms finds the two programs, and builds them when nobody has.
func findPrograms() error {
	sandboxBin, kubectlBin = os.Getenv("SANDBOX_BIN"), os.Getenv("KUBECTL_BIN")
	if sandboxBin == "" {
		sandboxBin = "../bin/sandbox"
	}
	if kubectlBin == "" {
		kubectlBin = "../bin/kubectl"
	}
	for _, bin := range []*string{&sandboxBin, &kubectlBin} {
		abs, err := filepath.Abs(*bin)
		if err != nil {
			return err
		}
		*bin = abs
		if _, err := os.Stat(abs); err == nil {
			continue
		}
		build := exec.Command("./build.sh", filepath.Dir(abs))
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build.sh: %w", err)
		}
	}
	return nil
}

func downAll() {
	mu.Lock()
	defer mu.Unlock()
	for dir := range started {
		_ = exec.Command(sandboxBin, "down", "--dir", filepath.Dir(dir), "--name", filepath.Base(dir)).Run()
	}
}

// cluster is a cluster of a test.
type cluster struct {
	t          *testing.T
	root, name string
	kubeconfig string
}

// newCluster names a cluster in a folder of its own, and makes sure that it is gone after the test.
func newCluster(t *testing.T, root, name string) *cluster {
	t.Helper()
	c := &cluster{t: t, root: root, name: name}
	mu.Lock()
	started[c.dir()] = true
	mu.Unlock()
	t.Cleanup(func() {
		_ = exec.Command(sandboxBin, "down", "--dir", root, "--name", name).Run() // not c.sandbox: its context has ended
		mu.Lock()
		delete(started, c.dir())
		mu.Unlock()
	})
	return c
}

func upCluster(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t, t.TempDir(), "default")
	c.up()
	return c
}

func (c *cluster) dir() string { return filepath.Join(c.root, c.name) }

// run runs a program to its end, or to a while before the test's deadline: a test that times out would leave its cluster behind.
func run(t *testing.T, stdin string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	if end, ok := t.Deadline(); ok {
		ctx, cancel = context.WithDeadline(ctx, end.Add(-15*time.Second))
	}
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

func (c *cluster) sandbox(args ...string) (stdout, stderr string, err error) {
	c.t.Helper()
	return run(c.t, "", sandboxBin, append(args, "--dir", c.root, "--name", c.name)...)
}

func (c *cluster) up(args ...string) string {
	c.t.Helper()
	stdout, stderr, err := c.sandbox(append([]string{"up"}, args...)...)
	if err != nil {
		c.t.Fatalf("up: %v\n%s", err, stderr)
	}
	c.kubeconfig = strings.TrimSuffix(stdout, "\n")
	if c.kubeconfig == "" || strings.Contains(c.kubeconfig, "\n") {
		c.t.Fatalf("up printed %q, want one line", stdout)
	}
	return c.kubeconfig
}

// tryKubectl runs kubectl as the administrator, or as args' --kubeconfig says.
func (c *cluster) tryKubectl(stdin string, args ...string) (stdout, stderr string, err error) {
	c.t.Helper()
	return run(c.t, stdin, kubectlBin, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
}

func (c *cluster) kubectl(args ...string) string {
	c.t.Helper()
	stdout, stderr, err := c.tryKubectl("", args...)
	if err != nil {
		c.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

func (c *cluster) apply(manifest string) {
	c.t.Helper()
	if _, stderr, err := c.tryKubectl(manifest, "apply", "-f", "-"); err != nil {
		c.t.Fatalf("kubectl apply: %v\n%s", err, stderr)
	}
}

func (c *cluster) pods(selector string) []corev1.Pod {
	c.t.Helper()
	var list corev1.PodList
	if err := json.Unmarshal([]byte(c.kubectl("get", "pods", "-l", selector, "-o", "json")), &list); err != nil {
		c.t.Fatal(err)
	}
	return list.Items
}

// pids reads the record: what `up` has started.
func (c *cluster) pids() map[string]int {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir(), "state.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var state struct {
		Components []struct {
			Name    string
			Process struct{ PID int }
		}
	}
	if err := json.Unmarshal(data, &state); err != nil {
		c.t.Fatal(err)
	}
	pids := map[string]int{}
	for _, r := range state.Components {
		pids[r.Name] = r.Process.PID
	}
	return pids
}

// runs says whether a process runs and works on the folder: its number alone could be another's.
func runs(pid int, dir string) bool {
	cmdline, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && bytes.Contains(cmdline, []byte(dir))
}

// eventually tries until ok returns nil.
func eventually(t *testing.T, wait time.Duration, ok func() error) {
	t.Helper()
	for end := time.Now().Add(wait); ; time.Sleep(200 * time.Millisecond) {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v: %v", wait, err)
		}
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
