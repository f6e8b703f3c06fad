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

// restores is how often putting back begins anew, while somebody else goes on changing replicas: two operators without locks,
// who put back each their own.
const restores = 3

// restore puts every job back to where it was. A side that somebody else has changed stays as it is, and so does a
// release that is gone.
func (r *runner) restore(ctx context.Context) (err error) {
	for range restores {
		var conflict *canary.ConflictError
		if err = r.restoreOnce(ctx); !errors.As(err, &conflict) {
			break
		}
	}
	return err
}

func (r *runner) restoreOnce(ctx context.Context) error {
	s, err := r.reread(ctx, r.jobs)
	if err != nil {
		return err
	}
	found := r.finder.releases(s)
	var jobs []*job
	for _, j := range r.jobs {
		now, ok := found[j.Release.Name]
		if !ok || now.Stable == nil {
			continue
		}
		r.notify(canary.Event{Release: j.Release.Name, Kind: canary.Restoring})
		j.now, j.seen, j.Target, j.Keep = now, s, now.Replicas(), false
		if j.stays.Stable = j.stays.Stable || !j.ours(now.Stable, j.expect.Stable); !j.stays.Stable {
			j.Target.Stable = j.Release.Stable.Deployment.Replicas
		}
		if j.stays.Canary = j.stays.Canary || !j.ours(now.Canary, j.expect.Canary); !j.stays.Canary {
			j.Target.Canary = j.Release.Canary.Deployment.Replicas
		}
		j.base, j.expect = own(now), now.Replicas()
		jobs = append(jobs, j)
	}
	if err = errors.Join(r.lightAgain(ctx, jobs), r.putBack(ctx, jobs)); err == nil {
		err = r.keepAgain(ctx, jobs)
	}
	for _, j := range jobs {
		j.back = j.now.Replicas() == j.Release.Replicas() && j.now.Kept() == j.Release.Kept()
	}
	return err
}

// lightAgain puts back into the Services what the move has drained, and looks at the releases when all writes are seen.
func (r *runner) lightAgain(ctx context.Context, jobs []*job) error {
	if err := r.look(ctx, jobs); err != nil {
		return err
	}
	lit := slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.Release.Kept() })
	if err := r.relight(ctx, lit, (*job).target); err != nil {
		return err
	}
	return r.look(ctx, jobs)
}

// look takes in how releases stand when every write so far is seen.
func (r *runner) look(ctx context.Context, jobs []*job) error {
	return r.await(ctx, r.deadline(), jobs, func(*job) bool { return true }, nil)
}

// keepAgain drains what was kept, and was relit by the move.
func (r *runner) keepAgain(ctx context.Context, jobs []*job) error {
	var kept []*job
	for _, j := range jobs {
		if j.Release.Kept() && j.now.Replicas() == j.Release.Replicas() {
			j.Keep, j.Target = true, canary.Split{Canary: j.Release.Replicas().Canary}
			kept = append(kept, j)
		}
	}
	return r.putBack(ctx, kept)
}

// putBack takes the raised replicas away again, as far as the floor allows, and gives back what made room for them.
// It waits only where a side has to serve before the other can go.
func (r *runner) putBack(ctx context.Context, jobs []*job) error {
	for {
		todo := slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.position().At(j.Target) })
		if len(todo) == 0 {
			return nil
		}
		lowered, err := r.lower(ctx, todo, canary.Bounds.Lower)
		if err != nil {
			return err
		}
		growing := slices.ContainsFunc(todo, func(j *job) bool { return j.Bounds.Raise(j.position(), j.Target) != j.position().Replicas() })
		if err := r.raise(ctx, todo); err != nil {
			return err
		}
		todo = slices.DeleteFunc(todo, func(j *job) bool { return j.position().At(j.Target) })
		stays := !lowered && !growing && !slices.ContainsFunc(todo, func(j *job) bool { return !j.Bounds.Served(j.position(), j.Target) })
		if stays {
			return nil // the floor keeps the rest
		}
		if err := r.await(ctx, r.deadline(), todo, (*job).over, nil); err != nil {
			return err
		}
	}
}
