// Package test runs the real plugin through the real kubectl on a real Kubernetes control plane: the sandbox, whose pods
// are simulated. TestScripts plays scripts/*.txtar, one behaviour a file.
package test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// cluster is the one that all tests share. Each test has namespaces of its own in it.
var cluster *sandbox

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measureArg {
		os.Exit(measure(os.Args[2:]))
	}
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if list := flag.Lookup("test.list"); list.Value.String() != "" {
		return m.Run()
	}
	parallelByDefault()
	var err error
	if cluster, err = startSandbox(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer cluster.guard.Stop()
	cluster.guard.StopOnSignal(process.KillAll)
	code := m.Run()
	if err := cluster.checkRoles(everything()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return max(code, 1)
	}
	return code
}

// everything says that no test was left out by a flag.
func everything() bool {
	return flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
}

// parallelByDefault lets more scripts run at once than there are processors: they mostly wait for pods.
func parallelByDefault() {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8")
	}
}
