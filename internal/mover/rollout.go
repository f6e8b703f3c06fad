package mover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const (
	// failureGrace is how long a Deployment may fail to create pods before that is taken for what it is: in a new namespace
	// its service account comes a moment later.
	failureGrace = 5 * time.Second
	// earlierGrace is the same for pods that were there before: what they lack may have come just now.
	earlierGrace = 30 * time.Second
)

// Observer is a namespace that is only looked at; see Cluster.
type Observer interface {
	Observe(ctx context.Context, look func(*canary.Snapshot) (done bool, err error)) error
}

// Rollout is what was applied to a namespace, and has to come up.
type Rollout struct {
	Services, Deployments []string
	Before                *canary.Snapshot // the namespace before that
	Timeout               time.Duration    // 0 is none
	Notify                func(canary.Event)
}

// AwaitRollout waits until all pods of the Deployments are new and serve in every Service that selects them. It fails with a
// *StuckError: at the deadline one for each Deployment that is not up, and before that the first that will not be by waiting.
func AwaitRollout(ctx context.Context, namespace Observer, o Rollout) error {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, ErrDeadline)
		defer cancel()
	}
	w := &rolling{Rollout: o, began: time.Now(), known: map[string]bool{}, failing: map[string]time.Time{}, told: map[string]string{}}
	for _, p := range o.Before.Pods {
		w.known[p.UID] = true
	}
	for {
		beat, cancel := context.WithTimeoutCause(ctx, time.Second, errBeat) // a grace ends without a change
		err := namespace.Observe(beat, w.look)
		cancel()
		switch {
		case errors.Is(err, ErrDeadline):
			return w.late()
		case !errors.Is(err, errBeat):
			return err
		}
	}
}

var errBeat = errors.New("beat")

// rolling is a wait for a roll-out.
type rolling struct {
	Rollout

	began   time.Time
	known   map[string]bool      // pods, by UID, that were there before
	failing map[string]time.Time // since when Deployments have failed to create pods
	told    map[string]string    // what was told last, by what it is about
	last    *canary.Snapshot
	lagging []part // what is not up
}

// look says whether all is up, and fails where something will not be.
func (w *rolling) look(s *canary.Snapshot) (bool, error) {
	w.last, w.lagging = s, nil
	parts, shown := w.parts(s)
	waiting := map[string]bool{}
	for _, p := range parts {
		if !p.up() {
			w.lagging = append(w.lagging, p)
			waiting[p.of] = true
		}
	}
	for _, p := range parts {
		w.tellProgress(p)
		if !waiting[p.of] && len(w.lagging) > 0 && p.release != nil {
			w.tell(p.of, "ready", canary.Event{Release: p.of, Kind: canary.Ready})
		}
	}
	for _, p := range w.lagging {
		if err := w.diagnose(p); err != nil {
			return false, err
		}
	}
	return shown && len(w.lagging) == 0, nil
}

// part is a Deployment as a version of a release or of a Service, or by itself.
type part struct {
	of      string
	release *canary.Release // nil where no Service selects it
	version *canary.Version
	counted bool // its endpoints can be told from those of other Deployments
}

// parts are what is waited for. It reports false while the watch has not shown all of it.
func (w *rolling) parts(s *canary.Snapshot) (all []part, shown bool) {
	rest := map[string]bool{}
	for _, name := range w.Deployments {
		rest[name] = true
	}
	for _, r := range canary.Discover(s, canary.Options{All: true}) {
		for _, v := range r.Versions() {
			if slices.Contains(w.Deployments, v.Deployment.Name) {
				delete(rest, v.Deployment.Name)
				all = append(all, part{of: r.Name, release: &r, version: v, counted: r.Stable != nil || len(r.Others) == 1})
			}
		}
	}
	for _, d := range s.Deployments {
		if rest[d.Name] {
			delete(rest, d.Name)
			all = append(all, part{of: d.Name, version: &canary.Version{Name: "Deployment " + d.Name, Deployment: d}})
		}
	}
	unseen := slices.ContainsFunc(w.Services, func(name string) bool {
		return !slices.ContainsFunc(s.Services, func(now canary.Service) bool { return now.Name == name })
	})
	return all, len(rest) == 0 && !unseen
}

