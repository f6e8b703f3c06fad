package canary

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Migration is a release's way through a schedule, as its record keeps it. The releases that migrate together share an ID.
// Its times are the API server's. Each of the methods that change it is one transition.
type Migration struct {
	ID       string         `json:"id"`
	By       string         `json:"by"` // who runs it now, or did last
	Began    time.Time      `json:"began"`
	Steps    []Step         `json:"steps"`
	Index    int            `json:"index"` // the step it is at
	Phase    MigrationPhase `json:"phase"`
	Since    time.Time      `json:"since"`              // when the phase began; of a pause, when it last ran on
	Elapsed  Millis         `json:"elapsed,omitempty"`  // of the pause, until Since
	Approve  bool           `json:"approve,omitempty"`  // somebody has to approve of each step but the last
	Approved bool           `json:"approved,omitempty"` // of this one somebody has
	Halted   bool           `json:"halted,omitempty"`   // somebody has stopped the pause's clock
	// Interrupted is when its runner was stopped by a signal, or ended by itself; nil while it runs, or was killed.
	Interrupted *time.Time `json:"interrupted,omitempty"`
	Reason      string     `json:"reason,omitempty"` // why it is Held
	Args        []string   `json:"args,omitempty"`   // the flags that it goes on with, as name=value
	Request     *Request   `json:"request,omitempty"`
}

// MigrationPhase is what a migration does at its step.
type MigrationPhase string

// The phases of a step.
const (
	StepMoving   MigrationPhase = "Moving"   // to the step's weight
	StepPaused   MigrationPhase = "Paused"   // it is there, and watched
	StepApproval MigrationPhase = "Approval" // its pause is over, and somebody has to approve
	StepHeld     MigrationPhase = "Held"     // its pause has ended without a pass: somebody has to decide
	StepDone     MigrationPhase = "Done"     // it was the last, and is over; never in a record
)

var stepPhases = []MigrationPhase{StepMoving, StepPaused, StepApproval, StepHeld}

// Request is what another terminal wants of whoever runs the migration, who takes it out of the record again.
type Request struct {
	Verb Verb      `json:"verb"`
	By   string    `json:"by"`
	Time time.Time `json:"time"`
	Step int       `json:"step"` // the index of the step that whoever asks has seen
}

// Verb is what can be asked of a migration.
type Verb string

// The verbs.
const (
	VerbPause   Verb = "pause"
	VerbResume  Verb = "resume"
	VerbApprove Verb = "approve"
	VerbAbort   Verb = "abort"
)

// Step is the one it is at.
func (m *Migration) Step() *Step { return &m.Steps[m.Index] }

// Last says whether it is at the last step.
func (m *Migration) Last() bool { return m.Index == len(m.Steps)-1 }

// Place is the step it is at, such as 2/4.
func (m *Migration) Place() string { return fmt.Sprintf("%d/%d", m.Index+1, len(m.Steps)) }

// Command is what a change of its step is called in the history.
func (m *Migration) Command() string { return "migrate (step " + m.Place() + ")" }

// Clone copies what the transitions change.
func (m *Migration) Clone() *Migration {
	if m == nil {
		return nil
	}
	c := *m
	c.Steps = slices.Clone(m.Steps)
	return &c
}

// runs says whether the pause's clock runs.
func (m *Migration) runs() bool { return m.Phase == StepPaused && !m.Halted && m.Interrupted == nil }

// Passed is how much of the pause is over at a time; never more than the pause.
func (m *Migration) Passed(now time.Time) time.Duration {
	passed := m.Elapsed.Duration()
	if m.runs() {
		passed += min(max(0, now.Sub(m.Since)), maxPause)
	}
	return min(passed, m.Step().Pause.Duration())
}

// Over says whether the pause has run to its end.
func (m *Migration) Over(now time.Time) bool {
	return m.runs() && m.Passed(now) >= m.Step().Pause.Duration()
}

// Arrive is the end of the move to the step's weight, and the begin of its pause.
func (m *Migration) Arrive(now time.Time, took time.Duration) {
	m.Phase, m.Since, m.Elapsed, m.Reason = StepPaused, now, 0, ""
	m.Step().Took += MillisOf(took)
}

// stopClock keeps what has passed of the pause.
func (m *Migration) stopClock(now time.Time) {
	m.Elapsed, m.Since = MillisOf(m.Passed(now)), now
	m.Step().Paused = m.Elapsed
}

// Wants says whether it has to wait for an approval before the next step.
func (m *Migration) Wants() bool { return m.Approve && !m.Approved && !m.Last() }

// Waits says whether nothing goes on until somebody approves.
func (m *Migration) Waits() bool { return m.Phase == StepApproval && !m.Approved }

