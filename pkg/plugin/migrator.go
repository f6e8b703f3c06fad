package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// migrator runs a migration: it moves to a step's weight, watches for the step's pause, and goes on or ends it. Its state is the
// run's migration, and is written into the Lease of each release at every transition.
type migrator struct {
	*run
	o *migrateOptions

	active []planned // what still migrates, as planned last
	left   []ending  // what does not any more
	first  map[string]canary.Release
	checks map[string][]stepChecks // by release: what was seen, step by step
	gate   gate
	over   bool // it was approved of its last step, and nothing is left to do

	asked chan canary.Request // from other terminals
	keys  <-chan struct{}     // Enter, where somebody may approve by it

	base, began time.Time // the server's time when it began, and ours: this one does not jump

	mu       sync.Mutex    // guards what a screen and other terminals' requests look at
	settling time.Duration // --settle
	words    string        // the names that were typed, for next commands
	shown    map[string]string
	said     map[string]string
	ended    map[string]*canary.Migration // how far each has come

	reached map[string][]*canary.Weight
	last    map[string]*canary.Record // what the Leases have
	owned   map[string]bool           // the locks that are to be watched
}

// setback is why some releases do not go on.
type setback struct {
	releases []string
	err      error
}

func (o *migrateOptions) migrate(ctx context.Context) error {
	m := &migrator{
		run: &run{moveOptions: o.moveOptions}, o: o,
		first: map[string]canary.Release{}, checks: map[string][]stepChecks{}, asked: make(chan canary.Request, 16),
		shown: map[string]string{}, said: map[string]string{}, ended: map[string]*canary.Migration{}, words: strings.Join(quoted(o.choose.names), " "),
		reached: map[string][]*canary.Weight{}, last: map[string]*canary.Record{}, owned: map[string]bool{},
	}
	if err := m.read(ctx); err != nil {
		return err
	}
	m.base, m.began = m.client.Now(), time.Now()
	resumed, err := m.find()
	if err != nil {
		return err
	}
	if resumed == nil {
		err = m.start(ctx)
	} else {
		err = m.goOn(ctx, resumed)
	}
	if err != nil {
		return err
	}
	versions := 0
	for _, p := range m.active {
		versions += len(p.release.Versions())
	}
	if err := o.gates.fitProbes(m.migration.Steps[m.migration.Index:], versions); err != nil && !m.migration.Approve {
		return err
	} else if err != nil {
		m.warn(err.Error())
	}
	switch o.dryRun {
	case "client":
		return m.showSchedule()
	case "server":
		m.ask.Weight = m.migration.Steps[len(m.migration.Steps)-1].Weight
		all, err := m.plan(m.live.Snapshot())
		if err != nil {
			return err
		}
		return m.askServer(ctx, all)
	}
	if m.gate, err = o.gates.newGate(ctx, m.run); err != nil {
		return err
	}
	if m.conn.gate != nil {
		m.gate = m.conn.gate(m.run)
	}
	m.all = resumed != nil || !m.nothingToDo()
	m.announce(m.active)
	if !m.all {
		return m.tell(m.endings(ctx, m.active, nil, nil))
	}
	return m.through(ctx)
}

// now is the server's time, by a clock that does not jump.
func (m *migrator) now() time.Time { return m.base.Add(time.Since(m.began)) }

// change changes the state while others may look at it.
func (m *migrator) change(how func(s *canary.Migration)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how(m.migration)
}

// put makes another state the run's, while others may look at it.
func (m *migrator) put(s *canary.Migration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.migration = s
}

