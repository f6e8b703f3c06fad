package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const served = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1", readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.1.1, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`

const service = "http://10.96.1.1"

// newRealNode names a cluster that is to have a real node, and looks at the machine before. It skips where there cannot be one.
func newRealNode(t *testing.T, name string) (*cluster, machine) {
	t.Helper()
	if _, missing, err := run(t, "", sandboxBin, "up", "--real-node", "--check"); err != nil {
		t.Skip(strings.TrimSpace(missing))
	}
	return newCluster(t, t.TempDir(), name), lookAtMachine(t)
}

// exec runs a program in the cluster's network.
func (c *cluster) exec(argv ...string) (stdout, stderr string, err error) {
	c.t.Helper()
	return run(c.t, "", sandboxBin, append([]string{"exec", "--dir", c.root, "--name", c.name, "--"}, argv...)...)
}

// inside runs kubectl in the cluster's network.
func (c *cluster) inside(args ...string) string {
	c.t.Helper()
	stdout, stderr, err := c.exec(append([]string{kubectlBin, "--kubeconfig", c.kubeconfig}, args...)...)
	if err != nil {
		c.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

func TestRealNode(t *testing.T) {
	c, before := newRealNode(t, "real")
	begin := time.Now()
	c.up("--real-node")
	t.Logf("up: %.1fs", time.Since(begin).Seconds())
	own := namespaces(t, c.initPID())
	for name, pid := range c.pids() {
		for kind, namespace := range namespaces(t, pid) {
			if namespace != own[kind] {
				t.Errorf("%s is in the %s namespace %s, not in %s", name, kind, namespace, own[kind])
			}
		}
	}
	if again, _, err := c.sandbox("up", "--real-node"); err != nil || strings.TrimSpace(again) != c.kubeconfig {
		t.Errorf("up again: %v, %s", err, again)
	}
	if _, stderr, err := c.sandbox("up"); err == nil || !strings.Contains(stderr, "of the other kind") {
		t.Errorf("up without a real node: %v, %s", err, stderr)
	}

	web := filepath.Join(t.TempDir(), "web")
	build := exec.Command("go", "build", "-o", web, "./testdata/web")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, stderr, err := c.sandbox("load-image", web, "web:v1", "other:v1"); err != nil {
		t.Fatalf("load-image: %v\n%s", err, stderr)
	}
	manifest := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(manifest, []byte(served), 0o600); err != nil {
		t.Fatal(err)
	}
	c.inside("apply", "-f", manifest)
	c.inside("rollout", "status", "deployment", "web", "--timeout=60s")

	answers := map[string]bool{}
	eventually(t, 15*time.Second, func() error {
		answer, stderr, err := c.exec(web, service)
		if err != nil {
			return fmt.Errorf("%w: %s", err, stderr)
		}
		if answers[answer] = true; len(answers) < 2 {
			return fmt.Errorf("only one pod answers: %v", answers)
		}
		return nil
	})
	for range 10 { // half of them reach the pod that asks
		if answer, stderr, err := c.exec(web, service+"?get="+service); err != nil || !answers[answer] {
			t.Errorf("a pod that asks the Service gets %q (%v, %s)", answer, err, stderr)
		}
	}
	if _, _, err := run(t, "", web, service); err == nil {
		t.Error("the Service can be reached from outside the cluster's network")
	}
	links, _, err := c.exec("cat", "/proc/net/dev")
	if err != nil || !strings.Contains(links, " node:") {
		t.Errorf("%v, %s", err, links)
	}
	for _, link := range strings.Split(strings.TrimSpace(links), "\n")[2:] { // two lines are a head
		name, _, _ := strings.Cut(strings.TrimSpace(link), ":")
		if !slices.Contains([]string{"lo", "node", "nowhere"}, name) && !strings.HasPrefix(name, "veth") {
			t.Errorf("%s leads out of the cluster's network", name)
		}
	}

	t.Run("restart", func(t *testing.T) {
		for _, component := range []string{"kubelet", "containerd", "kube-proxy", "apiserver"} {
			if _, stderr, err := c.sandbox("restart", component); err != nil {
				t.Fatalf("restart %s: %v\n%s", component, err, stderr)
			}
		}
		c.inside("scale", "deployment", "web", "--replicas=3")
		c.inside("rollout", "status", "deployment", "web", "--timeout=60s")
		if out, stderr, err := c.sandbox("status"); err != nil || strings.Count(out, " running ") != 7 || !strings.Contains(out, "1 of 1 ready") {
			t.Errorf("status: %v\n%s%s", err, out, stderr)
		}
		if out, _, err := c.sandbox("logs", "kubelet"); err != nil || !strings.Contains(out, "kubelet") {
			t.Errorf("logs: %v, %d bytes", err, len(out))
		}
	})
	asleep := exec.Command(sandboxBin, "exec", "--dir", c.root, "--name", c.name, "--", "sleep", "60")
	t.Run("exec", func(t *testing.T) {
		folder := t.TempDir()
		cmd := exec.Command(sandboxBin, "exec", "--dir", c.root, "--name", c.name, "--", "sh", "-c", `echo $$ $PWD $OWN; kill -TERM $$`)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "OWN=mine")
		out, err := cmd.Output()
		if want := fmt.Sprintf("%d %s mine\n", cmd.Process.Pid, folder); string(out) != want {
			t.Errorf("%q, want %q", out, want)
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			t.Errorf("%v, want the end by the signal", err)
		}
		if err := asleep.Start(); err != nil {
			t.Fatal(err)
		}
		if _, stderr, err := c.exec("no-such-program"); exitCode(err) != 1 || !strings.Contains(stderr, "not found") {
			t.Errorf("no such program: %v, %s", err, stderr)
		}
	})
	if _, stderr, err := c.sandbox("load-image", "leftovers_test.go", "web:v1"); err == nil || !strings.Contains(stderr, "no program for Linux") {
		t.Errorf("an image of no program: %v, %s", err, stderr)
	}

	if processes, _ := c.remains(own); processes < 7+3*3 { // the components, and for every pod its shim, pause and program
		t.Errorf("%d processes in the namespaces before down", processes)
	}
	begin = time.Now()
	if _, stderr, err := c.sandbox("down"); err != nil {
		t.Fatalf("down: %v\n%s", err, stderr)
	}
	t.Logf("down: %.1fs", time.Since(begin).Seconds())
	var exit *exec.ExitError
	if err := asleep.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("what exec had become ended with %v, want it killed by down", err)
	}
	c.gone(own)
	before.unchanged(t)
}

