package test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/verdict"
)

// BenchmarkVerdict measures how soon it is said that a version does not come up, and prints it. Nothing is asserted.
func BenchmarkVerdict(b *testing.B) {
	table, err := verdict.Table(b.Context(), verdict.Cluster{
		Client: cluster.client, Root: root, Kubeconfig: cluster.kubeconfig,
		Kubectl: filepath.Join(cluster.tools, "real", "kubectl"), Plugin: filepath.Join(cluster.tools, "kubectl-canary"),
	}, time.Minute)
	check(b, err)
	say("%s", table)
}
