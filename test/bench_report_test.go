package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// setBlock replaces what stands between <!-- begin NAME --> and <!-- end NAME -->. The rest of a document is written by hand.
func setBlock(document, name, body string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, opened := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return "", fmt.Errorf("no block %q, from %s to %s", name, strings.TrimSpace(begin), end)
	}
	return before + begin + "\n" + strings.TrimSpace(body) + "\n\n" + end + after, nil
}

func TestSetBlock(t *testing.T) {
	const document = "by hand\n<!-- begin a -->\nold\n<!-- end a -->\nalso\n<!-- begin b -->\n<!-- end b -->\n"
	got, err := setBlock(document, "a", "\nnew\n")
	if want := strings.Replace(document, "old", "\nnew\n", 1); err != nil || got != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, got, want)
	}
	if again, err := setBlock(got, "a", "new"); err != nil || again != got {
		t.Errorf("a second time, %v:\n%s\nwant\n%s", err, again, got)
	}
	for _, name := range []string{"c", ""} {
		if got, err := setBlock(document, name, "new"); err == nil {
			t.Errorf("block %q: %s", name, got)
		}
	}
}

func TestFigures(t *testing.T) {
	for want, all := range map[string][]float64{
		"20 ms (10–900)":     {0.9, 0.01, 0.02},
		"2.50 s (1.00–9.00)": {9, 1, 2, 3},
		"10.0 s (10.0–10.1)": {10, 10.1, 10},
	} {
		if got := summary(all).in("s"); got != want {
			t.Errorf("%v: %s, want %s", all, got, want)
		}
	}
	var out strings.Builder
	goals(&out, goal{"at the limit", 5, 5}, goal{"over it", 0.6, 0.5})
	for _, want := range []string{"\n| at the limit | 5 | 5 | met |\n", "\n| over it | 0.5 | 0.6 | **missed** by 20 % |\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nwant %q", &out, want)
		}
	}
}

// table is one of Markdown.
type table struct{ out *strings.Builder }

func newTable(out *strings.Builder, head ...string) table {
	t := table{out}
	t.row(head...)
	out.WriteString("|---" + strings.Repeat("|--:", len(head)-1) + "|\n")
	return t
}

func (t table) row(cells ...string) { t.out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// goal is what a figure should be at most.
type goal struct {
	what       string
	got, limit float64
}

func goals(out *strings.Builder, all ...goal) {
	out.WriteString("\n")
	t := newTable(out, "goal", "at most", "measured", "")
	for _, g := range all {
		verdict := "met"
		if g.got > g.limit {
			verdict = fmt.Sprintf("**missed** by %.0f %%", 100*(g.got/g.limit-1))
		}
		t.row(g.what, decimal(g.limit), decimal(g.got), verdict)
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
	var t table
	for i, line := range strings.Split(strings.TrimSpace(string(counts)), "\n") {
		cells := strings.Split(line, "\t")
		if i == 0 {
			t = newTable(&out, cells...)
		} else {
			t.row(cells...)
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
	t := newTable(&out, "", "")
	t.row("command", "`"+command+"`")
	t.row("plugin", strings.TrimSpace(string(version)))
	t.row("Kubernetes, kubectl too", server.GitVersion+", on the sandbox")
	t.row("machine", fmt.Sprintf("%s, %d processors, %s GB of memory, Linux %s", fact("/proc/cpuinfo", `model name\s*: (.*)`),
		runtime.NumCPU(), gigabytes(fact("/proc/meminfo", `MemTotal:\s*(\d+)`)), fact("/proc/sys/kernel/osrelease", `^(\d+\.\d+)`)))
	t.row("large namespace", fmt.Sprintf("%d services, %d Deployments, %d ready pods", b.services, 2*b.services, 4*b.services))
	t.row("in use before a measurement, at the worst", fmt.Sprintf("%.0f %% of the processors", 100*b.busiest))
	return out.String(), nil
}

// fact is what a pattern finds in a file of the kernel.
func fact(file, pattern string) string {
	text, err := os.ReadFile(file)
	if m := regexp.MustCompile(pattern).FindSubmatch(text); err == nil && m != nil {
		return strings.TrimSpace(string(m[1]))
	}
	return "unknown"
}

func gigabytes(kB string) string {
	n, err := strconv.ParseFloat(kB, 64)
	if err != nil {
		return kB
	}
	return fmt.Sprintf("%.0f", n/(1<<20))
}
