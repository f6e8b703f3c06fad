package plugin

import (
	"math"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// measured is what was seen of the versions of a release, as it is printed.
func measured(r *canary.Release, s *canary.Snapshot, w *analysis.Watcher) (all []printer.VersionMetrics) {
	total := 0.0
	for _, v := range r.Versions() {
		seen := w.Seen(r.Name, v.Name)
		m := printer.VersionMetrics{
			Namespace: r.Namespace, Release: r.Name, Version: v.Name, Role: roleOf(r, v), Deployment: v.Deployment.Name, Seconds: rounded(seen.Span.Seconds()),
			Replicas: v.Deployment.Replicas, ReadyEndpoints: v.Serving, Restarts: restarts(s, v),
			Life: printer.Life{
				Restarts: seen.Life.Restarts, OOMKilled: seen.Life.OOMKilled, Crashing: seen.Life.Crashing, Flaps: seen.Life.Flaps,
				NotReadySeconds: rounded(seen.Life.NotReady.Seconds()),
			},
			Requests: trafficOf(seen.Users, seen.Span.Seconds()), Probes: trafficOf(seen.Probes, seen.Span.Seconds()),
		}
		for _, warning := range seen.Life.Warnings {
			m.Life.Warnings += warning.Count
		}
		if weight, ok := canary.Share(v.Serving, r.Serving()); ok {
			m.Weight = &weight
		}
		if u := seen.Usage; u != nil && u.Problem == "" {
			m.Usage = &printer.Usage{Source: u.Source, Pods: u.Pods, CPU: u.CPU, Memory: u.Memory, CPUOfLimit: shareOf(u.CPUOfLimit), MemoryOfLimit: shareOf(u.MemoryOfLimit)}
		}
		switch {
		case m.Requests != nil:
			total += m.Requests.Total
		case v.Serving > 0:
			total = math.NaN() // a version is missing in it
		}
		all = append(all, m)
	}
	for i := range all {
		if t := all[i].Requests; t != nil && total > 0 {
			share := t.Total / total
			all[i].Share = shareOf(&share)
		}
	}
	return all
}

func roleOf(r *canary.Release, v *canary.Version) string {
	switch v {
	case r.Stable:
		return "stable"
	case r.Canary:
		return "canary"
	}
	return "other"
}

// restarts counts those of the pods that there are.
func restarts(s *canary.Snapshot, v *canary.Version) (n int) {
	for _, p := range canary.PodsOf(s, v) {
		for _, c := range p.Containers {
			n += c.Restarts
		}
	}
	return n
}

// trafficOf is nil where there are no figures to trust.
func trafficOf(t *analysis.Traffic, seconds float64) *printer.Traffic {
	if t == nil || t.Problem != "" || seconds <= 0 {
		return nil
	}
	out := &printer.Traffic{
		Source: t.Source, Total: t.Requests, PerSecond: rounded(t.Requests / seconds),
		P50: quantile(t.Latency, 0.5), P95: quantile(t.Latency, 0.95), P99: quantile(t.Latency, 0.99),
	}
	if !math.IsNaN(t.Errors) {
		out.Errors = &t.Errors
		if t.Requests > 0 {
			share := t.Errors / t.Requests
			out.ErrorShare = shareOf(&share)
		}
	}
	if n := len(t.Latency); n > 1 {
		highest := t.Latency[n-2].UpTo
		out.Highest = &highest
	}
	return out
}

func quantile(h analysis.Histogram, q float64) *float64 {
	seconds := h.Quantile(q)
	if math.IsNaN(seconds) {
		return nil
	}
	seconds = rounded(seconds)
	return &seconds
}

// rounded leaves out what is less than a millionth.
func rounded(n float64) float64 { return math.Round(n*1e6) / 1e6 }

// shareOf is a share in percent.
func shareOf(share *float64) *canary.Weight {
	if share == nil {
		return nil
	}
	w := canary.Weight(math.Round(*share * 10000))
	return &w
}

func gapsOf(w *analysis.Watcher) (all []printer.Gap) {
	for _, g := range w.Gaps() {
		all = append(all, printer.Gap(g))
	}
	return all
}
