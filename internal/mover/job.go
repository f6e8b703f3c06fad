package mover

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// job is the state of one move.
type job struct {
	Move

	base    canary.Release // whose Deployments are the ones to move
	now     canary.Release
	seen    *canary.Snapshot // that now is from
	expect  canary.Split     // the replicas that nobody but us should change
	moved   time.Time        // when its endpoints were last seen to change; zero before that
	rest    time.Time        // until when what was dark at the start may not be stopped
	known   map[string]bool
	failing map[string]canary.Failure // what already failed before the raise, by Deployment
	ready   bool                      // told to be, at this barrier
	told    map[string]bool           // the troubles told of
	tried   map[string]int            // replicas of writes whose end is not known, by Deployment
	plain   atomic.Bool               // its pods cannot be drained
	arrived bool                      // at its target, or where --keep leaves it: from now on an interrupt leaves it done
	undone  bool                      // somebody else has changed it after that
	scaled  bool                      // by this move

	stays struct{ Stable, Canary bool } // somebody else has changed the side: it is not put back

	comebacks int // how often what was drained had to come back

	mu   sync.Mutex // guards what parallel writes change
	err  error
	back bool // put back to where it was
}

// remember notes what was there before a raise, so that only what the raise has made counts against it.
func (j *job) remember() {
	j.failing = map[string]canary.Failure{}
	for _, v := range []*canary.Version{j.now.Stable, j.now.Canary} {
		if f := v.Deployment.Failure; f != nil {
			j.failing[v.Deployment.Name] = *f
		}
	}
}

// position is where the release stands, as its move sees it.
func (j *job) position() canary.Position {
	if j.Keep {
		return j.now.LitPosition()
	}
	return j.now.Position()
}

func (j *job) done() bool { return j.position().Done(j.Target) }

// replicas are what to set for a split of the move: what it keeps is not scaled.
func (j *job) replicas(to canary.Split) canary.Split {
	if j.Keep {
		to.Stable = j.now.Replicas().Stable
	}
	return to
}

// over says whether the wait after a raise is over, and there is a step to take.
func (j *job) over() bool {
	p := j.position()
	if p.Done(j.Target) {
		return true
	}
	if !j.Bounds.Served(p, j.Target) {
		return false
	}
	at := p.Replicas()
	return j.Bounds.Lower(p, j.Target) != at || j.Bounds.Raise(p, j.Target) != at
}

// left says whether the pods that were lowered or drained have left the endpoints, and the controller has seen it. A
// Deployment in the middle of a roll-out has more pods than replicas for as long as that takes.
func (j *job) left() bool {
	for _, v := range []*canary.Version{j.now.Stable, j.now.Canary} {
		d := v.Deployment
		rolling := d.UpdatedPods < d.Pods
		if d.Lags() || d.Pods > d.Replicas && !rolling || v.Serving > max(d.Replicas, d.Pods) {
			return false
		}
	}
	return j.drained()
}

// fail keeps the first reason.
func (j *job) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = err
	}
}

// blame fails the job for a write of its own that failed, not for one that another's failure cut off. What was tried may
// have come through all the same, unless it was a conflict.
func (j *job) blame(err error, deployment string, to int) {
	if errors.Is(err, context.Canceled) {
		return
	}
	j.fail(err)
	var conflict *canary.ConflictError
	if !errors.As(err, &conflict) {
		j.wrote(func() { j.tried[deployment] = to })
	}
}

// ours says whether the replicas of a version are what we have left, or tried to.
func (j *job) ours(v *canary.Version, left int) bool {
	tried, ok := j.tried[v.Deployment.Name]
	return v.Deployment.Replicas == left || ok && v.Deployment.Replicas == tried
}

func (j *job) wrote(note func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.scaled = true
	note()
}

func (j *job) outcome() canary.Outcome {
	switch {
	case j.err == nil:
		return canary.Done
	case j.back:
		return canary.Restored
	case j.undone:
		return canary.Undone
	case j.arrived && errors.Is(j.err, ErrInterrupted):
		return canary.Done
	case errors.Is(j.err, ErrInterrupted):
		return canary.Interrupted
	}
	return canary.Held
}

// lagging returns the side that does not serve what it should, the growing one first.
func (j *job) lagging() *canary.Version {
	for _, v := range []*canary.Version{j.now.Canary, j.now.Stable} {
		if v.Serving < v.Deployment.Replicas && v.Deployment.Replicas <= j.goal(v) {
			return v
		}
	}
	return nil
}

func (j *job) target() canary.Split { return j.Target }

func (j *job) goal(v *canary.Version) int {
	if v == j.now.Stable {
		return j.Target.Stable
	}
	return j.Target.Canary
}
