package plugin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
)

// step moves all that still migrates to the step's weight, as shift does; nil when all, or with --independent some, are there.
func (m *migrator) step(ctx context.Context) *setback {
	m.ask.Weight, m.typed = m.migration.Step().Weight, m.migration.Command()
	m.settle = m.settling
	if m.migration.Step().Pause > 0 {
		m.settle = 0 // the pause watches it
	}
	m.held.since = m.now()
	m.choose.names = names(m.active)
	snapshot, err := m.live.Refresh(ctx)
	if err == nil {
		err = m.replan(snapshot, m.active)
	}
	if err == nil && len(m.held.records) > 0 { // else the lock was taken with it
		err = m.note(ctx, m.active)
	}
	if err != nil {
		return &setback{names(m.active), err}
	}
	m.say("to %s%%", m.ask.Weight)
	moving, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	stop := m.listen(moving, abort)
	began := time.Now()
	moves, results := m.carryOut(moving, snapshot, m.active)
	stop()
	return m.arrived(ctx, m.endings(ctx, m.active, moves, results), time.Since(began))
}

// arrived takes in how the moves of a step have ended.
func (m *migrator) arrived(ctx context.Context, endings []ending, took time.Duration) *setback {
	var failed setback
	var there []ending
	for _, e := range endings {
		if e.err != nil {
			failed.releases, failed.err = append(failed.releases, e.release.Name), errors.Join(failed.err, once(failed.err, e.err))
		} else {
			there = append(there, e)
		}
	}
	if !slices.ContainsFunc(endings, func(e ending) bool { return e.outcome != canary.Done }) && m.migration.Last() && m.migration.Step().Pause == 0 {
		m.over = true // a signal came when all was done
	}
	if failed.err != nil && (!m.independent || len(there) == 0) {
		m.writeDown(ctx, endings, m.remember)
		return &setback{names(m.active), failed.err}
	}
	m.change(func(s *canary.Migration) { s.Arrive(m.now(), took) })
	for _, e := range there {
		m.reach(e)
	}
	write := m.keep
	if m.migration.Last() && m.migration.Step().Pause == 0 {
		write = m.remember // it is written when the lock is given back, which is now
	}
	m.writeDown(ctx, there, write)
	m.say("at %s%% after %s", m.ask.Weight, took.Round(time.Second))
	if failed.err != nil {
		m.writeDown(ctx, slices.DeleteFunc(endings, func(e ending) bool { return e.err == nil }), m.remember)
		return &failed
	}
	return nil
}

// once leaves out an error that another release has brought already, as what has failed at a barrier does.
func once(all, err error) error {
	if all != nil && errors.Is(all, err) {
		return nil
	}
	return err
}

// reach notes what weight a release has come to at this step.
func (m *migrator) reach(e ending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.reached[e.release.Name]
	if all == nil {
		all = make([]*canary.Weight, len(m.migration.Steps))
	}
	if w, ok := e.now.Actual(); ok {
		all[m.migration.Index] = &w
	}
	m.reached[e.release.Name] = all
}

// of is the state as the record of one release has it.
func (m *migrator) of(release string) *canary.Migration {
	s := m.migration.Clone()
	for i, w := range m.reached[release] {
		s.Steps[i].Reached = w
	}
	return s
}

// note writes into the Leases that a move begins.
func (m *migrator) note(ctx context.Context, all []planned) error {
	return m.each(ctx, names(all), func(ctx context.Context, release string) error {
		i := slices.IndexFunc(all, func(p planned) bool { return p.release.Name == release })
		record := m.begin(&all[i])
		if record.Migration != nil {
			record.Migration = m.of(release)
		}
		return m.write(ctx, release, &record, nil)
	})
}

// keep writes the record that ends a move, and keeps the lock.
func (m *migrator) keep(ctx context.Context, release string, record *canary.Record) error {
	record.Migration = m.of(release)
	_ = m.remember(ctx, release, record)
	return m.write(ctx, release, record, nil)
}

// remember keeps the record that ends a move, which is written with what comes next.
func (m *migrator) remember(_ context.Context, release string, record *canary.Record) error {
	m.held.mu.Lock()
	defer m.held.mu.Unlock()
	m.held.records[release] = record
	return nil
}

func names(all []planned) []string {
	return namesOf(all, func(p planned) string { return p.release.Name })
}

// rollsBack says whether an error is one for which the traffic goes back to stable: the canary's own fault, or what a user wants.
// Where somebody else is at work, or nothing can be known, nothing is moved.
func (m *migrator) rollsBack(err error) bool {
	var (
		stuck    *mover.StuckError
		conflict *canary.ConflictError
		gate     *gateError
	)
	switch {
	case errors.Is(err, errAborted):
		return true
	case m.onFailure == "hold" || errors.As(err, &conflict):
		return false
	}
	return errors.As(err, &stuck) || errors.As(err, &gate)
}
