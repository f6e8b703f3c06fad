package canary

import (
	"fmt"
	"strings"
	"time"
)

// Step is one step of a migration: a weight, and how long it stays there before the next.
type Step struct {
	Weight Weight `json:"weight"`
	Pause  Millis `json:"pause,omitempty"`

	// What has come of it. Reached is nil until it was there.
	Reached *Weight `json:"reached,omitempty"`
	Took    Millis  `json:"took,omitempty"`   // to move there
	Paused  Millis  `json:"paused,omitempty"` // so far
}

// Millis is a duration in milliseconds, as JSON has it.
type Millis int64

// MillisOf cuts off what is less than a millisecond.
func MillisOf(d time.Duration) Millis { return Millis(d.Milliseconds()) }

// Duration is what it says in Go's own unit.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// The bounds of a schedule: more steps than percents are a typo, and so is a pause of more than a month.
const (
	maxSteps = 100
	maxPause = 31 * 24 * time.Hour
)

// ParseSteps reads a schedule such as "25,50,75,100" or "25@10m,50@30m,100": weights that rise, each with the pause after it.
// A step without one has the given pause, but the last has none. The schedule ends at the weight to.
func ParseSteps(s string, pause time.Duration, to Weight) ([]Step, error) {
	if err := checkPause(pause); err != nil {
		return nil, err
	}
	if to == None {
		return nil, fmt.Errorf("a migration cannot end at 0%%: want more")
	}
	var steps []Step
	for _, word := range strings.Split(s, ",") {
		weight, after, given := strings.Cut(strings.TrimSpace(word), "@")
		step := Step{Pause: -1}
		var err error
		if step.Weight, err = ParseWeight(weight); err != nil || step.Weight == None {
			return nil, fmt.Errorf("invalid step %q: want a weight above 0 and up to 100, and at most two decimals, such as 25 or 25@10m", word)
		}
		if given {
			d, err := time.ParseDuration(after)
			if err == nil {
				err = checkPause(d)
			}
			if err != nil {
				return nil, fmt.Errorf("invalid pause in step %q: want a duration such as 10m, up to %s", word, maxPause)
			}
			step.Pause = MillisOf(d)
		}
		if n := len(steps); n > 0 && step.Weight <= steps[n-1].Weight {
			return nil, fmt.Errorf("step %s%% comes after %s%%: weights must rise", step.Weight, steps[n-1].Weight)
		}
		steps = append(steps, step)
	}
	if steps = upTo(steps, to); len(steps) > maxSteps {
		return nil, fmt.Errorf("%d steps: at most %d", len(steps), maxSteps)
	}
	for i := range steps {
		if steps[i].Pause < 0 {
			steps[i].Pause = MillisOf(pause)
			if i == len(steps)-1 {
				steps[i].Pause = 0
			}
		}
	}
	return steps, nil
}

// upTo ends a schedule at a weight, which becomes a step of its own where it lies between two.
func upTo(steps []Step, to Weight) []Step {
	for i, s := range steps {
		if s.Weight == to {
			return steps[:i+1]
		}
		if s.Weight > to {
			return append(steps[:i:i], Step{Weight: to, Pause: -1})
		}
	}
	return steps
}

func checkPause(d time.Duration) error {
	if d < 0 || d > maxPause {
		return fmt.Errorf("invalid pause %s: want 0 to %s", d, maxPause)
	}
	return nil
}

// Pauses is how long all pauses of a schedule take together.
func Pauses(steps []Step) time.Duration {
	var sum time.Duration
	for _, s := range steps {
		sum += s.Pause.Duration()
	}
	return sum
}

// Same says whether two schedules ask for the same.
func Same(a, b []Step) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Weight != b[i].Weight || a[i].Pause != b[i].Pause {
			return false
		}
	}
	return true
}

// Schedule writes the steps as ParseSteps reads them, each with its pause.
func Schedule(steps []Step) string {
	words := make([]string, len(steps))
	for i, s := range steps {
		words[i] = s.Weight.String()
		if s.Pause > 0 {
			words[i] += "@" + s.Pause.Duration().String()
		}
	}
	return strings.Join(words, ",")
}

// FirstStep is the step at which releases begin that stand at a share now: the first that would not take any of it away.
func FirstStep(steps []Step, at Weight) int {
	for i, s := range steps {
		if s.Weight >= at {
			return i
		}
	}
	return len(steps) - 1
}

// LitShare is the canary's share of the replicas, without dark ones.
func (r *Release) LitShare() Weight {
	lit := r.Lit()
	share, _ := Share(lit.Canary, lit.Total()+r.OthersServing())
	return share
}

// Onward is the target of a step: a release that is beyond it already stays where it is, for a migration takes nothing away
// from the canary.
func (r *Release) Onward(t Target) Target {
	at := r.LitShare()
	if at <= t.Weight || at <= t.Reach {
		return t
	}
	return Target{Split: r.Lit(), Weight: at, Reach: at, Baseline: t.Baseline}
}
