package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Seen is what was seen of a version in the window so far; nothing of one that was not there when the window was opened. Figures
// are as of the last measurement, what becomes of pods as of the last See.
func (w *Watcher) Seen(release, name string) Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window == nil || w.window.version(release, name) == nil {
		return Seen{Version: name}
	}
	win, v, now := w.window, w.window.version(release, name), time.Now()
	s := Seen{Version: name, Pods: v.now.Serving, Usage: v.usage, Span: win.span(now)}
	pods := win.podsOf(v)
	for _, p := range pods {
		p.life.addTo(&s.Life, now)
	}
	s.Life.Warnings = win.warningsOf(pods)
	if w.sources.Scrape != nil {
		s.Users = w.trusted(usersOf(pods))
	}
	if w.sources.Probe != nil {
		s.Probes = w.trusted(v.probed(w.sources.Probe.At))
	}
	return s
}

// trusted is traffic, where pods may be asked.
func (w *Watcher) trusted(t *Traffic) *Traffic {
	if may, asked := w.may[canary.AskPods]; asked && !may {
		t.Problem = mayNotAsk
	}
	return t
}

const mayNotAsk = "you may not get pods/proxy"

// span is how long the window is: from its first measurement to the last, as long as there is only one until now.
func (w *window) span(now time.Time) time.Duration {
	if w.measured.After(w.first) {
		return w.measured.Sub(w.first)
	}
	return now.Sub(w.began)
}

// warningsOf are those about pods that have come up in the window, in order of how often.
func (w *window) warningsOf(pods []*pod) (all []Warning) {
	names := map[string]bool{}
	for _, p := range pods {
		names["Pod/"+p.Name] = true
	}
	for warning, count := range w.warnings {
		if warning.Count = count - w.warned[warning]; warning.Count > 0 && names[warning.Object] {
			all = append(all, warning)
		}
	}
	slices.SortFunc(all, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
	})
	return all
}

// usersOf adds up what the pods have counted between their first reading and their last. Errors are NaN where no pod tells them.
func usersOf(pods []*pod) *Traffic {
	var sum counted
	var names []string
	read, compared, statuses, unread := 0, 0, false, ""
	for _, p := range pods {
		if !p.gone {
			unread = cmp.Or(unread, p.unread)
		}
		if p.last == nil {
			continue
		}
		read++
		if p.compared {
			compared++
		}
		statuses = statuses || p.last.statuses
		sum.add(p.counted)
		names = append(names, p.last.names...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	t := &Traffic{Source: "scrape: " + strings.Join(names, ", "), Requests: sum.requests, Errors: sum.errors, Latency: sum.latency}
	if !statuses {
		t.Errors = math.NaN()
	}
	switch {
	case len(pods) == 0:
		t.Problem = "it has no pods"
	case compared == 0 && unread != "":
		t.Problem = "its pods cannot be read: " + unread
	case read == 0:
		t.Problem = "none of its pods runs"
	case len(names) == 0:
		t.Problem = "its pods have counted nothing yet, or under another name than the usual ones"
	case compared == 0:
		t.Problem = "its pods were read only once so far"
	}
	return t
}

// probed is what became of the probes.
func (v *version) probed(at Place) *Traffic {
	t := &Traffic{Source: "probes of " + at.String(), Requests: v.probes.requests, Errors: v.probes.errors, Latency: v.probes.latency}
	if v.probes.requests == 0 {
		t.Problem = cmp.Or(v.unprobed, "no request was sent: it has no pod that is ready")
	}
	return t
}
