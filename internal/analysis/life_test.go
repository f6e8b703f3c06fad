package analysis

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// state is a pod at some seconds after the start, with its readiness since then or before, and the restarts of its one container.
type state struct {
	at, since int
	ready     bool
	restarts  int
	last      string // why the container ended before
	waiting   string
	leaves    bool
}

func (s state) pod() *canary.Pod {
	p := &canary.Pod{
		Name: "p", UID: "p", Phase: "Running", Terminating: s.leaves,
		Conditions: []canary.Condition{{Type: "Ready", Status: s.ready, Since: start.Add(time.Duration(s.since) * time.Second)}},
		Containers: []canary.Container{{Name: "app", Ready: s.ready, Restarts: s.restarts}},
	}
	if s.last != "" {
		p.Containers[0].Last = &canary.Ended{Reason: s.last}
	}
	if s.waiting != "" {
		p.Containers[0].Waiting = &canary.Waiting{Reason: s.waiting}
	}
	return p
}

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestLifeOfPods(t *testing.T) {
	for name, c := range map[string]struct {
		states []state
		born   bool // in the window, as the first state
		want   Life
	}{
		"well":            {states: []state{{ready: true}, {at: 5, ready: true}}},
		"old troubles":    {states: []state{{restarts: 7, last: "OOMKilled", ready: true}, {at: 5, restarts: 7, last: "OOMKilled", ready: true}}},
		"restarted":       {states: []state{{restarts: 7, ready: true}, {at: 1, restarts: 9, ready: true, last: "Error"}}, want: Life{Restarts: 2}},
		"out of memory":   {states: []state{{ready: true}, {at: 1, restarts: 1, ready: true, last: "OOMKilled"}, {at: 2, restarts: 2, ready: true, last: "OOMKilled"}}, want: Life{Restarts: 2, OOMKilled: 2}},
		"crash loop":      {states: []state{{ready: true}, {at: 10, since: 10, restarts: 1, last: "Error", waiting: "CrashLoopBackOff"}}, want: Life{Restarts: 1, Crashing: 1, Flaps: 1, NotReady: 10 * time.Second}},
		"has recovered":   {states: []state{{waiting: "CrashLoopBackOff"}, {at: 10, since: 10, ready: true}}},
		"pulls an image":  {states: []state{{ready: true}, {at: 1, ready: true, waiting: "ImagePullBackOff"}}},
		"flaps":           {states: []state{{ready: true}, {at: 2, since: 2}, {at: 5, since: 5, ready: true}, {at: 6, since: 6}, {at: 7, since: 7, ready: true}}, want: Life{Flaps: 2, NotReady: 4 * time.Second}},
		"flaps unseen":    {states: []state{{ready: true}, {at: 5, since: 4, ready: true}}, want: Life{Flaps: 1}},
		"not ready yet":   {states: []state{{}, {at: 5}}},
		"comes up":        {states: []state{{}, {at: 5, since: 5, ready: true}}},
		"is not any more": {states: []state{{ready: true}, {at: 5, since: 5}, {at: 7, since: 5}}, want: Life{Flaps: 1, NotReady: 15 * time.Second}},
		"leaves":          {states: []state{{ready: true}, {at: 5, since: 5, leaves: true}}},
		"leaves sick":     {states: []state{{ready: true}, {at: 2, since: 2}, {at: 5, since: 2, leaves: true}}, want: Life{Flaps: 1, NotReady: 3 * time.Second}},
		"born sick":       {born: true, states: []state{{restarts: 3, last: "OOMKilled", waiting: "CrashLoopBackOff"}}, want: Life{Restarts: 3, OOMKilled: 1, Crashing: 1}},
		"born well":       {born: true, states: []state{{at: 1, since: 1}, {at: 3, since: 3, ready: true}, {at: 5, since: 3, ready: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(c.states[0].pod())
			if c.born {
				l = bornLife()
				l.see(c.states[0].pod(), start)
			}
			for _, s := range c.states[1:] {
				l.see(s.pod(), start.Add(time.Duration(s.at)*time.Second))
			}
			var got Life
			l.addTo(&got, start.Add(20*time.Second))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
