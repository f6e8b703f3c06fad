// Package node measures what a release loses, on a node whose pods really serve: containerd, a kubelet and kube-proxy, in
// namespaces of the cluster's own that nothing leaves. Where such a node cannot run, every test says why and is skipped.
package node

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// root is the root of the repository, from where the tests run.
const root = "../.."

var (
	cluster *sandbox
	// lacking is why there is no node here; empty where there is one.
	lacking string
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if flag.Lookup("test.list").Value.String() != "" {
		return m.Run()
	}
	if lacking = check(); lacking != "" {
		fmt.Println("the real-node suite is skipped:", lacking)
		return m.Run()
	}
	var err error
	if cluster, err = start(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer cluster.guard.Stop()
	cluster.guard.StopOnSignal()
	return m.Run()
}

// check returns what this machine lacks, in one line.
func check() string {
	for _, program := range programs {
		if _, err := os.Stat(program); err != nil {
			return "not built: " + strings.TrimPrefix(program, root+"/") + " (make test-node builds it)"
		}
	}
	return sandboxCheck()
}

// onNode skips a test where there is no node.
func onNode(t *testing.T) {
	t.Helper()
	if lacking != "" {
		t.Skip(lacking)
	}
}
