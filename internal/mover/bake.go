package mover

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

var errBaked = errors.New("baked")

// bake keeps stable's pods dark for a while, and lowers them then. What comes back into the Service meanwhile, as the
// successor of a pod that was evicted does, is drained again. From here on nothing is put back: the promote is done.
func (r *runner) bake(ctx context.Context) error {
	r.lowered = true
	if !slices.ContainsFunc(r.jobs, func(j *job) bool { return j.now.Kept() }) {
		return nil
	}
	end := time.Now().Add(r.options.Bake)
	if err := r.note(ctx, true); err != nil {
		return err
	}
	for _, j := range r.jobs {
		j.arrived = true
		if j.now.Kept() {
			r.notify(canary.Event{Release: j.Release.Name, Kind: canary.Baking, Version: j.now.Stable.Name, Until: end})
		}
	}
	baking, cancel := context.WithDeadlineCause(ctx, end, errBaked)
	defer cancel()
	for {
		err := r.cluster.Observe(baking, func(s *canary.Snapshot) (bool, error) {
			err := r.see(ctx, s, r.jobs)
			return slices.ContainsFunc(r.jobs, func(j *job) bool { return !j.done() }), err
		})
		if err == nil {
			err = r.bakeAnew(ctx)
		}
		if errors.Is(err, errBaked) {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := r.note(ctx, false); err != nil {
		return err
	}
	for _, j := range r.jobs {
		j.Keep, j.arrived = false, false
	}
	return r.rounds(ctx)
}

// bakeAnew takes away what has come back.
func (r *runner) bakeAnew(ctx context.Context) error {
	err := r.note(ctx, false)
	if err == nil {
		err = r.rounds(ctx)
	}
	if err == nil {
		err = r.note(ctx, true)
	}
	return err
}

// note tells other operators whether this one only waits.
func (r *runner) note(ctx context.Context, baking bool) error {
	group, writes := errgroup.WithContext(ctx)
	for _, j := range r.jobs {
		if j.Lock != nil {
			group.Go(func() error { return j.Lock.Bake(writes, baking) })
		}
	}
	return firstCause(ctx, group.Wait())
}
