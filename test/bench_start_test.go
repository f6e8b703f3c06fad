package test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// start compares what it costs to start the two programs, without a cluster.
func (b *bench) start(ctx context.Context) (string, error) {
	const n = 25
	canary := &subject{label: "`kubectl-canary version`", words: []string{"kubectl-canary", "version"}}
	kubectl := &subject{label: "`kubectl version --client`", words: []string{"kubectl", "version", "--client"}}
	through := &subject{label: "`kubectl canary version`", words: []string{"kubectl", "canary", "version"}}
	subjects := []*subject{canary, kubectl, through}
	if err := b.sideBySide(ctx, 1, n, subjects...); err != nil {
		return "", err
	}
	var out strings.Builder
	t := markdown.NewTable(&out, "", "CPU", "wall")
	for _, s := range subjects {
		t.Row(s.label, s.sample(cpu).In("s"), s.sample(wall).In("s"))
	}
	goals(&out, goal{"CPU, of kubectl's", canary.sample(cpu).Median / kubectl.sample(cpu).Median, 0.5})
	return out.String(), nil
}

// size is the size of the stripped programs.
func (b *bench) size(context.Context) (string, error) {
	var out strings.Builder
	t := markdown.NewTable(&out, "", "size")
	var canary float64
	for _, name := range []string{"kubectl-canary", "real/kubectl"} {
		info, err := os.Stat(filepath.Join(cluster.tools, name)) // follows the link
		if err != nil {
			return "", err
		}
		t.Row("`"+filepath.Base(name)+"`", megabytes(info.Size()))
		if name == "kubectl-canary" {
			canary = float64(info.Size()) / 1e6
		}
	}
	goals(&out, goal{"size in MB", canary, 45})
	return out.String(), nil
}
