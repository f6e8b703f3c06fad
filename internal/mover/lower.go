package mover

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// pick is the split that a lower sets, from what a release is and where it goes.
type pick = func(canary.Bounds, canary.Position, canary.Split) canary.Split

func (j *job) wants(p pick) canary.Split { return p(j.Bounds, j.position(), j.Target) }

// lower lowers what may go, by a fresh read, and waits until it has left the endpoints.
func (r *runner) lower(ctx context.Context, jobs []*job, p pick) (lowered bool, err error) {
	if !wanted(jobs, p) {
		return false, nil
	}
	if err := r.holdStill(ctx, jobs); err != nil {
		return false, err
	}
	if err := r.recheck(ctx, jobs); err != nil {
		return false, err
	}
	return r.takeAway(ctx, jobs, p)
}

// takeAway lowers what may go by what was just read: after it has been drained, where that can be.
func (r *runner) takeAway(ctx context.Context, jobs []*job, p pick) (lowered bool, err error) {
	waited, err := r.drain(ctx, jobs, p)
	if err == nil && wanted(jobs, p) {
		for _, j := range jobs {
			if rest := time.Until(j.rest); rest > 0 && err == nil {
				waited, err = true, pause(ctx, rest)
			}
		}
	}
	if err == nil && waited {
		err = r.recheck(ctx, jobs)
	}
	back := false
	if err == nil && waited {
		back, err = r.comeBack(ctx, jobs)
	}
	if err != nil || back {
		return false, err
	}
	return r.write(ctx, jobs, p)
}

// passBarrier waits until all jobs are ready, and still are when their endpoints have settled and are read afresh.
func (r *runner) passBarrier(ctx context.Context, jobs []*job) error {
	deadline := r.deadline()
	for {
		if err := r.await(ctx, deadline, jobs, (*job).over, r.diagnose); err != nil {
			return err
		}
		if !wanted(jobs, canary.Bounds.Lower) {
			return nil
		}
		if err := r.holdStill(ctx, jobs); err != nil {
			return err
		}
		if err := r.recheck(ctx, jobs); err != nil {
			return err
		}
		if !slices.ContainsFunc(jobs, func(j *job) bool { return !j.over() }) {
			return nil
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			return r.late(nil, jobs, (*job).over)
		}
	}
}

func wanted(jobs []*job, p pick) bool {
	return slices.ContainsFunc(jobs, func(j *job) bool { return j.wants(p) != j.position().Replicas() })
}

// write lowers what may go by what was just read. Where the other side is found changed by a second read after the write, or
// until what was lowered has left, and too few would serve, it is undone.
func (r *runner) write(ctx context.Context, jobs []*job, p pick) (lowered bool, err error) {
	var some []*job
	before := map[*job]canary.Split{}
	group, writes := errgroup.WithContext(ctx)
	for _, j := range jobs {
		if to := r.lowest(j, p); to != j.now.Replicas() {
			some = append(some, j)
			before[j] = j.now.Replicas()
			r.set(writes, group, j, to, canary.Lowered)
		}
	}
	err = firstCause(writes, group.Wait())
	for _, j := range some {
		lowered = lowered || j.expect != before[j]
	}
	if err != nil || len(some) == 0 {
		return lowered, err
	}
	s, err := r.cluster.Refresh(ctx)
	if err != nil {
		return lowered, err
	}
	if err = r.see(ctx, s, some); err == nil {
		err = r.await(ctx, r.deadline(), some, (*job).left, nil)
	}
	var conflict *canary.ConflictError
	if errors.As(err, &conflict) {
		r.undo(ctx, some, before)
	}
	return lowered, err
}

// holdStill waits until the endpoints have not changed for a while. What drains waits after it has left them instead.
func (r *runner) holdStill(ctx context.Context, jobs []*job) error {
	var last time.Time
	for _, j := range jobs {
		if plain := !r.drains(j, j.now.Stable) || !r.drains(j, j.now.Canary); plain && j.moved.After(last) {
			last = j.moved
		}
	}
	return pause(ctx, time.Until(last.Add(r.options.Still)))
}

// recheck reads Deployments, endpoints and the locks again.
func (r *runner) recheck(ctx context.Context, jobs []*job) error {
	s, err := r.reread(ctx, jobs)
	if err != nil {
		return err
	}
	return r.see(ctx, s, jobs)
}

func (r *runner) reread(ctx context.Context, jobs []*job) (s *canary.Snapshot, err error) {
	group, reads := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s, err = r.cluster.Refresh(reads)
		return err
	})
	group.Go(func() error { return checkLocks(reads, jobs) })
	return s, firstCause(ctx, group.Wait())
}

// checkLocks fails where a lock is another's by now.
func checkLocks(ctx context.Context, jobs []*job) error {
	group, reads := errgroup.WithContext(ctx)
	for _, j := range jobs {
		if j.Lock != nil {
			group.Go(func() error { return j.Lock.Check(reads) })
		}
	}
	return firstCause(ctx, group.Wait())
}

// undo raises again what was lowered of a release whose other side was changed by somebody else, where too few would serve.
// It is tried once: the other writer may have meant it.
func (r *runner) undo(ctx context.Context, jobs []*job, before map[*job]canary.Split) {
	for _, j := range jobs {
		if j.now.Replicas() == j.expect || j.Bounds.Hold(j.position()) {
			continue
		}
		to := j.now.Replicas()
		if j.expect.Stable < before[j].Stable && to.Stable == j.expect.Stable {
			to.Stable = before[j].Stable
		}
		if j.expect.Canary < before[j].Canary && to.Canary == j.expect.Canary {
			to.Canary = before[j].Canary
		}
		var group errgroup.Group
		r.set(ctx, &group, j, to, canary.Raised)
		// The conflict is the error to tell; this is on top of it.
		_ = group.Wait()
	}
}
