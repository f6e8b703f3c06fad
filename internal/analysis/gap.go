package analysis

import (
	"fmt"
	"math"
)

// Gap is something that could not be seen, though it was asked for.
type Gap struct {
	Release, Version string // empty: it is so for all
	What             string // is not known
	Why              string
	Mend             string // what would make it known; empty where that is not known either
}

// The mends of what a version's pods do not tell.
const (
	mendRights  = "bind the Role of manifests/rbac-metrics.yaml (docs/rbac.md)"
	mendUsage   = "install metrics-server, which kubectl top needs too (docs/metrics.md)"
	mendNames   = "name its metrics with --requests-metric and --latency-metric (docs/metrics.md)"
	mendLatency = "let it keep a histogram, or name it with --latency-metric (docs/metrics.md)"
	mendPlace   = "say where its metrics are with --scrape PATH:PORT, or by annotations prometheus.io/port (docs/metrics.md)"
)

// Gaps are what was not seen in the window so far, by version.
func (w *Watcher) Gaps() (all []Gap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	win := w.window
	if win == nil {
		return nil
	}
	if win.noEvents != "" {
		all = append(all, Gap{What: "warnings", Why: win.noEvents})
	}
	if win.noUsage != "" {
		mend := mendUsage
		if win.noUsage == mayNotList {
			mend = mendRights
		}
		all = append(all, Gap{What: "CPU and memory", Why: win.noUsage, Mend: mend})
	}
	if w.trusted(&Traffic{}).Problem != "" {
		return append(all, Gap{What: "requests and latencies", Why: mayNotAsk, Mend: mendRights})
	}
	for _, v := range win.versions {
		if w.sources.Scrape != nil && len(win.podsOf(v)) > 0 {
			all = append(all, v.untold(win.podsOf(v))...)
		}
		if w.sources.Probe != nil && v.unprobed != "" {
			all = append(all, Gap{v.release, v.name, "probes", v.unprobed, ""})
		}
	}
	return all
}

// untold is what the pods of a version do not tell.
func (v *version) untold(pods []*pod) (all []Gap) {
	gap := func(what, why, mend string) { all = append(all, Gap{v.release, v.name, what, why, mend}) }
	users, unread := usersOf(pods), 0
	for _, p := range pods {
		if p.unread != "" && !p.gone {
			unread++
		}
	}
	switch {
	case users.Problem != "" && unread > 0:
		gap("requests and latencies", users.Problem, mendPlace)
	case users.Problem != "":
		gap("requests and latencies", users.Problem, mendNames)
	case math.IsNaN(users.Errors):
		gap("errors", users.Source+" has no label for the status", mendNames)
	}
	if users.Problem == "" && len(users.Latency) == 0 {
		gap("latencies", "its pods have no histogram of them", mendLatency)
	}
	if users.Problem == "" && unread > 0 {
		gap("requests of some pods", fmt.Sprintf("%d of its %d pods could not be read", unread, len(pods)), "")
	}
	return all
}
