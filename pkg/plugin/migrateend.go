package plugin

import (
	"context"
	"errors"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// drop ends the migration of the releases that have failed: rolled back, or held where they are.
func (m *migrator) drop(ctx context.Context, failed *setback) {
	var leaving []planned
	m.active, leaving = without(m.active, failed.releases)
	if m.rollsBack(failed.err) {
		m.rollBack(ctx, leaving, failed.err)
		return
	}
	// What goes on without them has a state of its own.
	going := m.migration
	m.put(going.Clone())
	m.change(func(s *canary.Migration) {
		if s.Phase != canary.StepMoving {
			s.Hold(m.now(), failed.err.Error())
		}
		s.Interrupt(m.now())
		if len(m.active) > 0 {
			s.ID = newID() // else it would go on at the step that the others have come to
		}
	})
	m.leave(ctx, leaving, canary.Held, failed.err)
	if len(m.active) > 0 {
		m.put(going)
	}
}

// rollBack gives all traffic of some releases back to stable, under the locks that are held.
func (m *migrator) rollBack(ctx context.Context, leaving []planned, why error) {
	ask, migration, reason, chosen := m.ask, m.migration, m.reason, m.choose.names
	defer func() {
		m.ask, m.reason, m.choose.names = ask, reason, chosen
		m.put(migration)
	}()
	m.say("rolling back: %v", why)
	all := canary.Percent(100)
	m.ask = canary.Ask{Weight: canary.None, Rollback: true, Surge: ask.Surge, MoveSurge: &all, Unavailable: ask.Unavailable, Tolerance: ask.Tolerance, Replicas: ask.Replicas}
	m.typed, m.reason, m.settle = "migrate (rollback at step "+migration.Place()+")", why.Error(), m.settling
	m.put(migration.Clone())
	m.change(func(s *canary.Migration) { s.Interrupt(m.now()) })
	for _, p := range leaving {
		m.ended[p.release.Name] = m.of(p.release.Name)
	}
	m.put(nil) // the records forget it
	m.held.since = m.now()
	m.choose.names = names(leaving)
	snapshot, err := m.live.Refresh(ctx)
	if err == nil {
		err = m.replan(snapshot, leaving)
	}
	if err == nil {
		err = m.note(ctx, leaving)
	}
	if err != nil {
		m.put(migration.Clone())
		m.change(func(s *canary.Migration) { s.Interrupt(m.now()) })
		m.leave(ctx, leaving, canary.Held, errors.Join(err, why))
		return
	}
	moves, results := m.carryOut(ctx, snapshot, leaving)
	endings := m.endings(ctx, leaving, moves, results)
	m.writeDown(ctx, endings, m.letGo)
	for _, e := range endings {
		if e.err == nil {
			e.outcome, e.err = canary.RolledBack, rolledBackError{why}
		}
		e.release = m.first[e.release.Name]
		m.left = append(m.left, e)
	}
}

// rolledBackError is why a release was rolled back, which it was.
type rolledBackError struct{ error }

func (e rolledBackError) Unwrap() error { return e.error }

// finish ends the migration of those that have come through all steps.
func (m *migrator) finish(ctx context.Context, done bool) {
	if !done {
		return
	}
	m.change(func(s *canary.Migration) { s.Phase = canary.StepDone })
	now := map[string]canary.Release{}
	for _, r := range m.releases() {
		now[r.Name] = r
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	for _, p := range m.active {
		e := ending{planned: p, moved: true, outcome: canary.Done, now: p.release}
		if r, ok := now[p.release.Name]; ok {
			e.now = r
		}
		if record := m.held.recorded(p.release.Name); record != nil {
			end := *record
			end.Migration = nil
			if err := m.letGo(ctx, p.release.Name, &end); err != nil {
				e.note = "its lock could not be released, and runs out by itself in 30s: " + err.Error()
			}
			e.now.Record, e.now.Lease = &end, canary.Lease{Record: &end}
		}
		e.release, m.ended[p.release.Name] = m.first[p.release.Name], m.of(p.release.Name)
		m.left = append(m.left, e)
	}
}
