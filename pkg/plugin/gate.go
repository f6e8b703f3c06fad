package plugin

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
)

// gate judges the canaries of a migration while it pauses.
type gate interface {
	// Begin opens the window of a step, which is watched until ctx ends.
	Begin(ctx context.Context, releases []canary.Release)
	// Judge says what the checks of each release come to so far; final is the end of the pause. It gives up when ctx ends.
	Judge(ctx context.Context, final bool) map[string][]analysis.Result
}

// windowGate judges by what a Watcher sees in the window of a step, and by a Prometheus where one is to be asked.
type windowGate struct {
	live       *cluster.Live
	options    canary.Options
	policy     *analysis.Policy
	watcher    *analysis.Watcher
	prometheus *analysis.Prometheus // nil: none is asked

	mu     sync.Mutex // held by Begin and Judge: one of a window that was left may still run
	began  time.Time
	names  []string
	stable map[string]analysis.Seen // by release, in the last window in which it served
}

// mostAsking is how long a look may ask a Prometheus, which must not delay what the API server says of the canary.
const mostAsking = 20 * time.Second

// newGate makes the gate of a run. It fails where a Prometheus is to be asked and does not answer.
func (o *gateOptions) newGate(ctx context.Context, r *run) (gate, error) {
	g := &windowGate{
		live: r.live, options: r.choose.options, policy: &o.policy,
		watcher: analysis.NewWatcher(r.client, o.from), stable: map[string]analysis.Seen{},
	}
	if o.prometheus == nil {
		return g, nil
	}
	var err error
	if g.prometheus, err = analysis.NewPrometheus(*o.prometheus, os.Getenv); err == nil {
		err = g.prometheus.Ready(ctx)
	}
	return g, err
}

func (g *windowGate) Begin(ctx context.Context, releases []canary.Release) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.began, g.names = time.Now(), nil
	for _, r := range releases {
		g.names = append(g.names, r.Name)
	}
	g.watcher.Begin(ctx, releases, g.live.Snapshot())
	go g.watcher.Run(ctx)
	go func() {
		_ = g.live.Observe(ctx, func(s *canary.Snapshot) (bool, error) {
			g.watcher.See(canary.Discover(s, g.options), s)
			return false, nil
		})
	}()
}

func (g *windowGate) Judge(ctx context.Context, final bool) map[string][]analysis.Result {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watcher.Measure(ctx)
	ctx, cancel := context.WithTimeout(ctx, mostAsking)
	defer cancel()
	s := g.live.Snapshot()
	found := map[string]canary.Release{}
	for _, r := range canary.Discover(s, g.options) {
		found[r.Name] = r
	}
	all := map[string][]analysis.Result{}
	for _, name := range g.names {
		r := found[name]
		if r.Canary == nil {
			all[name] = []analysis.Result{{Check: "release", Verdict: analysis.Inconclusive, Message: "it is no longer there"}}
			continue
		}
		var stable *analysis.Seen
		if r.Stable.Serving > 0 {
			g.stable[name] = g.seen(ctx, &r, r.Stable, s)
		}
		if seen, ok := g.stable[name]; ok {
			stable = &seen
		}
		all[name] = g.policy.Judge(g.seen(ctx, &r, r.Canary, s), stable, final)
	}
	return all
}

// seen is what was seen of a version in the window so far. What a Prometheus counts goes before what pods do.
func (g *windowGate) seen(ctx context.Context, r *canary.Release, v *canary.Version, s *canary.Snapshot) analysis.Seen {
	seen := g.watcher.Seen(r.Name, v.Name)
	if g.prometheus == nil {
		return seen
	}
	values := valuesOf(s, r, v, time.Since(g.began))
	if users := g.prometheus.Traffic(ctx, values); users != nil {
		seen.Users = users
	}
	seen.Figures = g.prometheus.Figures(ctx, g.policy.Queries, values)
	return seen
}
