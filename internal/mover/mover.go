// Package mover carries out moves: round by round, all releases behind one barrier, back to where they were when one
// cannot come up. It reports events and never prints.
package mover

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Cluster is one namespace: what can be seen of it, and the writes there are.
type Cluster interface {
	// Observe calls look with the namespace as it is and after every change, until look is done, fails, or the context
	// ends; then it returns the context's cause.
	Observe(ctx context.Context, look func(*canary.Snapshot) (done bool, err error)) error
	// Refresh reads Deployments and endpoints afresh.
	Refresh(ctx context.Context) (*canary.Snapshot, error)
	// Scale sets the replicas of the Deployment, if it still is as given. A *canary.ConflictError says that it is not.
	Scale(ctx context.Context, d canary.Deployment, to int) error
	// Conflict names who has changed the Deployment, which is no longer as given; nil where it is so again.
	Conflict(ctx context.Context, d canary.Deployment) error
	// Drain takes the label off a pod, and makes it the first that a scale-down takes. A pod that is gone is no error.
	Drain(ctx context.Context, pod canary.Pod, label string) error
	// Relight gives a drained pod the label's value back.
	Relight(ctx context.Context, pod canary.Pod, label, value string) error
}

// Lock is held on a release while it moves.
type Lock interface {
	// Check fails with a *canary.LockedError where the lock is another's by now.
	Check(ctx context.Context) error
	// Bake says to others whether the holder only waits and writes nothing, so that who takes the lock over need not wait
	// for its last write. It fails as Check does.
	Bake(ctx context.Context, baking bool) error
}

// Move is one release and where it goes.
type Move struct {
	Release canary.Release
	Target  canary.Split
	Bounds  canary.Bounds
	Lock    Lock // nil where Leases are forbidden
	Keep    bool // stable is drained, and not lowered
}

// Options are how moves are carried out.
type Options struct {
	Discover canary.Options // finds the releases again in a snapshot; its roles are pinned
	Timeout  time.Duration  // of each wait; 0 is none
	// Still is how long endpoints must not have changed before a side is lowered: kube-proxy applies a change up to a
	// second late.
	Still time.Duration
	// Drain is how long pods run on after they have left the Service, where a label allows that, until they are stopped;
	// Still then does not apply.
	Drain time.Duration
	// Settle is how long it is watched, once all are at their targets, that nobody else changes replicas again; 0 is not at
	// all.
	Settle time.Duration
	// MayDrain says that pods may be patched.
	MayDrain bool
	// Now lowers at once what the bounds allow, instead of only when the other side is up.
	Now bool
	// Bake is how long stable's pods are kept, of moves with Keep, until they are lowered after all; 0 is for good.
	Bake time.Duration
	// Restore puts every release back when one fails before any has been lowered.
	Restore bool
	// Independent lets each release go by itself: what fails is put back alone.
	Independent bool
	// Rollback lets each release go by itself, and when stable does not come up, still takes away as much of the canary
	// as the floor allows.
	Rollback bool
	Notify   func(canary.Event)
}

// Result is how the move of one release ended.
type Result struct {
	Outcome canary.Outcome
	Release canary.Release // as last seen
	Set     canary.Split   // the replicas that it was left at, whatever others have made of them
	Err     error          // why it is not Done
}

// Run carries out all moves and returns one result for each, in order. start is what they were planned from. A signal
// is a cancelled context, with the cause ErrInterrupted: no write begins after it.
func Run(ctx context.Context, cluster Cluster, start *canary.Snapshot, moves []Move, o Options) []Result {
	o.Discover.Roles = map[string]canary.Roles{}
	known := map[string]bool{}
	for _, p := range start.Pods {
		known[p.UID] = true
	}
	jobs := make([]*job, len(moves))
	for i, m := range moves {
		o.Discover.Roles[m.Release.Name] = canary.Roles{Stable: m.Release.Stable.Name, Canary: m.Release.Canary.Name}
		jobs[i] = &job{Move: m, base: m.Release, now: own(m.Release), seen: start, expect: m.Release.Replicas(), known: known, told: map[string]bool{}, tried: map[string]int{}}
		if m.Release.Stable.Dark+m.Release.Canary.Dark > 0 && !m.Release.Record.Ended() {
			jobs[i].rest = time.Now().Add(o.Drain) // they may have left the Service just now
		}
	}
	finder := &finder{options: o.Discover}
	if !o.Rollback && !o.Independent {
		(&runner{cluster: cluster, options: o, finder: finder, jobs: jobs}).run(ctx)
	} else {
		var all sync.WaitGroup
		for _, j := range jobs {
			r := &runner{cluster: cluster, options: o, finder: finder, jobs: []*job{j}}
			all.Go(func() { r.run(ctx) })
		}
		all.Wait()
		if o.Rollback {
			(&runner{cluster: cluster, options: o, finder: finder, jobs: jobs}).settle(ctx)
		}
	}
	results := make([]Result, len(jobs))
	for i, j := range jobs {
		results[i] = Result{Outcome: j.outcome(), Release: j.now, Set: j.expect, Err: j.err}
	}
	return results
}

