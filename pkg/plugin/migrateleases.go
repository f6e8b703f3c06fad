package plugin

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// write writes a record into the Lease of a release, and keeps the lock; taken is a request that it answers.
func (m *migrator) write(ctx context.Context, release string, record *canary.Record, taken *canary.Request) error {
	m.mu.Lock()
	m.last[release] = record
	m.mu.Unlock()
	if lock := m.held.locks[release]; lock != nil {
		return lock.Write(ctx, record, taken)
	}
	return nil
}

// letGo writes the last record of a release, and gives its lock back.
func (m *migrator) letGo(ctx context.Context, release string, record *canary.Record) error {
	m.mu.Lock()
	m.owned[release] = false
	m.mu.Unlock()
	if record == nil {
		m.held.giveBackOne(ctx, release)
		return nil
	}
	return m.held.release(ctx, release, record)
}

// each does something for releases at once.
func (m *migrator) each(ctx context.Context, releases []string, do func(ctx context.Context, release string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range releases {
		group.Go(func() error { return do(ctx, name) })
	}
	return group.Wait()
}

// follow watches the Leases: for requests from other terminals, and for whoever takes a lock over.
func (m *migrator) follow(ctx context.Context, cancel context.CancelCauseFunc) {
	if m.held.locks == nil || !m.leases {
		return
	}
	var last *canary.Request
	look := func(all map[string]canary.Lease) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for name, lease := range all {
			if !m.owned[name] {
				continue
			}
			if lease.Holder != m.held.holder {
				lost := lease.LockedBy(name, m.client.Now())
				lost.Lost = true
				cancel(lost)
				return
			}
			if lease.Record == nil || lease.Record.Migration == nil {
				continue
			}
			if q := lease.Record.Migration.Request; q != nil && !q.Is(last) {
				last = q
				select {
				case m.asked <- *q:
				default: // whoever asks so much asks again
				}
			}
		}
	}
	go func() {
		if err := m.live.FollowLeases(ctx, look); err != nil && ctx.Err() == nil {
			m.warn("leases may not be watched: pause, resume, approve and abort from another terminal are not seen: " + err.Error())
		}
	}()
}

// take does what another terminal asks, and takes the request out of the Leases; true for an abort.
func (m *migrator) take(ctx context.Context, q canary.Request) bool {
	if m.migration.Takes(q) {
		m.change(func(s *canary.Migration) { s.Take(q.Verb, m.now()) })
		m.say("%s, says %s", q.Verb, q.By)
	}
	// Whoever waits in vain for the answer says so.
	_ = m.publish(ctx, &q)
	return q.Verb == canary.VerbAbort
}

// publish writes the state into the Leases of all that still migrates.
func (m *migrator) publish(ctx context.Context, taken *canary.Request) error {
	return m.each(ctx, names(m.active), func(ctx context.Context, release string) error {
		m.mu.Lock()
		record := *m.last[release]
		record.Migration = m.of(release)
		m.mu.Unlock()
		return m.write(ctx, release, &record, taken)
	})
}

// listen takes requests while a move is under way, until stop.
func (m *migrator) listen(ctx context.Context, abort context.CancelCauseFunc) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-m.keys: // it waits for no approval
			case q := <-m.asked:
				if m.take(ctx, q) {
					abort(abortedBy(q.By))
					return
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

// interrupted gives the locks back after a signal, with how far it has come in the same write.
func (m *migrator) interrupted(ctx context.Context) {
	outcome := canary.Interrupted
	m.change(func(s *canary.Migration) {
		if s.Interrupt(m.now()); m.over {
			outcome = canary.Done
		}
	})
	m.leave(ctx, m.active, outcome, ErrInterrupted)
	m.active = nil
}

// lost ends it all when a lock is another's by now: what is still ours can be gone on with.
func (m *migrator) lost(ctx context.Context, cause error) {
	m.change(func(s *canary.Migration) { s.Interrupt(m.now()) })
	var taken *canary.LockedError
	if errors.As(cause, &taken) {
		m.mu.Lock()
		m.owned[taken.Release] = false
		m.mu.Unlock()
		delete(m.held.locks, taken.Release)
	}
	m.leave(ctx, m.active, canary.Held, cause)
	m.active = nil
}

// leave gives locks back with the state as it is: what does not migrate any more is held where it is.
func (m *migrator) leave(ctx context.Context, all []planned, outcome canary.Outcome, cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	notes := map[string]string{}
	var gone []string // the locks that are another's by now
	_ = m.each(ctx, names(all), func(ctx context.Context, release string) error {
		record := m.held.recorded(release)
		if record != nil {
			record = m.leftAt(release, record)
		}
		err := m.letGo(ctx, release, record)
		m.mu.Lock()
		defer m.mu.Unlock()
		if errors.As(err, new(*canary.LockedError)) {
			gone = append(gone, release)
		} else if err != nil {
			notes[release] = "its lock could not be released, and runs out by itself in 30s: " + err.Error()
		}
		return nil
	})
	for _, release := range gone {
		delete(m.held.locks, release)
	}
	now := m.present(ctx, true)
	for _, p := range all {
		e := ending{planned: p, moved: true, outcome: outcome, now: p.release, err: cause, note: notes[p.release.Name]}
		if r, ok := now[p.release.Name]; ok {
			e.now = r
		}
		if record := m.held.recorded(p.release.Name); record != nil && m.held.locks[p.release.Name] != nil {
			kept := m.leftAt(p.release.Name, record)
			e.now.Record, e.now.Lease = kept, canary.Lease{Record: kept}
		}
		e.release, m.ended[p.release.Name] = m.first[p.release.Name], m.of(p.release.Name)
		m.left = append(m.left, e)
	}
}

// leftAt is the record of a release as it is left: with the migration, unless that is over.
func (m *migrator) leftAt(release string, record *canary.Record) *canary.Record {
	kept := *record
	if kept.Migration = nil; !m.over {
		kept.Migration = m.of(release)
	}
	return &kept
}

// without are the releases that are not among some.
func without(all []planned, some []string) (rest, taken []planned) {
	for _, p := range all {
		if slices.Contains(some, p.release.Name) {
			taken = append(taken, p)
		} else {
			rest = append(rest, p)
		}
	}
	return rest, taken
}
