package node

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/guard"
)

const (
	sandboxProgram = root + "/bin/sandbox"
	appProgram     = root + "/bin/canary-app"
	clusterName    = "node"
)

// programs have to be built.
var programs = []string{
	sandboxProgram, root + "/bin/sandbox-node", root + "/bin/sandbox-init", root + "/bin/kubectl", root + "/bin/kubectl-canary",
	appProgram, root + "/bin/canary-load",
}

// sandbox is a cluster with a real node. Commands reach it only from within its network.
type sandbox struct {
	dir        string
	kubeconfig string

	guard *guard.Guard
}

func sandboxCheck() string {
	out, err := exec.Command(sandboxProgram, "up", "--real-node", "--check").CombinedOutput()
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "error: ")
}

// start starts a cluster that has the images of the messenger's services.
func start() (s *sandbox, err error) {
	dir, err := os.MkdirTemp("", "kubectl-canary-node-")
	if err != nil {
		return nil, err
	}
	s = &sandbox{dir: dir}
	if s.guard, err = guard.Watch(sandboxProgram, dir, clusterName); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer func() {
		if err != nil {
			s.guard.Stop()
		}
	}()
	if s.kubeconfig, err = s.guard.Run("up", "--real-node", "--metrics"); err != nil {
		return s, err
	}
	images := []string{"load-image", appProgram}
	for _, service := range services {
		images = append(images, service+"-service:v1", service+"-service:v2")
	}
	_, err = s.guard.Run(images...)
	return s, err
}

// command runs a program of bin in the cluster's network.
func (s *sandbox) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, sandboxProgram, append([]string{"exec", "--dir", s.dir, "--name", clusterName, "--"}, args...)...)
	bin, err := filepath.Abs(root + "/bin")
	if err != nil {
		panic(err)
	}
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "PATH="+bin+":/usr/bin:/bin:/usr/sbin:/sbin", "HOME="+s.dir)
	cmd.WaitDelay = time.Minute
	return cmd
}

// runs runs a command and fails the test when it fails.
func runs(t testing.TB, stdin string, args ...string) (stdout string) {
	t.Helper()
	cmd := cluster.command(t.Context(), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out.String(), stderr.String())
	}
	return out.String()
}