// Await is the wait for an approval; reason says what speaks against it.
func (m *Migration) Await(now time.Time, reason string) {
	m.stopClock(now)
	m.Phase, m.Reason = StepApproval, reason
}

// Hold ends the step without a pass: nothing more happens by itself.
func (m *Migration) Hold(now time.Time, reason string) {
	m.stopClock(now)
	m.Phase, m.Reason = StepHeld, reason
}

// Advance begins the next step; false where there is none, and all is done.
func (m *Migration) Advance(now time.Time) bool {
	m.stopClock(now)
	if m.Last() {
		return false
	}
	m.Index++
	m.Phase, m.Since, m.Elapsed, m.Approved, m.Reason = StepMoving, now, 0, false, ""
	return true
}

// Interrupt is the end of who runs it, at whatever it is.
func (m *Migration) Interrupt(now time.Time) {
	m.stopClock(now)
	m.Interrupted, m.Request = &now, nil
}

// Resume lets somebody go on with it who was not running it; false where nothing is left to do. One that was cut off without
// a word has paused for sure until its lock was last renewed, at alive. What is held is watched for its whole pause again,
// unless somebody has approved.
func (m *Migration) Resume(now, alive time.Time, by string) bool {
	if m.Interrupted == nil {
		m.stopClock(alive)
	}
	m.By, m.Since, m.Interrupted, m.Halted, m.Request = by, now, nil, false, nil
	switch {
	case m.Approved && (m.Phase == StepApproval || m.Phase == StepHeld):
		return m.Advance(now)
	case m.Phase == StepHeld:
		m.Phase, m.Elapsed, m.Reason = StepPaused, 0, ""
	}
	return true
}

// Takes says whether a request makes sense for it now: an approval is of the step that was seen, and of no later one.
func (m *Migration) Takes(q Request) bool {
	return m.Refuses(q.Verb, true) == nil && (q.Verb != VerbApprove || q.Step == m.Index)
}

// Take does what another terminal asks, but for an abort: that is its runner's.
func (m *Migration) Take(v Verb, now time.Time) {
	switch v {
	case VerbPause:
		m.stopClock(now)
		m.Halted = true
	case VerbResume:
		m.Since, m.Halted = now, false
	case VerbApprove:
		m.Approved = true
	case VerbAbort:
	}
}

// Refuses says why a verb makes no sense for it now; nil where it does. running says that somebody runs it.
func (m *Migration) Refuses(v Verb, running bool) error {
	switch {
	case v == VerbApprove && m.Approved:
		return fmt.Errorf("step %s is approved already", m.Place())
	case v == VerbApprove && m.Phase != StepHeld && m.Phase != StepApproval && (!running || !m.Wants()):
		return fmt.Errorf("step %s does not wait for an approval", m.Place())
	case v == VerbApprove || v == VerbAbort:
	case !running:
		return errNotRun
	case v == VerbPause && m.Halted:
		return fmt.Errorf("it is paused already, at step %s", m.Place())
	case v == VerbResume && !m.Halted:
		return fmt.Errorf("it is not paused by anyone, at step %s", m.Place())
	}
	return nil
}

var errNotRun = fmt.Errorf("nobody runs the migration: it was interrupted")

// Joint is where releases that migrate together stand, whose runner may have been killed between two writes: the furthest step
// that was begun, and in it the least that is done.
func Joint(all []*Migration) *Migration {
	return slices.MaxFunc(all, func(a, b *Migration) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index),
			cmp.Compare(slices.Index(stepPhases, b.Phase), slices.Index(stepPhases, a.Phase)), cmp.Compare(b.Elapsed, a.Elapsed))
	}).Clone()
}

// Sane says whether its numbers can be: nothing else in here has to be wary of them.
func (m *Migration) Sane() bool {
	if m == nil {
		return true
	}
	if len(m.Steps) == 0 || len(m.Steps) > maxSteps || m.Index < 0 || m.Index >= len(m.Steps) || !slices.Contains(stepPhases, m.Phase) {
		return false
	}
	spans := []Millis{m.Elapsed}
	for i, s := range m.Steps {
		spans = append(spans, s.Pause, s.Paused)
		if s.Weight == None || i > 0 && s.Weight <= m.Steps[i-1].Weight || s.Took < 0 {
			return false
		}
	}
	return !slices.ContainsFunc(spans, func(s Millis) bool { return s < 0 || s > MillisOf(maxPause) })
}

// Arg returns the values of a recorded flag.
func (m *Migration) Arg(name string) (values []string) {
	for _, a := range m.Args {
		if value, ok := strings.CutPrefix(a, name+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

// Is says whether a request is another one, read back.
func (r *Request) Is(other *Request) bool {
	return r != nil && other != nil && r.Verb == other.Verb && r.By == other.By && r.Time.Equal(other.Time)
}
