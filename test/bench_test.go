package test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

var (
	reportFile = flag.String("report", "", "the document whose numbers BenchmarkReport writes anew")
	services   = flag.Int("services", 1000, "the size of BenchmarkReport's large namespace; a fifth as many are moved")
)

// bench is one run of all measurements.
type bench struct {
	services, toMove         int     // services in the large namespace, and in that of many moves
	large, small, four, many string  // namespaces
	home                     string  // of the commands: kubectl's cache
	busiest                  float64 // the share of the processors that was in use before a measurement, at the worst
}

// BenchmarkReport measures the plugin beside kubectl, on one sandbox, and writes what it finds into a document. Nothing is
// asserted: times depend on the machine.
func BenchmarkReport(b *testing.B) {
	run := &bench{services: *services, toMove: max(*services/5, 1), home: b.TempDir()}
	measurements := []struct {
		block   string
		measure func(context.Context) (string, error)
	}{
		{"start", run.start},
		{"size", run.size},
		{"accuracy", run.accuracy},
		{"status", run.statusOfAll},
		{"status-name", run.statusOfOne},
		{"shift", run.shiftOfFour},
		{"shift-many", run.shiftOfMany},
		{"machine", run.machine}, // last: it tells how busy the machine was
	}
	var blocks []string
	for _, m := range measurements {
		blocks = append(blocks, m.block)
	}
	document, err := markdown.Open(*reportFile, blocks...)
	check(b, err)
	run.setUp(b)
	check(b, run.rest(b.Context(), time.Minute))
	for _, m := range measurements {
		check(b, run.rest(b.Context(), 10*time.Second))
		began := time.Now()
		body, err := m.measure(b.Context())
		check(b, err)
		say("%s (%s)\n\n%s", m.block, time.Since(began).Round(time.Second), body)
		check(b, document.Set(m.block, body))
	}
}

// setUp fills the namespaces.
func (run *bench) setUp(b *testing.B) {
	for _, f := range []struct {
		namespace  *string
		name       string
		size       int
		readyAfter time.Duration
	}{
		{&run.small, "small", 1, 0},
		{&run.four, "four", 4, time.Second},
		{&run.many, "many", run.toMove, time.Second},
		{&run.large, "large", run.services, 0},
	} {
		*f.namespace = newNamespaceName(f.name)
		b.Cleanup(func() { deleteNamespace(*f.namespace) })
		began := time.Now()
		check(b, fleet(b.Context(), *f.namespace, f.size, f.readyAfter))
		say("%d services, %d pods: ready after %s", f.size, 4*f.size, time.Since(began).Round(time.Second))
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// say tells how far it is: it takes minutes.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
