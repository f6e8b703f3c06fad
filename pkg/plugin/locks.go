package plugin

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
)

// locks are those that a move holds, and what was recorded before it.
type locks struct {
	mu     sync.Mutex
	since  time.Time
	locks  map[string]*cluster.Lock
	before map[string]*canary.Record
}

// lock takes the lock of every release that is written to, or none. Where Leases are forbidden it goes on without.
func (r *run) lock(ctx context.Context, all []planned) (*locks, error) {
	held := &locks{since: r.client.Now(), locks: map[string]*cluster.Lock{}, before: map[string]*canary.Record{}}
	if !r.leases {
		return held, nil
	}
	holder, takenOver := r.holder(), false
	var group errgroup.Group
	for i := range all {
		p := &all[i]
		if !p.writes() {
			continue
		}
		record := p.release.Begin(p.target, r.typed, r.user, held.since)
		group.Go(func() error {
			lock, err := r.live.Acquire(ctx, p.release.Name, holder, &record, r.ask.Rollback)
			if err != nil {
				return err
			}
			held.mu.Lock()
			defer held.mu.Unlock()
			takenOver = takenOver || lock.TookOver
			held.locks[p.release.Name], held.before[p.release.Name] = lock, p.release.Lease.Record
			return nil
		})
	}
	err := group.Wait()
	if apierrors.IsForbidden(err) {
		held.giveBack(ctx)
		r.leases = false
		r.warn("leases may not be written: no lock and no history")
		return &locks{}, nil
	}
	if err != nil {
		held.giveBack(ctx)
		return nil, err
	}
	if takenOver {
		return held, held.pause(ctx)
	}
	return held, nil
}

// pause lets the writes of whoever had the lock come to their end.
func (l *locks) pause(ctx context.Context) error {
	wait := time.NewTimer(takeOverPause)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		l.giveBack(ctx)
		return context.Cause(ctx)
	}
}

// giveBack releases the locks of a move that has not begun, with what was recorded before.
func (l *locks) giveBack(ctx context.Context) {
	for name := range l.locks {
		l.giveBackOne(ctx, name)
	}
}

func (l *locks) giveBackOne(ctx context.Context, release string) {
	if lock := l.locks[release]; lock != nil {
		// A lock that cannot be given back runs out by itself.
		_ = lock.Release(ctx, l.before[release])
	}
}
