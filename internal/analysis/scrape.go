package analysis

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Scrape says where pods have their metrics, and which count.
type Scrape struct {
	At    Place // what is empty is found
	Names Names
}

// maxPage bounds a page of metrics, in bytes: some 60,000 series.
const maxPage = 8 << 20

// scrape reads the metrics of all pods that run.
func (w *Watcher) scrape(ctx context.Context, win *window) {
	if !w.allowed(ctx, win.namespace, canary.AskPods) {
		return
	}
	type job struct {
		pod          *pod
		target, path string
		restarts     int
	}
	var jobs []job
	w.mu.Lock()
	for _, v := range win.versions {
		for _, p := range win.podsOf(v) {
			if p.gone || p.Terminating || p.Phase != "Running" {
				continue
			}
			target, path, err := w.sources.Scrape.At.ofMetrics(&p.Pod, v.services)
			if err != nil {
				p.unread = err.Error()
				continue
			}
			jobs = append(jobs, job{p, target, path, p.life.total()})
		}
	}
	w.mu.Unlock()
	var asked sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, j := range jobs {
		slots <- struct{}{}
		asked.Go(func() {
			defer func() { <-slots }()
			r, err := w.page(ctx, win.namespace, j.target, j.path)
			w.mu.Lock()
			defer w.mu.Unlock()
			switch {
			case givenUp(ctx):
			case err != nil:
				j.pod.unread = oneLine(err.Error())
			default:
				j.pod.take(r, j.restarts)
			}
		})
	}
	asked.Wait()
}

// page reads the metrics of one pod. An error does not name it: it may be that of all.
func (w *Watcher) page(ctx context.Context, namespace, target, path string) (reading, error) {
	status, body, err := w.cluster.AskPod(ctx, namespace, target, path, maxPage)
	at := target[strings.LastIndex(target, ":"):] + path
	switch {
	case err != nil:
		return reading{}, fmt.Errorf("%s: %w", at, err)
	case status != http.StatusOK:
		return reading{}, fmt.Errorf("%d %s at %s", status, http.StatusText(status), at)
	case len(body) == maxPage:
		return reading{}, fmt.Errorf("more than %d MiB at %s", maxPage>>20, at)
	}
	r, err := w.sources.Scrape.Names.read(body)
	if err != nil {
		return reading{}, fmt.Errorf("%s: %w", at, err)
	}
	return r, nil
}

// take adds what the pod has counted since its last reading, of one that was born in the window since it began. Where its process does not
// say when it began, a restart of its only container tells; of several it may have been another.
func (p *pod) take(r reading, restarts int) {
	anew := p.last != nil && restarts != p.restarts && r.began == 0 && len(p.Containers) == 1
	if p.last == nil && p.born || anew {
		p.last = &reading{} // it has counted from 0 in the window
	}
	if p.last != nil {
		p.counted.add(r.since(*p.last))
		p.compared = true
	}
	p.last, p.restarts, p.unread = &r, restarts, ""
}
