package mover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// startGrace is how long a pod may be starting before that it is not ready is told as a trouble.
const startGrace = 10 * time.Second

// deadline is the end of a wait that begins now; zero where there is none.
func (r *runner) deadline() time.Time {
	if r.options.Timeout == 0 {
		return time.Time{}
	}
	return time.Now().Add(r.options.Timeout)
}

// await waits until over holds for all jobs. It fails at the deadline, and at once for a job that stuck says cannot
// come up; stuck may be nil.
func (r *runner) await(ctx context.Context, deadline time.Time, jobs []*job, over func(*job) bool, stuck func(*canary.Snapshot, *job) error) error {
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline, ErrDeadline)
		defer cancel()
	}
	var last *canary.Snapshot
	err := r.cluster.Observe(ctx, func(s *canary.Snapshot) (bool, error) {
		last = s
		if err := r.see(ctx, s, jobs); err != nil {
			return false, err
		}
		done := true
		for _, j := range jobs {
			if over(j) {
				continue
			}
			done = false
			if stuck != nil {
				if err := stuck(s, j); err != nil {
					return false, j.failed(err)
				}
			}
		}
		if !done && stuck != nil {
			r.atBarrier(jobs, over)
		}
		return done, nil
	})
	if errors.Is(err, ErrDeadline) {
		return r.late(last, jobs, over)
	}
	return err
}

// atBarrier tells once of each job that is ready while others are not.
func (r *runner) atBarrier(jobs []*job, over func(*job) bool) {
	for _, j := range jobs {
		if was := j.ready; over(j) != was {
			j.ready = !was
			if j.ready {
				r.notify(canary.Event{Release: j.Release.Name, Kind: canary.Ready})
			}
		}
	}
}

// see takes in what a snapshot says of all the jobs, and returns the first reason why one cannot go on. Replicas or a
// Deployment that somebody else has changed are a conflict.
func (r *runner) see(ctx context.Context, s *canary.Snapshot, jobs []*job) (first error) {
	found := r.finder.releases(s)
	for _, j := range jobs {
		now, ok := found[j.Release.Name]
		var err error
		if ok && now.Stable != nil {
			j.seen = s
			err = r.take(ctx, j, now)
		} else {
			err = r.gone(ctx, j, s)
		}
		if err != nil {
			j.fail(err)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

var errGone = errors.New("the release is no longer there: its Service or a Deployment was changed or deleted")

func (r *runner) take(ctx context.Context, j *job, now canary.Release) error {
	before := j.now
	j.now = now
	if before.Stable.Serving != now.Stable.Serving || before.Canary.Serving != now.Canary.Serving {
		j.moved = time.Now()
		told := own(now) // what follows changes now, while a terminal may draw this
		r.notify(canary.Event{Release: now.Name, Kind: canary.Serves, Now: &told})
	}
	if d := j.strange(); d != nil {
		return r.conflict(ctx, j, *d)
	}
	return nil
}

// gone says why a release is no longer there.
func (r *runner) gone(ctx context.Context, j *job, s *canary.Snapshot) error {
	for _, d := range j.own() {
		there := slices.ContainsFunc(s.Deployments, func(now canary.Deployment) bool { return now.UID == d.UID })
		if !there {
			if err := r.conflict(ctx, j, d); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%s: %w", j.Release.Name, errGone)
}

// conflict says who has changed a Deployment: whoever has taken the lock over may well do that.
func (r *runner) conflict(ctx context.Context, j *job, d canary.Deployment) error {
	if j.Lock != nil {
		if err := j.Lock.Check(ctx); err != nil {
			return firstCause(ctx, err)
		}
	}
	return r.cluster.Conflict(ctx, d)
}

// finder finds the releases of a snapshot, once for all runners that look at it.
type finder struct {
	options canary.Options

	mu    sync.Mutex
	last  *canary.Snapshot
	found []canary.Release
}

func (f *finder) releases(s *canary.Snapshot) map[string]canary.Release {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != s {
		f.last, f.found = s, canary.Discover(s, f.options)
	}
	all := make(map[string]canary.Release, len(f.found))
	for _, r := range f.found {
		all[r.Name] = own(r)
	}
	return all
}

// own copies what a job changes.
func own(r canary.Release) canary.Release {
	if r.Stable != nil {
		stable, other := *r.Stable, *r.Canary
		r.Stable, r.Canary = &stable, &other
	}
	return r
}

func (j *job) failed(err error) error {
	j.fail(err)
	return err
}

// own are both Deployments as we had left them.
func (j *job) own() [2]canary.Deployment {
	stable, second := j.base.Stable.Deployment, j.base.Canary.Deployment
	stable.Replicas, second.Replicas = j.expect.Stable, j.expect.Canary
	return [2]canary.Deployment{stable, second}
}

// strange returns the Deployment that somebody else has scaled or replaced, as we had left it; nil when there is none.
func (j *job) strange() *canary.Deployment {
	now := [2]canary.Deployment{j.now.Stable.Deployment, j.now.Canary.Deployment}
	for i, d := range j.own() {
		if now[i].Replicas != d.Replicas || now[i].UID != d.UID {
			return &d
		}
	}
	return nil
}

// diagnose tells of a new trouble, and returns an error where waiting longer would be in vain. Only what a raise of
// ours has made counts: pods that were not there before it, and a failure that was not.
func (r *runner) diagnose(s *canary.Snapshot, j *job) error {
	for _, v := range []*canary.Version{j.now.Canary, j.now.Stable} {
		if v.Deployment.Replicas > j.goal(v) || v.Serving >= v.Deployment.Replicas {
			continue
		}
		if p, definite := canary.DiagnoseDeployment(&v.Deployment); p != nil && j.failing[v.Deployment.Name] != *v.Deployment.Failure {
			if mayPass := v.Deployment.Failure.OverQuota() && stopping(s); definite && !mayPass {
				return j.stuck(v, p)
			}
			r.tellOnce(j, p)
		}
		for _, pod := range canary.PodsOf(s, v) {
			p, definite := canary.Diagnose(pod)
			if p == nil || p.Code == canary.CodeNotReady && time.Since(pod.Created) < startGrace {
				continue
			}
			if definite && !j.known[pod.UID] {
				return j.stuck(v, p)
			}
			r.tellOnce(j, p)
		}
	}
	return nil
}

func stopping(s *canary.Snapshot) bool {
	return slices.ContainsFunc(s.Pods, func(p canary.Pod) bool { return p.Terminating })
}

func (r *runner) tellOnce(j *job, p *canary.Problem) {
	if about := p.Object + p.Code; !j.told[about] {
		j.told[about] = true
		r.notify(canary.Event{Release: j.Release.Name, Kind: canary.Trouble, Problem: p})
	}
}

func (j *job) stuck(v *canary.Version, p *canary.Problem) *StuckError {
	return &StuckError{
		Release: j.Release.Name, Version: v.Name, Serving: v.Serving, Replicas: v.Deployment.Replicas,
		Problem: p, Definite: true,
	}
}

// late gives every job that still waits the reason, and returns the first.
func (r *runner) late(s *canary.Snapshot, jobs []*job, over func(*job) bool) error {
	var first error
	for _, j := range jobs {
		if over(j) {
			continue
		}
		e := &StuckError{Release: j.Release.Name, Waited: r.options.Timeout}
		if v := j.lagging(); v != nil {
			e.Version, e.Serving, e.Replicas = v.Name, v.Serving, v.Deployment.Replicas
			if s != nil {
				e.Problem = canary.WhyNotServing(s, v)
			}
		}
		j.fail(e)
		if first == nil {
			first = e
		}
	}
	return first
}
