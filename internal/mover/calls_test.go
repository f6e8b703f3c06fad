package mover

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func (w *world) Observe(ctx context.Context, look func(*canary.Snapshot) (bool, error)) error {
	if err := w.before("observe"); err != nil {
		return err
	}
	for {
		w.mu.Lock()
		s, next := w.snapshot(), w.next
		w.observed = s.Pods
		w.mu.Unlock()
		if done, err := look(s); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-next:
		}
	}
}

func (w *world) Refresh(ctx context.Context) (*canary.Snapshot, error) {
	if err := w.before("refresh"); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.snapshot()
	if w.podsLag {
		s.Pods = w.observed
	}
	return s, context.Cause(ctx)
}

func (w *world) Scale(ctx context.Context, d canary.Deployment, to int) error {
	w.mu.Lock()
	stopped := w.stopped
	w.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped {
		w.t.Errorf("a write of %s to %d begins after the interrupt", d.Name, to)
	}
	if err := w.before("scale"); err != nil {
		return err
	}
	w.mu.Lock()
	now := w.find(d.Name)
	stale := now.UID != d.UID || now.Replicas != d.Replicas
	if !stale {
		w.writes = append(w.writes, fmt.Sprintf("%s %d→%d", d.Name, d.Replicas, to))
	}
	w.mu.Unlock()
	if stale {
		return w.Conflict(ctx, d)
	}
	w.scale(d.Name, to)
	return w.lost(d.Name)
}

func (w *world) Drain(ctx context.Context, pod canary.Pod, label string) error {
	return w.patch(ctx, "drain", pod, label, "")
}

func (w *world) Relight(ctx context.Context, pod canary.Pod, label, value string) error {
	return w.patch(ctx, "relight", pod, label, value)
}

func (w *world) patch(ctx context.Context, what string, leaving canary.Pod, label, value string) error {
	w.mu.Lock()
	stopped := w.stopped
	w.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped {
		w.t.Errorf("a patch of %s begins after the interrupt", leaving.Name)
	}
	if err := w.before(what); err != nil {
		return err
	}
	w.mu.Lock()
	var of *deployment
	var found *pod
	for _, d := range w.deployments {
		for _, p := range d.pods {
			if p.UID == leaving.UID {
				of, found = d, p
			}
		}
	}
	if of != nil {
		if err := w.undrainable[of.Name]; err != nil {
			w.mu.Unlock()
			return err
		}
		w.writes = append(w.writes, what+" of "+of.Name)
	}
	w.mu.Unlock()
	if of != nil {
		w.label(of, found, label, value)
	}
	return nil
}

func (w *world) Conflict(_ context.Context, d canary.Deployment) error {
	now := w.now()
	i := slices.IndexFunc(now.Deployments, func(n canary.Deployment) bool { return n.Name == d.Name })
	if i < 0 {
		return &canary.ConflictError{Deployment: d.Name, Want: d.Replicas, Gone: true}
	}
	return &canary.ConflictError{
		Deployment: d.Name, Want: d.Replicas, Found: now.Deployments[i].Replicas, Replaced: now.Deployments[i].UID != d.UID,
	}
}
