package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

const holding = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: "app:v1", env: [{name: MEMORY, value: 64Mi}]}]}
`

// TestMetrics: metrics.k8s.io has what the pods of the real node use, to the kubelet's figures.
func TestMetrics(t *testing.T) {
	c, before := newRealNode(t, "metrics")
	if _, stderr, err := c.sandbox("up", "--metrics"); exitCode(err) != 1 || !strings.Contains(stderr, "--metrics needs --real-node") {
		t.Errorf("--metrics without a real node: %v, %s", err, stderr)
	}
	begin := time.Now()
	c.up("--real-node", "--metrics")
	t.Logf("up: %.1fs", time.Since(begin).Seconds())
	own := namespaces(t, c.initPID())
	app := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", app, "./cmd/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, stderr, err := c.sandbox("load-image", app, "app:v1"); err != nil {
		t.Fatalf("load-image: %v\n%s", err, stderr)
	}
	manifest := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(manifest, []byte(holding), 0o600); err != nil {
		t.Fatal(err)
	}
	c.inside("apply", "-f", manifest)
	begin = time.Now()
	eventually(t, time.Minute, c.known)
	t.Logf("figures of new pods: after %.1fs", time.Since(begin).Seconds())

	if _, stderr, err := c.sandbox("restart", "metrics-server"); err != nil {
		t.Fatalf("restart: %v\n%s", err, stderr)
	}
	eventually(t, time.Minute, c.known)
	if out, stderr, err := c.sandbox("status"); err != nil || strings.Count(out, " running ") != 8 {
		t.Errorf("status: %v\n%s%s", err, out, stderr)
	}
	if _, stderr, err := c.sandbox("down"); err != nil {
		t.Fatalf("down: %v\n%s", err, stderr)
	}
	c.gone(own)
	before.unchanged(t)
}

// known says whether `kubectl top` knows that both pods hold their 64 MiB.
func (c *cluster) known() error {
	out, stderr, err := c.exec(kubectlBin, "--kubeconfig", c.kubeconfig, "top", "pods", "--no-headers")
	if err != nil {
		return fmt.Errorf("%w: %s", err, stderr)
	}
	pods := 0
	for line := range strings.Lines(out) {
		fields := strings.Fields(line) // name, CPU, memory
		if len(fields) != 3 {
			return errors.New(out)
		}
		memory, err := resource.ParseQuantity(fields[2])
		if err != nil {
			return err
		}
		if mib := memory.Value() >> 20; strings.HasPrefix(fields[0], "app-") && mib >= 64 && mib < 128 {
			pods++
		}
	}
	if pods != 2 {
		return fmt.Errorf("want two pods with 64 MiB each:\n%s", out)
	}
	return nil
}