// up says that all pods are new, ready, and in the Services but for what is dark.
func (p part) up() bool {
	d := &p.version.Deployment
	return !d.Lags() && d.Pods == d.UpdatedPods && p.serving() >= d.Replicas
}

// serving is how many new pods serve, at least.
func (p part) serving() int {
	d := &p.version.Deployment
	n := d.ReadyPods
	if p.counted {
		n = min(n, p.version.Serving+p.version.Dark)
	}
	return max(0, n-(d.Pods-d.UpdatedPods))
}

// tellProgress tells how many pods serve, and of a roll-out how far it is.
func (w *rolling) tellProgress(p part) {
	if r := p.release; r != nil && r.Stable != nil {
		told := own(*r)
		now := fmt.Sprint(r.Stable.Serving, r.Replicas(), r.Canary.Serving)
		w.tell(p.of+" serves", now, canary.Event{Release: p.of, Kind: canary.Serves, Now: &told})
	}
	if d := &p.version.Deployment; !d.Lags() && d.UpdatedPods < d.Pods {
		e := canary.Event{Release: p.of, Kind: canary.RollingOut, Deployment: d.Name, From: d.UpdatedPods, To: d.Replicas}
		w.tell(d.Name+" rolls out", fmt.Sprint(e.From), e)
	}
}

// tell tells of a thing what was not the last that was told of it.
func (w *rolling) tell(about, what string, e canary.Event) {
	if w.told[about] != what {
		w.told[about] = what
		w.Notify(e)
	}
}

// diagnose tells of a new trouble, and returns an error where waiting longer would be in vain.
func (w *rolling) diagnose(p part) error {
	d := &p.version.Deployment
	if d.Paused && d.UpdatedPods < d.Replicas {
		return w.stuck(p, &canary.Problem{
			Code: canary.CodePaused, Severity: canary.Error, Object: "Deployment/" + d.Name,
			Message: "Deployment " + d.Name + " is paused", Next: []string{"rollout resume deployment/" + d.Name},
		})
	}
	problem, definite := canary.DiagnoseDeployment(d)
	if problem == nil {
		delete(w.failing, d.Name)
	} else {
		if w.failing[d.Name].IsZero() {
			w.failing[d.Name] = time.Now()
		}
		mayPass := time.Since(w.failing[d.Name]) < failureGrace || d.Failure.OverQuota() && stopping(w.last)
		if definite && !mayPass {
			return w.stuck(p, problem)
		}
		w.tell(d.Name+" fails", problem.Message, canary.Event{Release: p.of, Kind: canary.Trouble, Problem: problem})
	}
	for _, pod := range canary.PodsOf(w.last, p.version) {
		problem, definite := canary.Diagnose(pod)
		if problem == nil || problem.Code == canary.CodeNotReady && time.Since(pod.Created) < startGrace {
			continue
		}
		replaced := w.known[pod.UID] && (w.changed(d) || time.Since(w.began) < earlierGrace)
		if definite && !replaced && !d.Lags() {
			return w.stuck(p, problem)
		}
		w.tell(problem.Object, problem.Code, canary.Event{Release: p.of, Kind: canary.Trouble, Problem: problem})
	}
	return nil
}

// changed says that a Deployment is no longer as it was before, so that the pods of then may go.
func (w *rolling) changed(d *canary.Deployment) bool {
	return slices.ContainsFunc(w.Before.Deployments, func(was canary.Deployment) bool { return was.UID == d.UID && was.Generation != d.Generation })
}

func (w *rolling) stuck(p part, problem *canary.Problem) *StuckError {
	return &StuckError{Release: p.of, Version: p.version.Name, Serving: p.serving(), Replicas: p.version.Deployment.Replicas, Problem: problem, Definite: true}
}

// late is an error for everything that is not up.
func (w *rolling) late() error {
	all := []error{}
	for _, p := range w.lagging {
		e := w.stuck(p, canary.WhyNotServing(w.last, p.version))
		e.Definite, e.Waited = false, w.Timeout
		all = append(all, e)
	}
	if len(all) == 0 {
		return fmt.Errorf("%w: what was applied is no longer there", ErrDeadline)
	}
	return errors.Join(all...)
}
