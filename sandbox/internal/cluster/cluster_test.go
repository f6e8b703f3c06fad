package cluster

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/pki"
)

func testCluster(t *testing.T) (*Cluster, *bytes.Buffer) {
	t.Helper()
	out := &bytes.Buffer{}
	c, err := Open(t.TempDir(), "test", out)
	if err != nil {
		t.Fatal(err)
	}
	return c, out
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{"default": true, "a": true, "pr-12.x": true, "": false, "../x": false, "A": false, "-a": false, "a/b": false, ".": false, "..": false} {
		if _, err := Open(t.TempDir(), name, &bytes.Buffer{}); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestRecord(t *testing.T) {
	c, _ := testCluster(t)
	if _, err := c.load(); !errors.Is(err, errNoCluster) {
		t.Errorf("no record: %v", err)
	}
	if _, err := c.running(); err == nil || !strings.Contains(err.Error(), "sandbox up --name test") {
		t.Errorf("no cluster: %v", err)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	self := process{PID: os.Getpid(), Born: born(os.Getpid())}
	want := &state{Nodes: 2, Server: "https://127.0.0.1:1", Components: []*recorded{{Name: Etcd, Args: []string{"--a"}, Process: self}, {Name: APIServer}}}
	if err := c.save(want); err != nil {
		t.Fatal(err)
	}
	got, err := c.load()
	if err != nil {
		t.Fatal(err)
	}
	if got.Nodes != 2 || len(got.Components) != 2 || got.Components[0].Process != self {
		t.Errorf("%+v", got)
	}
	if r, err := got.component("apiserver"); err != nil || r.Name != APIServer {
		t.Errorf("apiserver: %v, %v", r, err)
	}
	if _, err := got.component("nope"); err == nil || !strings.Contains(err.Error(), "kube-scheduler") {
		t.Errorf("unknown component: %v", err)
	}
	if dead := strings.Join(got.dead(), " "); dead != "kube-apiserver kwok kube-controller-manager kube-scheduler" {
		t.Errorf("dead: %s", dead)
	}
}

// TestNoRealNode: without a real node there is no network to enter, and no containerd to give an image.
func TestNoRealNode(t *testing.T) {
	c, _ := testCluster(t)
	if err := errors.Join(os.MkdirAll(c.Dir, 0o700), c.save(&state{Ready: true})); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{c.Exec([]string{"true"}), c.LoadImage(t.Context(), os.Args[0], []string{"a:b"})} {
		if err == nil || !strings.Contains(err.Error(), `"test" has no real node`) {
			t.Errorf("%v", err)
		}
	}
}

// TestForeignFolder: what no sandbox has made is neither used nor removed.
func TestForeignFolder(t *testing.T) {
	c, _ := testCluster(t)
	file := c.path("thesis.txt")
	if err := errors.Join(os.MkdirAll(c.Dir, 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := c.Up(t.Context(), Options{Nodes: 1}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("up: %v", err)
	}
	if err := c.Down(); err == nil || !strings.Contains(err.Error(), "left as it is") {
		t.Errorf("down: %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestDown(t *testing.T) {
	c, out := testCluster(t)
	if err := c.Down(); err != nil || !strings.Contains(out.String(), "nothing to do") {
		t.Errorf("without a cluster: %v, %s", err, out)
	}
	p, _ := launchTest(t, "sleeper")
	other, _ := launchTest(t, "sleeper")
	s := &state{Components: []*recorded{{Name: Etcd, Process: p}, {Name: APIServer, Process: process{PID: other.PID, Born: "another boot/1"}}}}
	if err := errors.Join(os.MkdirAll(c.path("etcd", "member"), 0o700), c.save(s)); err != nil {
		t.Fatal(err)
	}
	if err := c.Down(); err != nil {
		t.Fatal(err)
	}
	if p.alive() || !other.alive() {
		t.Errorf("recorded process alive: %v, unrelated one alive: %v", p.alive(), other.alive())
	}
	if left, _ := os.ReadDir(filepath.Dir(c.Dir)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if err := c.Down(); err != nil {
		t.Error(err)
	}
}

func TestDownRemovesWhatAComponentMakesAtItsEnd(t *testing.T) {
	c, _ := testCluster(t)
	if err := os.MkdirAll(c.path("logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := start(&recorded{Name: "untidy"}, c.Dir, c.logFile(Etcd), (*exec.Cmd).Start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.signal(syscall.SIGKILL) })
	eventually(t, "it has started", func() bool { return strings.Contains(tail(end(c.logFile(Etcd)), 1), "waits") })
	if err := errors.Join(c.save(&state{Components: []*recorded{{Name: Etcd, Process: p}}}), c.Down()); err != nil {
		t.Fatal(err)
	}
}

func TestLock(t *testing.T) {
	c, out := testCluster(t)
	unlock, err := c.lock()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() {
		unlock, err := c.lock()
		if err == nil {
			defer unlock()
			_, err = os.Stat(c.Dir) // the first removes it: the second must have made a new one
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("two hold the lock (%v)", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := os.Remove(c.Dir); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-second; err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "waiting for another command") {
		t.Errorf("it did not say why it waits: %s", out)
	}
}

func TestTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if got := tail(end(file), 3); got != "" {
		t.Errorf("no file: %q", got)
	}
	var lines strings.Builder
	for i := range 10_000 {
		lines.WriteString("line " + strconv.Itoa(i) + "\n")
	}
	lines.WriteString(strings.Repeat("x", 1000) + "\n")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(tail(end(file), 3), "\n")
	if len(got) != 3 || got[0] != "  line 9998" || got[1] != "  line 9999" || len(got[2]) > 300 {
		t.Errorf("%q", got)
	}
}

func TestDeadComponentIsReported(t *testing.T) {
	c, _ := testCluster(t)
	if err := os.MkdirAll(c.path("logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := start(&recorded{Name: "broken"}, c.Dir, c.logFile(Scheduler), (*exec.Cmd).Start)
	if err != nil {
		t.Fatal(err)
	}
	s := &state{Components: []*recorded{{Name: Scheduler, Process: p}}}
	begin := time.Now()
	err = c.await(t.Context(), s, "the moon", func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "kube-scheduler has ended") || !strings.Contains(err.Error(), "last line") {
		t.Errorf("%v", err)
	}
	if d := (&deadError{}); !errors.As(err, &d) || !d.portTaken {
		t.Error("it does not see that a port was taken")
	}
	if time.Since(begin) > 5*time.Second {
		t.Errorf("it took %v", time.Since(begin))
	}
}

func TestKubeconfig(t *testing.T) {
	c, _ := testCluster(t)
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Client("ann")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.writeKubeconfig(file, "https://127.0.0.1:6443", "ann", "messenger", ca.Cert, pair); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	raw, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if ns := raw.Contexts[raw.CurrentContext].Namespace; ns != "messenger" {
		t.Errorf("namespace %q", ns)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://127.0.0.1:6443" || !bytes.Equal(config.CAData, ca.Cert) || !bytes.Equal(config.CertData, pair.Cert) {
		t.Errorf("%+v", config)
	}
}
