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

// locks are those that a run holds, and what is recorded beside them.
type locks struct {
	mu      sync.Mutex
	holder  string
	since   time.Time // when the move began
	locks   map[string]*cluster.Lock
	before  map[string]*canary.Record // before the run
	records map[string]*canary.Record // by this run, which goes on
}

// recorded is what this run has recorded of a release; nil where it has nothing.
func (l *locks) recorded(release string) *canary.Record {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[release]
}

// keep renews all locks, and cancels the run when one is lost.
func (l *locks) keep(ctx context.Context, cancel context.CancelCauseFunc) {
	for _, lock := range l.locks {
		lock.Keep(ctx, func(err error) { cancel(err) })
	}
}

// begin is the record of a release whose move begins.
func (r *run) begin(p *planned) canary.Record {
	record := p.release.Begin(p.target, r.typed, r.user, r.held.since)
	record.Migration = r.migration.Clone()
	return record
}

// opening is the record of a release that is locked: it moves, or goes on with the pause of a migration.
func (r *run) opening(p *planned) canary.Record {
	if m := r.migration; m != nil && m.Phase != canary.StepMoving && p.release.Record != nil {
		record := *p.release.Record
		record.Migration = m.Clone()
		return record
	}
	return r.begin(p)
}

// lock takes the lock of every release that is written to, or none; a migration, which goes on, locks all of its releases. Where
// Leases are forbidden it goes on without.
func (r *run) lock(ctx context.Context, all []planned) error {
	held := &locks{
		holder: r.holder(), since: r.client.Now(),
		locks: map[string]*cluster.Lock{}, before: map[string]*canary.Record{}, records: map[string]*canary.Record{},
	}
	r.held = held
	if !r.leases {
		return nil
	}
	takenOver := false
	var group errgroup.Group
	for i := range all {
		p := &all[i]
		if !p.writes() && !r.all {
			continue
		}
		record := r.opening(p)
		group.Go(func() error {
			lock, err := r.live.Acquire(ctx, p.release.Name, held.holder, &record, r.ask.Rollback)
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
		held.locks = nil
		r.warn("leases may not be written: no lock and no history" + r.withoutLeases())
		return nil
	}
	if err != nil {
		held.giveBack(ctx)
		return err
	}
	if takenOver {
		return held.pause(ctx)
	}
	return nil
}

// withoutLeases is what a migration lacks without them.
func (r *run) withoutLeases() string {
	if r.migration == nil {
		return ""
	}
	return ", and the migration can neither be resumed nor be controlled from another terminal"
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

// release gives a lock back and writes the record, if the lock is held.
func (l *locks) release(ctx context.Context, release string, record *canary.Record) error {
	if lock := l.locks[release]; lock != nil {
		return lock.Release(ctx, record)
	}
	return nil
}