// start plans a migration that is new. Every step has to be one that can be reached.
func (m *migrator) start(ctx context.Context) error {
	m.migration = &canary.Migration{
		ID: newID(), By: m.user, Began: m.now(), Since: m.now(), Steps: m.o.steps,
		Phase: canary.StepMoving, Approve: m.o.approve, Args: m.o.args(m.warn),
	}
	if err := m.prepareStep(ctx); err != nil {
		return err
	}
	lowest := canary.Full
	for _, p := range m.active {
		lowest = min(lowest, p.release.LitShare())
	}
	m.migration.Index = canary.FirstStep(m.migration.Steps, lowest)
	for _, step := range m.migration.Steps[m.migration.Index:] {
		m.ask.Weight = step.Weight
		all, err := m.plan(m.live.Snapshot())
		if err == nil {
			err = m.refuse(ctx, all)
		}
		if err != nil {
			return m.refused(all, err)
		}
	}
	return m.prepareStep(ctx)
}

func newID() string { return strings.ToLower(rand.Text()[:8]) }

// goOn plans the step that an interrupted migration is at. Where the cluster has left the step's weight, it is moved there again.
func (m *migrator) goOn(ctx context.Context, from *canary.Migration) error {
	m.migration = from
	if err := m.prepareStep(ctx); err != nil {
		return err
	}
	for _, p := range m.active {
		if r := p.release.Record; !p.release.LitPosition().At(p.target.Split) || r != nil && r.Set != p.release.Replicas() {
			from.Phase = canary.StepMoving
		}
	}
	return nil
}

// prepareStep plans the step that the migration is at, from what was read.
func (m *migrator) prepareStep(ctx context.Context) (err error) {
	m.ask.Weight, m.typed = m.migration.Step().Weight, m.migration.Command()
	if m.active, err = m.prepare(ctx); err == nil {
		for _, p := range m.active {
			m.first[p.release.Name] = p.release
		}
	}
	return err
}

// nothingToDo says that all releases are beyond the last step already.
func (m *migrator) nothingToDo() bool {
	for _, p := range m.active {
		if !p.idle() || p.release.Replicas() != p.target.Split {
			return false
		}
	}
	return m.migration.Last() && m.migration.Step().Pause == 0
}

// through goes through the steps under the locks of all releases.
func (m *migrator) through(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := m.lock(ctx, m.active); err != nil {
		return m.refused(m.active, err)
	}
	for i := range m.active {
		p := &m.active[i]
		record := m.opening(p)
		m.last[p.release.Name], m.owned[p.release.Name] = &record, true
		if record.Move == nil {
			m.held.records[p.release.Name] = &record
		}
	}
	m.held.keep(ctx, cancel)
	m.follow(ctx, cancel)
	m.live.Follow(ctx, false)
	m.settling = m.settle
	m.keys = m.readKeys(ctx)
	m.screen = &printer.Progress{Out: m.streams.ErrOut, Style: style(m.streams.ErrOut), Block: block(m.streams.ErrOut), Head: m.head}
	m.screen.Begin(m.releases(), time.Now())
	stop := sync.OnceFunc(ticking(m.screen, m.client))
	defer stop()
	done := m.steps(ctx)
	if errors.Is(context.Cause(ctx), ErrInterrupted) {
		m.interrupted(ctx)
	} else if len(m.active) > 0 {
		m.finish(ctx, done)
	}
	stop()
	return m.conclusion()
}

// steps goes from step to step while there are releases to go on with; true when all steps are done.
func (m *migrator) steps(ctx context.Context) bool {
	for len(m.active) > 0 && !m.over {
		var failed *setback
		if m.migration.Phase == canary.StepMoving {
			failed = m.step(ctx)
		} else if failed = m.watchStep(ctx); failed == nil {
			going := false
			m.change(func(s *canary.Migration) { going = s.Advance(m.now()) })
			if !going {
				return true
			}
		}
		if failed == nil {
			continue
		}
		if ctx.Err() != nil && !errors.Is(failed.err, errAborted) {
			if !errors.Is(context.Cause(ctx), ErrInterrupted) {
				m.lost(ctx, context.Cause(ctx))
			}
			return false
		}
		m.drop(ctx, failed)
	}
	return m.over
}

// say tells of the migration as a whole.
func (m *migrator) say(format string, args ...any) {
	m.screen.Say(fmt.Sprintf("step %s: ", m.migration.Place()) + fmt.Sprintf(format, args...))
}
