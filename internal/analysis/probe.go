package analysis

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Probe says what to ask pods for.
type Probe struct {
	At   Place
	Rate float64 // requests a second for each version; 0 is ProbeRate
}

const (
	// ProbeRate is how many requests a second each version gets where nothing asks for more.
	ProbeRate = 5
	// mostProbes bounds those of a version, all of which may be for one pod: at 2 ms of CPU for each, 20 a second are 4 % of a core.
	mostProbes = 20
	// mostAtAll bounds those of all versions together: the API server passes each on, and has others to serve.
	mostAtAll = 100
	// maxProbed bounds how much of an answer is read, in bytes.
	maxProbed = 64 << 10
	// probedPart is the part of a window in which probes are counted for sure: it begins with readings, and ends with answers.
	probedPart = 0.8
)

// Fit sets the rate so that each of so many versions gets enough requests within a window, as far as the bounds allow. It returns
// how many each gets at least.
func (p *Probe) Fit(enough float64, window time.Duration, versions int) (requests float64) {
	seconds := probedPart * window.Seconds()
	p.Rate = min(max(ProbeRate, enough/seconds), mostProbes, mostAtAll/float64(max(versions, 1)))
	return math.Floor(p.Rate*seconds + 1e-9)
}

// ProbeWindow is the shortest window, in whole seconds, in which each of so many versions can get enough requests.
func ProbeWindow(enough float64, versions int) time.Duration {
	most := min(mostProbes, mostAtAll/float64(max(versions, 1)))
	return time.Duration(math.Ceil(enough/most/probedPart-1e-9)) * time.Second
}

// probeBounds are those of the histogram of the latencies: from 1 ms to 11 s, each a quarter more than the last.
var probeBounds = func() (bounds []float64) {
	for i := range 43 {
		bounds = append(bounds, 0.001*math.Pow(1.25, float64(i)))
	}
	return append(bounds, math.Inf(1))
}()

// probe sends requests at a steady rate, versions and their pods by turns, until the context ends. A pod that does not answer delays
// none of the others: what is due while too many are under way is left out, whichever pod it is for.
func (w *Watcher) probe(ctx context.Context) {
	w.mu.Lock()
	namespace, versions := "", 0
	if w.window != nil {
		namespace, versions = w.window.namespace, len(w.window.versions)
	}
	w.mu.Unlock()
	rate := w.sources.Probe.Rate
	if rate <= 0 {
		rate = ProbeRate
	}
	rate = min(rate*float64(versions), mostAtAll)
	if rate == 0 || !w.allowed(ctx, namespace, canary.AskPods) {
		return
	}
	var sent sync.WaitGroup
	defer sent.Wait()
	slots := make(chan struct{}, atOnce)
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case slots <- struct{}{}:
			sent.Go(func() { defer func() { <-slots }(); w.probeNext(ctx) })
		default:
		}
	}
}

// probeNext asks the pod whose turn it is.
func (w *Watcher) probeNext(ctx context.Context) {
	w.mu.Lock()
	win := w.window
	v, target, err := win.next(w.sources.Probe.At)
	w.mu.Unlock()
	if v == nil || err != nil {
		return
	}
	began := time.Now()
	status, _, err := w.cluster.AskPod(ctx, win.namespace, target, w.sources.Probe.At.Path, maxProbed)
	took := time.Since(began)
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !errors.Is(err, canary.ErrNoAnswer) {
		v.unprobed = oneLine(err.Error())
		return
	}
	v.probes.requests++
	v.unprobed = ""
	if err != nil || status >= http.StatusInternalServerError {
		v.probes.errors++
	}
	v.probes.latency = v.probes.latency.Plus(one(took))
}

// one is a histogram of one request.
func one(took time.Duration) (h Histogram) {
	for _, upTo := range probeBounds {
		b := Bucket{UpTo: upTo}
		if took.Seconds() <= upTo {
			b.Count = 1
		}
		h = append(h, b)
	}
	return h
}

// next is the pod whose turn it is: versions that have a pod in the Service take turns, and in each of them its pods.
func (w *window) next(at Place) (v *version, target string, err error) {
	w.probed++
	n := w.probed
	v = w.versions[n%len(w.versions)]
	var pods []*pod
	for _, p := range w.podsOf(v) {
		if !p.gone && !p.Terminating && p.life.ready {
			pods = append(pods, p)
		}
	}
	if len(pods) == 0 {
		return nil, "", nil
	}
	p := pods[n/len(w.versions)%len(pods)]
	if target, err = at.target(&p.Pod, v.services); err != nil {
		v.unprobed = err.Error()
	}
	return v, target, err
}
