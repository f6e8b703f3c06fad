package analysis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const (
	// every is how often Run measures.
	every = 10 * time.Second
	// atOnce bounds the pods that are asked at the same time.
	atOnce = 16
	// maxMeasure is how long a measurement may take.
	maxMeasure = 15 * time.Second
)

var errSlow = fmt.Errorf("not read within %s", maxMeasure)

// Run measures every few seconds and sends the probes, until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	var running sync.WaitGroup
	if w.sources.Probe != nil {
		running.Go(func() { w.probe(ctx) })
	}
	defer running.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.Measure(ctx)
		}
	}
}

// Measure asks all sources once, the pods as they were seen last. It takes some seconds where pods do not answer, at most maxMeasure.
func (w *Watcher) Measure(ctx context.Context) {
	w.measuring.Lock()
	defer w.measuring.Unlock()
	w.mu.Lock()
	win := w.window
	w.mu.Unlock()
	if win == nil {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxMeasure, errSlow)
	defer cancel()
	if w.sources.Scrape != nil { // which is what the time counts for
		w.allowed(ctx, win.namespace, canary.AskPods)
	}
	now := time.Now()
	var asked sync.WaitGroup
	asked.Go(func() { w.readWarnings(ctx, win) })
	if w.sources.Usage {
		asked.Go(func() { w.readUsage(ctx, win) })
	}
	if w.sources.Scrape != nil {
		asked.Go(func() { w.scrape(ctx, win) })
	}
	asked.Wait()
	if givenUp(ctx) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if win.measured = now; win.first.IsZero() {
		win.first = now
	}
}

// givenUp says that nobody wants to know any more.
func givenUp(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), errSlow)
}

// allowed asks about a permission once.
func (w *Watcher) allowed(ctx context.Context, namespace string, p canary.Permission) bool {
	w.mu.Lock()
	may, known := w.may[p]
	w.mu.Unlock()
	if !known {
		may = w.cluster.May(ctx, namespace, p)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.may[p] = may
	}
	return may
}

// readWarnings counts how often each warning has come up. What it was when it was first listed in the window is what was before.
func (w *Watcher) readWarnings(ctx context.Context, win *window) {
	all, err := w.cluster.PodWarnings(ctx, win.namespace)
	if givenUp(ctx) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if win.noEvents = ""; err != nil {
		win.noEvents = oneLine(err.Error())
		return
	}
	win.warnings = map[Warning]int{}
	for _, h := range all {
		win.warnings[Warning{Reason: h.Reason, Object: h.Object, Message: h.Message}] += h.Count
	}
	if win.warned == nil {
		win.warned = win.warnings
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
