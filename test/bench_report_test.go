package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

func TestGoals(t *testing.T) {
	var out strings.Builder
	goals(&out, goal{"at the limit", 5, 5}, goal{"over it", 0.6, 0.5})
	for _, want := range []string{"\n| at the limit | 5 | 5 | met |\n", "\n| over it | 0.5 | 0.6 | **missed** by 20 % |\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nwant %q", &out, want)
		}
	}
}

// goal is what a figure should be at most.
type goal struct {
	what       string
	got, limit float64
}

func goals(out *strings.Builder, all ...goal) {
	out.WriteString("\n")
	t := markdown.NewTable(out, "goal", "at most", "measured", "")
	for _, g := range all {
		verdict := "met"
		if g.got > g.limit {
			verdict = fmt.Sprintf("**missed** by %.0f %%", 100*(g.got/g.limit-1))
		}
		t.Row(g.what, decimal(g.limit), decimal(g.got), verdict)
	}
}

func decimal(f float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.2f MB", float64(bytes)/1e6) }

// accuracy is what a test of the core counts.
func (b *bench) accuracy(context.Context) (string, error) {
	counts, err := os.ReadFile(filepath.Join(root, "internal", "canary", "testdata", "accuracy.tsv"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	var t markdown.Table
	for i, line := range strings.Split(strings.TrimSpace(string(counts)), "\n") {
		cells := strings.Split(line, "\t")
		if i == 0 {
			t = markdown.NewTable(&out, cells...)
		} else {
			t.Row(cells...)
		}
	}
	return out.String(), nil
}

// machine says what was measured, and on what.
func (b *bench) machine(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, filepath.Join(cluster.tools, "kubectl-canary"), "version").Output()
	if err != nil {
		return "", err
	}
	server, err := cluster.client.Discovery().ServerVersion()
	if err != nil {
		return "", err
	}
	command := "make bench"
	if b.services != 1000 {
		command += " SERVICES=" + strconv.Itoa(b.services)
	}
	var out strings.Builder
	t := markdown.NewTable(&out, "", "")
	t.Row("command", "`"+command+"`")
	t.Row("plugin", strings.TrimSpace(string(version)))
	t.Row("Kubernetes, kubectl too", server.GitVersion+", on the sandbox")
	t.Row("machine", markdown.Machine())
	t.Row("large namespace", fmt.Sprintf("%d services, %d Deployments, %d ready pods", b.services, 2*b.services, 4*b.services))
	t.Row("in use before a measurement, at the worst", fmt.Sprintf("%.0f %% of the processors", 100*b.busiest))
	return out.String(), nil
}
