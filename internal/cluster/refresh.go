package cluster

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// refresh is a read that callers share.
type refresh struct {
	done     chan struct{}
	snapshot *canary.Snapshot
	err      error
}

// Refresh lists again what decides how far a side may be lowered: Deployments and endpoints. Callers that come while
// one is under way share the next.
func (l *Live) Refresh(ctx context.Context) (*canary.Snapshot, error) {
	l.mu.Lock()
	r := l.refresh
	if r == nil {
		r = &refresh{done: make(chan struct{})}
		l.refresh = r
		go l.run(context.WithoutCancel(ctx), r)
	}
	l.mu.Unlock()
	select {
	case <-r.done:
		return r.snapshot, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (l *Live) run(ctx context.Context, r *refresh) {
	l.reading.Lock()
	defer l.reading.Unlock()
	l.mu.Lock()
	l.refresh = nil
	l.mu.Unlock()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.deployments.load(ctx) })
	group.Go(func() error { return l.endpoints.load(ctx) })
	r.err = group.Wait()
	l.changed()
	r.snapshot = l.Snapshot()
	close(r.done)
}
