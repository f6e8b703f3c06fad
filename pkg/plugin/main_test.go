package plugin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// No test may find the user's own cluster, colors or language.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "kubectl-canary")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "KUBECONFIG": filepath.Join(home, "none"), "LC_ALL": "C.UTF-8", "TERM": "dumb",
		"KUBERNETES_SERVICE_HOST": "", "KUBERNETES_SERVICE_PORT": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	klog.SetLogger(logr.Discard())
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}

// execute runs a command line as main does.
func execute(args ...string) (code int, out, errOut string) {
	var o, e strings.Builder
	code = Main(context.Background(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}
