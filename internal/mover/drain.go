package mover

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// drains says whether pods of a version leave the Service before they are stopped. In a roll-out they do not: a scale-down
// then takes pods of the old and the new template in proportion, whatever they cost.
func (r *runner) drains(j *job, v *canary.Version) bool {
	return r.mayDrain(j) && (j.Keep || v.Deployment.UpdatedPods >= v.Deployment.Pods)
}

// mayDrain says whether pods can be taken out of the Services and put back, as far as is known.
func (r *runner) mayDrain(j *job) bool {
	return r.options.MayDrain && j.Release.Drain != "" && !j.plain.Load()
}

// lowest is what a lower sets: of a side that drains, only pods that do not serve may go, and of one that is kept, those
// that are not there.
func (r *runner) lowest(j *job, p pick) canary.Split {
	to := j.wants(p)
	spared := j.position().Spared(to)
	if r.drains(j, j.now.Stable) {
		to.Stable = spared.Stable
	}
	if r.drains(j, j.now.Canary) {
		to.Canary = spared.Canary
	}
	if j.Keep {
		lit := len(j.now.Leaving(j.seen, j.now.Stable, j.now.Replicas().Stable, true))
		to.Stable = min(j.now.Replicas().Stable, j.now.Stable.Dark+j.now.Stable.Leaving+lit)
	}
	return to
}

// drain takes the pods that are to go out of the Services, as far as it can, and waits until they have left and what was
// on its way to them has had its time. The release has to be looked at anew after that.
func (r *runner) drain(ctx context.Context, jobs []*job, p pick) (waited bool, err error) {
	var some []*job
	group, writes := errgroup.WithContext(ctx)
	for _, j := range jobs {
		to, at, spared := j.wants(p), j.position().Replicas(), j.position().Spared(j.wants(p))
		if j.Keep {
			spared.Stable = at.Stable // what is not ready is kept too
		}
		stable := r.drainSide(writes, group, j, j.now.Stable, at.Stable-to.Stable, spared.Stable-to.Stable)
		if r.drainSide(writes, group, j, j.now.Canary, at.Canary-to.Canary, spared.Canary-to.Canary) || stable {
			some = append(some, j)
		}
	}
	if err := firstCause(writes, group.Wait()); err != nil || len(some) == 0 {
		return false, err
	}
	if err := r.await(ctx, r.deadline(), some, (*job).drained, nil); err != nil {
		return true, err
	}
	return true, pause(ctx, r.options.Drain)
}

// drainSide drains n pods of a version that is lowered by some; false where none has to be.
func (r *runner) drainSide(ctx context.Context, group *errgroup.Group, j *job, v *canary.Version, by, n int) bool {
	if by <= 0 || n <= 0 || !r.drains(j, v) {
		return false
	}
	pods := j.now.Leaving(j.seen, v, n, j.Keep && v == j.now.Stable)
	if len(pods) == 0 && !j.Keep {
		j.plain.Store(true) // nothing to see of what is counted
	}
	without := canary.Undrained
	if j.Keep {
		without = ""
	}
	r.patch(ctx, group, j, v, canary.Drained, without, pods, func(ctx context.Context, pod canary.Pod) error {
		return r.cluster.Drain(ctx, pod, j.Release.Drain)
	})
	return true
}

// drained says whether what was taken out of the Services has left their EndpointSlices.
func (j *job) drained() bool { return j.now.Stable.Leaving == 0 && j.now.Canary.Leaving == 0 }

// relight puts dark pods back into the Services, as many as a split lacks, before any are started.
func (r *runner) relight(ctx context.Context, jobs []*job, to func(*job) canary.Split) error {
	group, writes := errgroup.WithContext(ctx)
	for _, j := range jobs {
		if !r.mayDrain(j) {
			continue
		}
		for v, n := range map[*canary.Version]int{j.now.Stable: to(j).Stable, j.now.Canary: to(j).Canary} {
			value := v.Deployment.PodLabels[j.Release.Drain]
			r.patch(writes, group, j, v, canary.Relit, canary.Unrelit, j.now.DarkPods(j.seen, v, v.Relights(n)), func(ctx context.Context, pod canary.Pod) error {
				return r.cluster.Relight(ctx, pod, j.Release.Drain, value)
			})
		}
	}
	return firstCause(writes, group.Wait())
}

// maxComebacks is from how many times on that pods had to come back it is not tried again.
const maxComebacks = 3

// comeBack puts what was drained back where too little serves without it by now, and waits until enough does: then nothing
// is lowered in this turn. What a bake keeps stays away: it is no spare.
func (r *runner) comeBack(ctx context.Context, jobs []*job) (back bool, err error) {
	some := slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool {
		return j.arrived || j.Bounds.Hold(j.position()) || j.now.Relights(j.now.Replicas()) == 0
	})
	if len(some) == 0 {
		return false, nil
	}
	if err := r.relight(ctx, some, func(j *job) canary.Split { return j.now.Replicas() }); err != nil {
		return true, err
	}
	if err := r.await(ctx, r.deadline(), some, func(j *job) bool { return j.Bounds.Hold(j.position()) }, nil); err != nil {
		return true, err
	}
	for _, j := range some {
		j.comebacks++
		if v := j.lagging(); v != nil && j.comebacks >= maxComebacks {
			return true, j.failed(j.stuck(v, canary.WhyNotServing(j.seen, v)))
		}
	}
	return true, nil
}

// The EndpointSlice controller that is told of a pod before it has seen its own last write waits for a second. A few pods
// one after another are through before that, many are not.
const (
	patchGap = 100 * time.Millisecond
	fewPods  = 5
)

// patch writes to some pods of a version, and tells of it when the last is done. Where the server refuses it the move goes
// on without, and without tells of that; empty, it fails.
func (r *runner) patch(ctx context.Context, group *errgroup.Group, j *job, v *canary.Version, kind, without canary.EventKind, pods []canary.Pod, write func(context.Context, canary.Pod) error) {
	var left, done atomic.Int32
	left.Store(int32(len(pods)))
	for i, pod := range pods {
		group.Go(func() error {
			var err error
			if len(pods) <= fewPods {
				err = pause(ctx, time.Duration(i)*patchGap)
			}
			if err == nil {
				err = write(ctx, pod)
			}
			switch {
			case err == nil:
				done.Add(1)
			case without != "" && ctx.Err() == nil:
				if !j.plain.Swap(true) {
					r.notify(canary.Event{Release: j.Release.Name, Kind: without, Version: v.Name, Err: err})
				}
			default:
				if !errors.Is(err, context.Canceled) {
					j.fail(err)
				}
				return err
			}
			if left.Add(-1) == 0 && done.Load() > 0 {
				r.notify(canary.Event{Release: j.Release.Name, Kind: kind, Version: v.Name, Pods: int(done.Load())})
			}
			return nil
		})
	}
}

// shed lowers dark pods that should serve and cannot be relit: the raise then starts others.
func (r *runner) shed(ctx context.Context, jobs []*job) error {
	var some []*job
	for _, j := range jobs {
		if j.now.Relights(j.Target) > 0 && !r.mayDrain(j) {
			some = append(some, j)
		}
	}
	_, err := r.lower(ctx, some, func(_ canary.Bounds, p canary.Position, _ canary.Split) canary.Split { return p.Spared(canary.Split{}) })
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-wait.C:
		return nil
	}
}
