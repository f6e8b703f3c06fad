package faults

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-canary/kubectl-canary/test/guard"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

const clusterName = "faults"

// sandbox is the cluster that all tests share.
type sandbox struct {
	dir    string
	tools  string // folder with kubectl and kubectl-canary
	config *rest.Config
	client kubernetes.Interface

	kubeconfig string
	guard      *guard.Guard

	mu    sync.Mutex
	users map[string]string // kubeconfigs
}

// start starts a cluster, in a folder that has everything the tests leave.
func start() (s *sandbox, err error) {
	dir, err := os.MkdirTemp("", "kubectl-canary-faults-")
	if err != nil {
		return nil, err
	}
	s = &sandbox{dir: dir, tools: filepath.Join(dir, "bin"), users: map[string]string{}}
	if s.guard, err = guard.Watch(root+"/bin/sandbox", dir, clusterName); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer func() {
		if err != nil {
			s.guard.Stop()
		}
	}()
	if err := process.Tools(s.tools, filepath.Join(root, "bin"), "kubectl", "kubectl-canary"); err != nil {
		return s, err
	}
	if s.kubeconfig, err = s.guard.Run("up"); err != nil {
		return s, err
	}
	if s.config, err = clientcmd.BuildConfigFromFlags("", s.kubeconfig); err != nil {
		return s, err
	}
	s.config.QPS = -1
	s.client, err = kubernetes.NewForConfig(s.config)
	return s, err
}

// kubeconfigOf returns the path of a user's kubeconfig.
func (s *sandbox) kubeconfigOf(user string) (file string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[user] == "" {
		s.users[user], err = s.guard.Run("kubeconfig", "--user", user)
	}
	return s.users[user], err
}
