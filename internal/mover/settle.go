package mover

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

var errSettled = errors.New("nobody has changed it")

// settle watches for a while that nobody changes replicas again of what has got to its target, and says whether so it was.
// What somebody has changed fails alone, and nothing is put back: the other may have meant it.
func (r *runner) settle(ctx context.Context) bool {
	watched := slices.DeleteFunc(slices.Clone(r.jobs), func(j *job) bool { return j.err != nil })
	if r.options.Settle == 0 || !slices.ContainsFunc(watched, func(j *job) bool { return j.scaled }) {
		return true
	}
	for _, j := range watched {
		j.arrived = true
		r.notify(canary.Event{Release: j.Release.Name, Kind: canary.Settling, For: r.options.Settle})
	}
	until, cancel := context.WithDeadlineCause(ctx, time.Now().Add(r.options.Settle), errSettled)
	defer cancel()
	left := slices.Clone(watched)
	err := r.cluster.Observe(until, func(s *canary.Snapshot) (bool, error) {
		_ = r.see(ctx, s, left) // each keeps its own
		left = slices.DeleteFunc(left, func(j *job) bool { return j.err != nil })
		return len(left) == 0, nil
	})
	for _, j := range left {
		if errors.Is(err, errSettled) {
			j.arrived = false
			continue
		}
		var lost *canary.LockedError
		if !errors.As(err, &lost) || lost.Release == j.Release.Name {
			j.fail(err)
		}
	}
	for _, j := range watched {
		var conflict *canary.ConflictError
		j.undone = errors.As(j.err, &conflict)
	}
	return errors.Is(err, errSettled) && len(left) == len(watched)
}
