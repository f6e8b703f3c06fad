package faults

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// start starts a command through the proxy.
func (s *scene) start(args ...string) *process.Process {
	s.Helper()
	cmd := exec.Command(filepath.Join(cluster.tools, args[0]), args[1:]...)
	if args[0] == "sh" {
		cmd = exec.Command("/bin/sh", args[1:]...)
	}
	cmd.Env = []string{"PATH=" + cluster.tools + ":/usr/bin:/bin", "HOME=" + s.home, "KUBECONFIG=" + s.kubeconfig(), "LANG=C.UTF-8"}
	cmd.WaitDelay = time.Second // what a loop has started ends with its connection
	p, err := process.Start(cmd)
	s.must(err)
	s.Cleanup(p.Kill)
	return p
}

// run runs a command to its end.
func (s *scene) run(args ...string) ended {
	s.Helper()
	return s.end(s.start(args...))
}

// ended is how a command ended.
type ended struct {
	*process.Process
	code int
}

func (e ended) String() string {
	return fmt.Sprintf("$ %s\n%s%s-> %d after %s", strings.Join(e.Cmd.Args[1:], " "), e.Stdout.String(), e.Stderr.String(), e.code, e.Until.Sub(e.Since))
}

func (s *scene) end(p *process.Process) ended {
	s.Helper()
	code, err := p.Code()
	if err != nil {
		s.Errorf("%v\n%s%s", err, p.Stdout.String(), p.Stderr.String())
	}
	return ended{p, code}
}

// direct lets the scene's commands reach the API server without the proxy, as a user.
func (s *scene) direct(user string) {
	s.Helper()
	file, err := cluster.kubeconfigOf(user)
	s.must(err)
	config, err := clientcmd.LoadFromFile(file)
	s.must(err)
	config.Contexts[config.CurrentContext].Namespace = s.namespace
	s.must(clientcmd.WriteToFile(*config, s.kubeconfig()))
}

// until waits until a command has said something on stderr.
func (s *scene) until(p *process.Process, pattern string) {
	s.Helper()
	said := regexp.MustCompile("(?m)" + pattern)
	for deadline := time.Now().Add(patience.Limit); !said.MatchString(p.Stderr.String()); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.Ended:
			s.Fatalf("it ends without saying %s:\n%s", pattern, p.Stderr.String())
		default:
		}
		if time.Now().After(deadline) {
			s.Fatalf("it does not say %s:\n%s", pattern, p.Stderr.String())
		}
	}
}

// canary runs `kubectl canary`; -n is there already.
func (s *scene) canary(args ...string) ended {
	s.Helper()
	return s.run(append([]string{"kubectl", "canary"}, args...)...)
}
