package test

import (
	"context"
	"crypto/rand"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
	"github.com/kubectl-canary/kubectl-canary/test/process"
	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

// script is what one script has beside its files: a namespace, and what goes on in it.
type script struct {
	namespace   string
	environment []string // names of the variables that commands get
	started     map[string]*process.Process
	last        *process.Process // of the last exits or ends
	history     *witness.History // nil before the first command that needs it
	bounds      []*witness.Bound
	mark        uint64 // of the last snapshot
	proxy       *proxy // nil unless the script goes through one
	direct      string // the KUBECONFIG that does not
}

var update = flag.Bool("update", false, "write what scripts compare with files of their own anew")

type scriptKey struct{}

func of(ts *testscript.TestScript) *script { return ts.Value(scriptKey{}).(*script) }

func TestScripts(t *testing.T) { runScripts(t, "scripts") }

// TestTimed plays the scripts that hold the plugin to a time, when no others take up the processors.
func TestTimed(t *testing.T) { runScripts(t, "scripts/timed") }

func runScripts(t *testing.T, dir string) { testscript.Run(t, params(dir)) }

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		RequireUniqueNames: true,
		UpdateScripts:      *update,
		Setup:              setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "start": cmdStart, "ends": cmdEnds, "signal": cmdSignal, "says": cmdSays, "until": cmdUntil,
			"messenger": cmdMessenger, "ready": cmdReady, "replicas": cmdReplicas, "as-role": cmdAsRole,
			"snapshot": cmdSnapshot, "unchanged": cmdUnchanged, "bounds": cmdBounds, "bounds-held": cmdBoundsHeld,
			"proxy": cmdProxy, "before-write": cmdBeforeWrite, "writes": cmdWrites, "saw": cmdSaw, "requests": cmdRequests,
			"took": cmdTook, "after-restart": cmdAfterRestart, "killed": cmdKilled, "locks-expired": cmdLocksExpired,
			"manifests": cmdManifests,
		},
	}
}

// setUp gives a script a namespace, which is $NS and the default of its KUBECONFIG, and the users who have the Roles there.
func setUp(env *testscript.Env) error {
	s := &script{namespace: newNamespaceName(filepath.Base(env.WorkDir)), started: map[string]*process.Process{}}
	env.Values[scriptKey{}] = s
	if err := messenger.CreateNamespace(context.Background(), cluster.client, s.namespace); err != nil {
		return err
	}
	env.Defer(func() { deleteNamespace(s.namespace) })
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("NS", s.namespace)
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("PATH", cluster.tools+string(filepath.ListSeparator)+"/usr/bin"+string(filepath.ListSeparator)+"/bin")
	env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, ".kubeconfig"))
	env.Setenv("CANARY_AS", canaryAs())
	manifests, err := filepath.Abs(filepath.Join(root, "manifests"))
	if err != nil {
		return err
	}
	env.Setenv("MANIFESTS", manifests)
	if err := silentServer(env); err != nil {
		return err
	}
	for _, v := range env.Vars {
		name, _, _ := strings.Cut(v, "=")
		s.environment = append(s.environment, name)
	}
	for user := range cluster.users {
		if err := cluster.kubeconfigFor(user, filepath.Join(env.WorkDir, "."+user+".kubeconfig"), s.namespace, ""); err != nil {
			return err
		}
	}
	if err := cluster.kubeconfigFor(admin, env.Getenv("KUBECONFIG"), s.namespace, ""); err != nil {
		return err
	}
	return bindRoles(s.namespace)
}

func newNamespaceName(test string) string {
	name := strings.TrimPrefix(test, "script-")
	return name[:min(len(name), 50)] + "-" + strings.ToLower(rand.Text()[:4])
}

// deleteNamespace does not wait: the cluster ends soon.
func deleteNamespace(name string) {
	_ = cluster.client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
}
