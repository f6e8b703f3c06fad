package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-canary/kubectl-canary/test/guard"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// root is the root of the repository, from where the tests run.
const root = ".."

// sandbox is the running cluster.
type sandbox struct {
	tools      string // folder with kubectl, kubectl-canary and sandbox: the PATH of the scripts
	kubeconfig string // the administrator's
	client     kubernetes.Interface
	users      map[string]string // kubeconfigs of those who may be $CANARY_AS
	audited    bool              // the API server writes down what the plugin asks for

	guard *guard.Guard
}

// startSandbox starts a cluster, in a folder that has everything the tests leave. With SANDBOX_KUBECONFIG it takes the
// cluster of that kubeconfig instead, which saves a few seconds while a script is written; that one is left running.
func startSandbox() (s *sandbox, err error) {
	dir, err := os.MkdirTemp("", "kubectl-canary-test-")
	if err != nil {
		return nil, err
	}
	s = &sandbox{tools: filepath.Join(dir, "bin"), kubeconfig: os.Getenv("SANDBOX_KUBECONFIG")}
	err = process.Tools(s.tools, filepath.Join(root, "bin"), "real/kubectl", "kubectl-canary", "sandbox")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.tools, "kubectl"), []byte(asUser), 0o700)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if s.guard, err = guard.Watch(filepath.Join(s.tools, "sandbox"), dir, "test"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	defer func() {
		if err != nil {
			s.guard.Stop()
		}
	}()
	if err := os.Setenv("GOTMPDIR", dir); err != nil { // where testscript works
		return s, err
	}
	if s.kubeconfig == "" {
		if s.kubeconfig, err = s.guard.Run("up", "--audit-policy", "audit-policy.yaml"); err != nil {
			return s, err
		}
		s.audited = true
	}
	if err := s.connect(); err != nil {
		return s, err
	}
	return s, s.addUsers()
}

// asUser stands for kubectl on the scripts' PATH. Where a script has not chosen a KUBECONFIG of its own, the plugin gets
// that of the user $CANARY_AS, and all else is the administrator's.
const asUser = `#!/bin/sh
[ "$1" = canary ] && [ "$KUBECONFIG" = "$WORK/.kubeconfig" ] && KUBECONFIG=$WORK/.$CANARY_AS.kubeconfig
exec "$(dirname "$0")/real/kubectl" "$@"
`

func (s *sandbox) connect() error {
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	s.client, err = kubernetes.NewForConfig(config)
	return err
}

// kubeconfigFor writes a user's kubeconfig with a default namespace, for another server if one is given.
func (s *sandbox) kubeconfigFor(user, file, namespace, server string) error {
	config, err := clientcmd.LoadFromFile(s.users[user])
	if err != nil {
		return err
	}
	config.Contexts[config.CurrentContext].Namespace = namespace
	if server != "" {
		for name := range config.Clusters {
			config.Clusters[name] = &clientcmdapi.Cluster{Server: server}
		}
		for name := range config.AuthInfos {
			config.AuthInfos[name] = &clientcmdapi.AuthInfo{}
		}
	}
	return clientcmd.WriteToFile(*config, file)
}

// kubeconfigOf returns the path of another user's kubeconfig, by the flags of `sandbox kubeconfig`.
func (s *sandbox) kubeconfigOf(flags ...string) (string, error) {
	dir := filepath.Dir(s.kubeconfig)
	cmd := exec.Command(filepath.Join(s.tools, "sandbox"), append([]string{"kubeconfig", "--dir", filepath.Dir(dir), "--name", filepath.Base(dir)}, flags...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
