// Package faults runs the real plugin through a proxy that fails in all the ways a network and an API server can, beside a loop of
// `kubectl scale` that meets the same fault. What it finds is the table of docs/reliability.md.
package faults

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// root is the root of the repository, from where the tests run.
const root = "../.."

var (
	cluster *sandbox

	reportFile = flag.String("report", "", "the document whose tables are written anew, when everything has passed")
	runs       = flag.Int("runs", 1, "how often each fault is tried")
	rounds     = flag.Int("rounds", 12, "how many rounds each race of two operators has")
	every      = flag.Int("every", 8, "signals come at every such boundary of a move")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if flag.Lookup("test.list").Value.String() != "" {
		return m.Run()
	}
	parallelByDefault()
	var err error
	if cluster, err = start(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer cluster.guard.Stop()
	cluster.guard.StopOnSignal(process.KillAll)
	code := m.Run()
	if code == 0 {
		err = writeReport(*reportFile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return code
}

// parallelByDefault lets more tests run at once than there are processors: they mostly wait.
func parallelByDefault() {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8")
	}
}
