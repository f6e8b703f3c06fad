package mover

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// in runs a test on a clock of its own: what takes minutes is over at once, and in the same order each time.
func in(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
}

// options are those of `shift`.
func options() Options {
	return Options{Timeout: 5 * time.Minute, Still: 2 * time.Second, Settle: settleTime, Drain: drainTime, MayDrain: true, Restore: true}
}

func rollback() Options {
	o := options()
	o.Rollback = true
	return o
}

// moves moves every release to the split, with a surge as the default is, and watches the bounds from here on.
func (w *world) moves(to canary.Split, rollback bool) []Move {
	var all []Move
	for _, r := range canary.Discover(w.now(), canary.Options{}) {
		ask := canary.Ask{Surge: canary.Percent(25)}
		if rollback {
			all := canary.Percent(100)
			ask.MoveSurge = &all
		}
		b := r.Bounds(ask, canary.Target{Split: to, Baseline: max(to.Stable, to.Canary)})
		w.mu.Lock()
		w.bounds[r.Name] = b
		w.mu.Unlock()
		all = append(all, Move{Release: r, Target: to, Bounds: b})
	}
	return all
}

// events collects what a move tells.
type events struct {
	mu  sync.Mutex
	all []canary.Event
}

func (e *events) add(event canary.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) count(kind canary.EventKind) int {
	n := 0
	for _, event := range e.all {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

// run moves every release to the split, from what is there now.
func (w *world) run(ctx context.Context, o Options, to canary.Split) ([]Result, *events) {
	told := &events{}
	o.Notify = told.add
	moves := w.moves(to, o.Rollback)
	return Run(ctx, w, w.now(), moves, o), told
}

// splits are the replicas of every release, in order of their names.
func (w *world) splits() []canary.Split {
	var all []canary.Split
	for _, r := range canary.Discover(w.now(), canary.Options{}) {
		all = append(all, r.Replicas())
	}
	return all
}

func (w *world) wantSplits(want ...canary.Split) {
	w.t.Helper()
	if got := w.splits(); !slices.Equal(got, want) {
		w.t.Errorf("the splits are %v, want %v", got, want)
	}
}

func (w *world) wantWrites(want ...string) {
	w.t.Helper()
	if !slices.Equal(w.writes, want) {
		w.t.Errorf("the writes are %q, want %q", w.writes, want)
	}
}

func wantOutcomes(t *testing.T, results []Result, want ...canary.Outcome) {
	t.Helper()
	for i, r := range results {
		if r.Outcome != want[i] || (r.Err == nil) != (want[i] == canary.Done) {
			t.Errorf("release %d ended as %s (%v), want %s", i, r.Outcome, r.Err, want[i])
		}
	}
}

// How pods that never serve look.
var (
	notReady = func(*canary.Pod) {}
	crashing = func(p *canary.Pod) {
		p.Containers = []canary.Container{{
			Name: "app", Restarts: 2, Waiting: &canary.Waiting{Reason: canary.CodeCrashLoop}, Last: &canary.Ended{Reason: "Error", ExitCode: 1},
		}}
	}
	unschedulable = func(p *canary.Pod) {
		p.Conditions = []canary.Condition{{Type: "PodScheduled", Reason: "Unschedulable", Message: "no node"}}
	}
)

// slow lets new pods serve after a while.
func (w *world) slow(after time.Duration) func(*canary.Pod) {
	return func(p *canary.Pod) {
		uid := p.UID
		time.AfterFunc(after, func() { w.change(p.Name+" is ready", func() { w.ready(uid) }) })
	}
}

func (w *world) ready(uid string) {
	for _, d := range w.deployments {
		for _, p := range d.pods {
			p.ready = p.ready || p.UID == uid
		}
	}
}