// runner moves the jobs that share a barrier.
type runner struct {
	cluster Cluster
	options Options
	finder  *finder
	jobs    []*job
	lowered bool // some release has been lowered beyond making room
}

func (r *runner) run(ctx context.Context) {
	err := r.rounds(ctx)
	if err == nil && !r.options.Rollback && r.settle(ctx) && r.options.Bake > 0 {
		err = r.bake(ctx)
	}
	if err != nil {
		r.giveUp(ctx, err)
	}
}

// rounds moves all jobs to their targets.
func (r *runner) rounds(ctx context.Context) error {
	// An endpoint that a move before this one has taken away, and that is still listed, must not be counted on.
	if err := r.await(ctx, r.deadline(), r.jobs, (*job).left, nil); err != nil {
		return err
	}
	for first := true; ; first = false {
		todo := r.unfinished()
		if len(todo) == 0 {
			return nil
		}
		if !first { // the round before may have taken a while
			if err := checkLocks(ctx, todo); err != nil {
				return err
			}
		}
		if err := r.relight(ctx, todo, (*job).target); err != nil {
			return err
		}
		if err := r.shed(ctx, todo); err != nil {
			return err
		}
		if _, err := r.lower(ctx, todo, canary.Bounds.MakeRoom); err != nil {
			return err
		}
		if err := r.raise(ctx, todo); err != nil {
			return err
		}
		if r.options.Now {
			if _, err := r.lower(ctx, todo, canary.Bounds.Lower); err != nil {
				return err
			}
		}
		if err := r.passBarrier(ctx, todo); err != nil {
			return err
		}
		lowered, err := r.takeAway(ctx, todo, canary.Bounds.Lower)
		r.lowered = r.lowered || lowered
		if err != nil {
			return err
		}
	}
}

// raise raises every release as far as its ceiling allows, all at once.
func (r *runner) raise(ctx context.Context, jobs []*job) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, j := range jobs {
		j.remember()
		j.ready = false
		r.set(ctx, group, j, j.replicas(j.Bounds.Raise(j.position(), j.Target)), canary.Raised)
	}
	return firstCause(ctx, group.Wait())
}

// set scales the sides of a release that are not at the split, each in its own request.
func (r *runner) set(ctx context.Context, group *errgroup.Group, j *job, to canary.Split, kind canary.EventKind) {
	scale := func(v *canary.Version, to int, note func(int)) {
		d := v.Deployment
		if d.Replicas == to {
			return
		}
		group.Go(func() error {
			if err := r.cluster.Scale(ctx, d, to); err != nil {
				j.blame(err, d.Name, to)
				return err
			}
			note(to)
			r.notify(canary.Event{Release: j.Release.Name, Kind: kind, Version: v.Name, Deployment: d.Name, From: d.Replicas, To: to})
			return nil
		})
	}
	scale(j.now.Stable, to.Stable, func(n int) { j.wrote(func() { j.expect.Stable, j.now.Stable.Deployment.Replicas = n, n }) })
	scale(j.now.Canary, to.Canary, func(n int) { j.wrote(func() { j.expect.Canary, j.now.Canary.Deployment.Replicas = n, n }) })
}

func (r *runner) unfinished() []*job {
	var todo []*job
	for _, j := range r.jobs {
		if !j.done() {
			todo = append(todo, j)
		}
	}
	return todo
}

func (r *runner) notify(e canary.Event) {
	if r.options.Notify != nil {
		r.options.Notify(e)
	}
}

// firstCause prefers the reason for which a context was cancelled over what the cancelling broke.
func firstCause(ctx context.Context, err error) error {
	if err != nil && errors.Is(err, context.Canceled) {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return err
}
