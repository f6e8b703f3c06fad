package mover

import (
	"context"
	"errors"
	"slices"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// giveUp ends the move of all releases. A rollback takes away as much of the canary as the floor allows. Else they are
// put back, where none has been lowered yet and the user wants it, or held where they are. After a signal, or when the
// lock is another's, nothing more is written.
func (r *runner) giveUp(ctx context.Context, err error) {
	for _, j := range r.jobs {
		j.fail(err)
	}
	var locked *canary.LockedError
	var conflict *canary.ConflictError
	switch {
	case errors.Is(err, ErrInterrupted) || errors.As(err, &locked) || ctx.Err() != nil:
	case r.options.Rollback && !errors.As(err, &conflict):
		_, err := r.lower(ctx, r.jobs, canary.Bounds.Lower)
		r.alsoFailed(err)
	case r.options.Restore && !r.options.Rollback && !r.lowered:
		r.alsoFailed(r.restore(ctx))
	}
}

func (r *runner) alsoFailed(err error) {
	if err == nil {
		return
	}
	for _, j := range r.jobs {
		j.err = errors.Join(j.err, err)
	}
}

// restore puts every job back to where it was. A side that somebody else has changed stays as it is.
func (r *runner) restore(ctx context.Context) error {
	s, err := r.cluster.Refresh(ctx)
	if err != nil {
		return err
	}
	found := r.finder.releases(s)
	for _, j := range r.jobs {
		r.notify(canary.Event{Release: j.Release.Name, Kind: canary.Restoring})
		if now, ok := found[j.Release.Name]; ok && now.Stable != nil {
			j.now = now
		}
		j.Target = j.now.Replicas()
		if j.expect.Stable == j.Target.Stable {
			j.Target.Stable = j.Release.Stable.Deployment.Replicas
		}
		if j.expect.Canary == j.Target.Canary {
			j.Target.Canary = j.Release.Canary.Deployment.Replicas
		}
		j.base, j.expect = j.now, j.now.Replicas()
	}
	err = r.putBack(ctx)
	for _, j := range r.jobs {
		j.back = j.now.Position().At(j.Release.Replicas())
	}
	return err
}

// putBack takes the raised replicas away again, as far as the floor allows, and gives back what made room for them.
// It waits only where a side has to serve before the other can go.
func (r *runner) putBack(ctx context.Context) error {
	for {
		todo := slices.DeleteFunc(slices.Clone(r.jobs), func(j *job) bool { return j.now.Position().At(j.Target) })
		if len(todo) == 0 {
			return nil
		}
		if _, err := r.lower(ctx, todo, canary.Bounds.Lower); err != nil {
			return err
		}
		if err := r.raise(ctx, todo); err != nil {
			return err
		}
		todo = slices.DeleteFunc(todo, func(j *job) bool { return j.now.Position().At(j.Target) })
		if err := r.await(ctx, todo, (*job).over, nil); err != nil {
			return err
		}
	}
}
