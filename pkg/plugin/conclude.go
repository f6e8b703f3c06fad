package plugin

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
)

// afterwards bounds what is still read and written after a move has ended.
const afterwards = 15 * time.Second

// ending is how one release ended up.
type ending struct {
	planned

	moved   bool // it was not idle
	outcome canary.Outcome
	now     canary.Release
	set     canary.Split // the replicas that it was left at
	err     error
	note    string // what could not be written down
}

// conclude writes down how each move ended, gives the locks back, and tells the user what is where.
func (r *run) conclude(ctx context.Context, all []planned, moves []mover.Move, results []mover.Result) error {
	endings := r.endings(ctx, all, moves, results)
	r.writeDown(ctx, endings, r.held.release)
	return r.tell(endings)
}

// endings are how all releases ended up, as they are now.
func (r *run) endings(ctx context.Context, all []planned, moves []mover.Move, results []mover.Result) []ending {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	byName := map[string]mover.Result{}
	failed := false
	for i, m := range moves {
		byName[m.Release.Name] = results[i]
		failed = failed || results[i].Err != nil
	}
	present := r.present(ctx, failed)
	endings := make([]ending, len(all))
	for i, p := range all {
		e := &endings[i]
		*e = ending{planned: p, outcome: canary.Unchanged, now: p.release}
		result, moved := byName[p.release.Name]
		if !moved {
			continue
		}
		e.moved, e.outcome, e.now, e.set, e.err = true, result.Outcome, result.Release, result.Set, result.Err
		if now, ok := present[p.release.Name]; ok {
			e.now = now
		}
	}
	return endings
}

// writeDown records how each move ended, with one write of its Lease. What was idle by the time it was locked gets its lock back.
func (r *run) writeDown(ctx context.Context, endings []ending, write writer) {
	signals := ctx
	interrupted := func() bool { return errors.Is(context.Cause(signals), ErrInterrupted) }
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	var writes sync.WaitGroup
	for i := range endings {
		e := &endings[i]
		if !e.moved {
			r.held.giveBackOne(ctx, e.release.Name)
			continue
		}
		writes.Go(func() { r.writeOne(ctx, e, write, interrupted) })
	}
	writes.Wait()
	r.learn(ctx, endings)
}

// present reads where everything is after a failure; what cannot be read is told as last seen.
func (r *run) present(ctx context.Context, failed bool) map[string]canary.Release {
	found := map[string]canary.Release{}
	if !failed {
		return found
	}
	s, err := r.live.Refresh(ctx)
	if err != nil {
		return found
	}
	for _, release := range canary.Discover(s, r.choose.options) {
		if release.Stable != nil {
			found[release.Name] = release
		}
	}
	return found
}

// writer writes the record of a release, and keeps its lock or gives it back.
type writer func(ctx context.Context, release string, record *canary.Record) error

// writeOne ends the record of a release and announces the change. After a signal the lock's release is the only write.
func (r *run) writeOne(ctx context.Context, e *ending, write writer, interrupted func() bool) {
	var lost *canary.LockedError
	if errors.As(e.err, &lost) && lost.Release == e.release.Name {
		return // what happens now is the other's change
	}
	begun := r.begin(&e.planned)
	record := begun.End(&e.release, &e.now, e.outcome, r.reason, r.client.Now())
	if e.outcome == canary.Undone {
		record.Set = e.set // so that it shows as drift
	}
	switch err := write(ctx, e.release.Name, &record); {
	case errors.As(err, &lost):
	case err != nil:
		e.note = "its lock could not be released, and runs out by itself in 30s: " + err.Error()
	case r.held.locks[e.release.Name] != nil:
		e.now.Record, e.now.Lease = &record, canary.Lease{Record: &record}
	}
	if interrupted() || e.release.Replicas() == e.now.Replicas() && e.release.Lit() == e.now.Lit() && e.outcome == canary.Done {
		return
	}
	kind := "Normal"
	if e.outcome != canary.Done {
		kind = "Warning"
	}
	change := canary.Change{Command: r.typed, By: r.user, Before: e.release.Lit(), After: e.now.Lit(), Outcome: e.outcome}
	notice := canary.NoticeOf(e.release.Name, change, e.now.Stable.Name, e.now.Canary.Name)
	// Best effort: whoever may scale may not always write Events.
	_ = r.client.Announce(ctx, r.namespace, e.release.Services[0], kind, notice.Reason, notice.Message)
}
