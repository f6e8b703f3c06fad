package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUpAndDown(t *testing.T) {
	root := t.TempDir()
	a, b := newCluster(t, root, "a"), newCluster(t, root, "b")
	begin := time.Now()
	path := a.up()
	t.Logf("up: %.1fs", time.Since(begin).Seconds())
	before := a.pids()
	if again := a.up("--nodes", "3"); again != path {
		t.Errorf("up again printed %s, want %s", again, path)
	}
	for name, pid := range a.pids() {
		if before[name] != pid {
			t.Errorf("up again has restarted %s", name)
		}
	}
	b.up("--nodes", "3")

	var version struct {
		ClientVersion, ServerVersion struct{ GitVersion, Major, Minor string }
	}
	if err := json.Unmarshal([]byte(a.kubectl("version", "-o", "json")), &version); err != nil {
		t.Fatal(err)
	}
	if version.ClientVersion != version.ServerVersion || !strings.HasPrefix(version.ServerVersion.GitVersion, "v1.") {
		t.Errorf("versions: %+v", version)
	}
	if _, stderr, err := a.tryKubectl("", "version"); err != nil || stderr != "" {
		t.Errorf("kubectl version: %v, %s", err, stderr)
	}
	a.kubectl("create", "namespace", "only-in-a")
	if _, _, err := b.tryKubectl("", "get", "namespace", "only-in-a"); err == nil {
		t.Error("the clusters share their data")
	}
	for c, n := range map[*cluster]int{a: 1, b: 3} {
		if got := strings.Count(c.kubectl("get", "nodes", "--no-headers"), " Ready "); got != n {
			t.Errorf("cluster %s has %d ready nodes, want %d", c.name, got, n)
		}
		if out, stderr, err := c.sandbox("status"); err != nil || strings.Count(out, " running ") != 5 {
			t.Errorf("status: %v\n%s%s", err, out, stderr)
		}
	}
	if out, _, err := a.sandbox("logs", "apiserver"); err != nil || !strings.Contains(out, "Version: ") && !strings.Contains(out, `version="v1.`) {
		t.Errorf("logs: %v, %d bytes", err, len(out))
	}
	for _, c := range []*cluster{a, b} {
		pids := c.pids()
		begin := time.Now()
		if out, stderr, err := c.sandbox("down"); err != nil || out != "" {
			t.Errorf("down: %v, %q, %s", err, out, stderr)
		}
		t.Logf("down: %.1fs", time.Since(begin).Seconds())
		for name, pid := range pids {
			if runs(pid, c.dir()) {
				t.Errorf("%s still runs after down", name)
			}
		}
		if _, err := os.Stat(c.dir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("down has left %s (%v)", c.dir(), err)
		}
		if _, _, err := c.sandbox("down"); err != nil {
			t.Errorf("down again: %v", err)
		}
		if c == a {
			b.kubectl("get", "--raw", "/readyz")
		}
	}
	for _, args := range [][]string{{"status"}, {"logs", "etcd"}, {"restart", "etcd"}, {"kubeconfig"}} {
		out, stderr, err := a.sandbox(args...)
		if exitCode(err) != 1 || out != "" || !strings.Contains(stderr, "sandbox up --name a") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s without a cluster: %v, %q, %q", args[0], err, out, stderr)
		}
	}
}

func TestInterruptedUp(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			c := newCluster(t, t.TempDir(), "default")
			cmd := exec.Command(sandboxBin, "up", "--dir", c.root)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, 20*time.Second, func() error {
				data, err := os.ReadFile(filepath.Join(c.dir(), "state.json"))
				if err == nil && !strings.Contains(string(data), "kube-apiserver") {
					err = errors.New("no API server yet")
				}
				return err
			})
			pids := c.pids()
			_ = cmd.Process.Signal(sig)
			if err := cmd.Wait(); err == nil {
				t.Fatal("up succeeded")
			}
			if sig == syscall.SIGKILL { // nobody could tidy up: the next one has to
				c.up()
			} else if _, err := os.Stat(c.dir()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("left: %s (%v)", c.dir(), err)
			}
			for name, pid := range pids {
				if runs(pid, c.dir()) {
					t.Errorf("%s still runs", name)
				}
			}
		})
	}
}

func TestCrashAndRestart(t *testing.T) {
	c := upCluster(t)
	server := c.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
	c.kubectl("create", "deployment", "web", "--image=example.test/web:1", "--replicas=2")
	if err := syscall.Kill(c.pids()["kube-scheduler"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, func() error {
		for _, args := range [][]string{{"status"}, {"up"}} {
			_, stderr, err := c.sandbox(args...)
			if exitCode(err) != 1 {
				return fmt.Errorf("%s: exit code %d", args[0], exitCode(err))
			}
			for _, want := range []string{"kube-scheduler has ended; the end of its log:", "Starting Kubernetes Scheduler", "`sandbox restart kube-scheduler`"} {
				if !strings.Contains(stderr, want) {
					return fmt.Errorf("%s does not say %q:\n%s", args[0], want, stderr)
				}
			}
		}
		return nil
	})
	for _, component := range []string{"scheduler", "apiserver", "kwok", "controller-manager", "etcd"} {
		begin := time.Now()
		if _, stderr, err := c.sandbox("restart", component); err != nil {
			t.Fatalf("restart %s: %v\n%s", component, err, stderr)
		}
		t.Logf("restart %s: %.1fs", component, time.Since(begin).Seconds())
	}
	if _, stderr, err := c.sandbox("status"); err != nil {
		t.Errorf("status: %v\n%s", err, stderr)
	}
	c.up()
	if now := c.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"); now != server {
		t.Errorf("the server moved from %s to %s", server, now)
	}
	c.kubectl("scale", "deployment", "web", "--replicas=4")
	c.kubectl("rollout", "status", "deployment", "web", "--timeout=60s")
}
