package plugin

import (
	"context"
	"slices"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// watchStep watches the step until its pause is over and its gates pass, or somebody approves; nil when the next step may come.
func (m *migrator) watchStep(ctx context.Context) *setback {
	if m.migration.Phase == canary.StepPaused && m.migration.Step().Pause == 0 {
		if !m.migration.Wants() {
			return nil // there is nothing to watch
		}
		m.await(ctx, "")
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	m.gate.Begin(watching, m.releases())
	changed := m.changes(watching)
	tick := time.NewTicker(m.o.gates.interval)
	defer tick.Stop()
	verdicts := make(chan verdicts)
	judging, last := false, false
	judge := func(final bool) {
		judging, last = true, final
		go func() {
			select {
			case verdicts <- m.gate.Judge(watching, final):
			case <-watching.Done():
			}
		}()
	}
	select {
	case <-m.keys: // typed ahead: nobody can have meant this step
	default:
	}
	m.tellPause()
	for _, p := range m.active {
		m.screen.Note(p.release.Name, "") // the move is over, and no check has been made
	}
	for {
		if m.migration.Over(m.now()) && !judging {
			judge(true)
		}
		if m.migration.Phase == canary.StepApproval && m.migration.Approved {
			return nil
		}
		end := time.NewTimer(m.rest())
		var failed *setback
		select {
		case <-ctx.Done():
			failed = &setback{names(m.active), context.Cause(ctx)}
		case <-end.C:
		case <-tick.C:
			if !judging {
				judge(false)
			}
		case v := <-verdicts:
			judging = false
			m.see(v)
			if failed = m.fails(v); failed == nil && last && m.migration.Over(m.now()) {
				var passed bool
				if passed, failed = m.decide(ctx, v); passed {
					end.Stop()
					return nil
				}
			}
		case <-changed:
			failed = m.moved(ctx)
		case q := <-m.asked:
			if m.take(ctx, q) {
				failed = &setback{names(m.active), abortedBy(q.By)}
			}
		case <-m.keys:
			if m.migration.Phase == canary.StepApproval {
				m.screen.Leave()
				m.change(func(s *canary.Migration) { s.Take(canary.VerbApprove, m.now()) })
			}
		}
		end.Stop()
		if failed == nil {
			continue
		}
		if len(failed.releases) == len(m.active) {
			return failed
		}
		m.drop(ctx, failed)
	}
}

// rest is how long the pause lasts still, if nothing happens; long while its clock does not run.
func (m *migrator) rest() time.Duration {
	if m.migration.Phase != canary.StepPaused || m.migration.Halted || m.migration.Over(m.now()) {
		return time.Hour
	}
	return m.migration.Step().Pause.Duration() - m.migration.Passed(m.now())
}

// releases are those that still migrate, as they are now.
func (m *migrator) releases() []canary.Release {
	found := map[string]canary.Release{}
	for _, r := range canary.Discover(m.live.Snapshot(), m.choose.options) {
		if r.Stable != nil {
			found[r.Name] = r
		}
	}
	var all []canary.Release
	for _, p := range m.active {
		if r, ok := found[p.release.Name]; ok {
			all = append(all, r)
		}
	}
	return all
}

// changes says when something has changed in the namespace, as long as it may be watched.
func (m *migrator) changes(ctx context.Context) <-chan struct{} {
	changed := make(chan struct{}, 1)
	go func() {
		_ = m.live.Observe(ctx, func(*canary.Snapshot) (bool, error) {
			select {
			case changed <- struct{}{}:
			default:
			}
			return false, nil
		})
	}()
	return changed
}

// moved shows what serves now, and fails where somebody else has changed replicas.
func (m *migrator) moved(ctx context.Context) *setback {
	for _, r := range m.releases() {
		m.show(r)
		record := m.held.recorded(r.Name)
		if record == nil || record.Set == r.Replicas() {
			continue
		}
		for _, side := range []struct {
			d   canary.Deployment
			set int
		}{{r.Stable.Deployment, record.Set.Stable}, {r.Canary.Deployment, record.Set.Canary}} {
			if side.d.Replicas == side.set {
				continue
			}
			side.d.Replicas = side.set
			if err := m.live.Conflict(ctx, side.d); err != nil {
				return m.fault(r.Name, err)
			}
		}
	}
	return nil
}

// fault is a setback that one release brings upon all, or with --independent upon itself.
func (m *migrator) fault(release string, err error) *setback {
	if m.independent {
		return &setback{[]string{release}, err}
	}
	return &setback{names(m.active), err}
}

// verdicts are what the checks say, by release.
type verdicts map[string][]analysis.Result

// worst are the results of one verdict, by release in order of name.
func (m *migrator) worst(v verdicts, verdict analysis.Verdict) (all []gateResult) {
	for _, p := range m.active {
		for _, r := range v[p.release.Name] {
			if r.Verdict == verdict && !r.Info {
				all = append(all, gateResult{p.release.Name, r})
			}
		}
	}
	return all
}

// fails is the setback of the gates that have failed; nil where none has.
func (m *migrator) fails(v verdicts) *setback {
	failed := m.worst(v, analysis.Fail)
	if len(failed) == 0 {
		return nil
	}
	return m.gated(failed, &gateError{step: m.place(), results: failed})
}

// decide is the end of a pause whose gates have not failed: it has passed, waits for an approval, or is held.
func (m *migrator) decide(ctx context.Context, v verdicts) (passed bool, failed *setback) {
	unclear := m.worst(v, analysis.Inconclusive)
	reason := reasonOf(unclear)
	switch {
	case m.migration.Wants():
		m.await(ctx, reason)
		m.tellPause()
		return false, nil
	case len(unclear) > 0 && !m.migration.Approved:
		return false, m.gated(unclear, &noVerdictError{step: m.place(), results: unclear})
	}
	return true, nil
}

// await waits for an approval from now on.
func (m *migrator) await(ctx context.Context, reason string) {
	m.change(func(s *canary.Migration) { s.Await(m.now(), reason) })
	_ = m.publish(ctx, nil) // a lock that is lost says so by itself
}

// gated is the setback of the releases whose gates say no.
func (m *migrator) gated(results []gateResult, err error) *setback {
	if !m.independent {
		return &setback{names(m.active), err}
	}
	var some []string
	for _, r := range results {
		some = append(some, r.release)
	}
	return &setback{slices.Compact(some), err}
}

func (m *migrator) place() string {
	return m.migration.Place() + " (" + m.migration.Step().Weight.String() + "%)"
}
