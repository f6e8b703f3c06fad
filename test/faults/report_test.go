package faults

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
	"github.com/kubectl-canary/kubectl-canary/test/verdict"
)

const document = root + "/docs/reliability.md"

// report is what has been tried, for the tables.
var report = results{tried: map[string]int{}}

type results struct {
	mu    sync.Mutex
	tried map[string]int // by trial, and race and so on
}

// add counts a try that has come to its end, as it should or not.
func (r *results) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried[name]++
}

// rows are the cells of a table without how often it was tried, which is the second.
type rows struct {
	block string
	head  []string
	names []string // of what is tried
	cells [][]string
}

// tables are all tables of the document.
func tables() []rows {
	var all []rows
	for _, g := range groups() {
		t := rows{block: g.block, head: []string{"fault", "tried", "`kubectl canary` ends", "exit code", "and the loop of `kubectl scale`"}}
		for _, tr := range g.trials {
			t.names = append(t.names, tr.name)
			t.cells = append(t.cells, []string{tr.fault, tr.end, strconv.Itoa(tr.exit), cmp.Or(tr.loop, "not tried")})
		}
		all = append(all, t)
	}
	return append(all, raceRows(), signalRows(), outageRows(), scenarioRows())
}

// write makes the table; known is how often each row was tried where this run has not tried it.
func (t rows) write(tried func(name string) string) string {
	var out strings.Builder
	table := markdown.NewTable(&out, t.head...)
	for i, cells := range t.cells {
		table.Row(append([]string{cells[0], tried(t.names[i])}, cells[1:]...)...)
	}
	return strings.ReplaceAll(out.String(), "--:", "---")
}

// toldBlock is the one table of measured times, raceEndsBlock one of what differs from run to run.
const toldBlock, raceEndsBlock = "told", "race-ends"

func writeReport(file string) error {
	if file == "" {
		return nil
	}
	all, blocks := tables(), []string{toldBlock, raceEndsBlock}
	for _, t := range all {
		blocks = append(blocks, t.block)
	}
	d, err := markdown.Open(file, blocks...)
	if err != nil {
		return err
	}
	told, err := verdict.Table(context.Background(), verdict.Cluster{
		Client: cluster.client, Root: root, Kubeconfig: cluster.kubeconfig,
		Kubectl: filepath.Join(cluster.tools, "kubectl"), Plugin: filepath.Join(cluster.tools, "kubectl-canary"),
	}, time.Minute)
	if err != nil {
		return err
	}
	if err := d.Set(toldBlock, told); err != nil {
		return err
	}
	if err := d.Set(raceEndsBlock, raceEnds()); err != nil {
		return err
	}
	for _, t := range all {
		body := t.write(func(name string) string { return strconv.Itoa(report.tried[name]) })
		if err := d.Set(t.block, body); err != nil {
			return err
		}
	}
	return nil
}

// TestDocument holds the rows of the document to what is tried here; how often it was, `make test-faults` says.
func TestDocument(t *testing.T) {
	if *reportFile != "" {
		return // it is being written
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables() {
		_, rest, opened := strings.Cut(string(text), "<!-- begin "+table.block+" -->\n")
		body, _, closed := strings.Cut(rest, "<!-- end "+table.block+" -->")
		if !opened || !closed {
			t.Errorf("%s has no block %s", document, table.block)
			continue
		}
		for line := range strings.Lines(body) {
			if cells := strings.Split(line, " | "); len(cells) > 2 && cells[1] == "0" {
				t.Errorf("never tried: %s", line)
			}
		}
		got, want := uncounted(body), uncounted(table.write(func(string) string { return "N" }))
		if got != want {
			t.Errorf("%s: table %s is out of step, run make test-faults:\n%s\nwant\n%s", document, table.block, got, want)
		}
	}
}

// uncounted is a table without what its second column has.
func uncounted(table string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(table)) {
		if cells := strings.Split(line, " | "); len(cells) > 2 {
			cells[1] = "N"
			line = strings.Join(cells, " | ")
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// say tells how far it is: it takes minutes.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