// TestRealNodeKilled kills the process that holds the namespaces: all die with it, and down clears what is left.
func TestRealNodeKilled(t *testing.T) {
	c, before := newRealNode(t, "killed")
	c.up("--real-node")
	if _, stderr, err := c.sandbox("up", "--real-node", "--metrics"); exitCode(err) != 1 || !strings.Contains(stderr, "runs without metrics-server") {
		t.Errorf("up with metrics-server: %v, %s", err, stderr)
	}
	own := namespaces(t, c.initPID())
	kill(t, c.initPID())
	for _, args := range [][]string{{"status"}, {"up", "--real-node"}, {"load-image", sandboxBin, "web:v1"}} {
		if _, stderr, err := c.sandbox(args...); exitCode(err) != 1 || !strings.Contains(stderr, "`sandbox down --name killed` and `sandbox up --real-node --name killed`") {
			t.Errorf("%s: %v, %s", args[0], err, stderr)
		}
	}
	if _, stderr, err := c.exec("true"); exitCode(err) != 1 || !strings.Contains(stderr, "is broken") {
		t.Errorf("exec: %v, %s", err, stderr)
	}
	if processes, paths := c.remains(own); processes > 0 || len(paths) < 2 {
		t.Errorf("%d processes live on; left are %q, want cgroups and the folder", processes, paths)
	}
	if _, stderr, err := c.sandbox("down"); err != nil {
		t.Fatalf("down: %v\n%s", err, stderr)
	}
	c.gone(own)
	before.unchanged(t)
}

func TestInterruptedRealNode(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		for _, at := range []string{`"init": {`, `"name": "containerd"`, `"name": "kubelet"`} {
			t.Run(sig.String()+" at "+at, func(t *testing.T) {
				c, before := newRealNode(t, "interrupted")
				cmd := exec.Command(sandboxBin, "up", "--real-node", "--dir", c.root, "--name", c.name)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
					if data, _ := os.ReadFile(filepath.Join(c.dir(), "state.json")); strings.Contains(string(data), at) {
						break
					}
					if time.Now().After(end) {
						t.Fatalf("no %s", at)
					}
				}
				own := namespaces(t, c.initPID())
				_ = cmd.Process.Signal(sig)
				if err := cmd.Wait(); err == nil {
					t.Fatal("up succeeded")
				}
				if sig == syscall.SIGKILL { // nobody could tidy up
					if _, stderr, err := c.sandbox("down"); err != nil {
						t.Fatalf("down: %v\n%s", err, stderr)
					}
				}
				c.gone(own)
				before.unchanged(t)
			})
		}
	}
}

// TestNoRealNode: what is missing is said in one line, and nothing is left.
func TestNoRealNode(t *testing.T) {
	root := t.TempDir()
	want := "error: a real node needs programs that are missing: "
	if os.Geteuid() != 0 {
		want = "error: a real node needs root\n"
	}
	for _, args := range [][]string{{"up", "--real-node", "--check"}, {"up", "--real-node"}} {
		cmd := exec.Command(sandboxBin, append(args, "--dir", root)...)
		cmd.Env = []string{"PATH=/nowhere"}
		out, err := cmd.CombinedOutput()
		if exitCode(err) != 1 || !strings.HasPrefix(string(out), want) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%v, %s", err, out)
		}
	}
	if left, _ := os.ReadDir(root); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
