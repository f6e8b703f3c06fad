package canary

import "fmt"

// Drifted says that somebody else has set replicas: while the release was between 0 and 100 %, or right after a move. What
// rides on top of an unchanged serving side at rest is a new canary, not drift. While a move is unfinished, anything between
// its two ends is its own.
func (r *Release) Drifted() bool {
	if r.Record == nil || r.Stable == nil {
		return false
	}
	now, set := r.Replicas(), r.Record.Set
	switch {
	case r.Record.undone():
		return now != set
	case now.Stable == 0 || now.Canary == 0:
		return false
	case r.Record.Move != nil:
		to := r.Record.Target
		return outside(now.Stable, set.Stable, to.Stable) || outside(now.Canary, set.Canary, to.Canary)
	case r.Record.AtRest():
		return now.Stable != set.Stable && now.Canary != set.Canary
	}
	return now != set
}

func outside(n, a, b int) bool { return n < min(a, b) || n > max(a, b) }

// undone says that the last move got to its target, and somebody else has changed it again under its eyes.
func (r *Record) undone() bool {
	return r.Move == nil && r.Last() != nil && r.Last().Outcome == Undone
}

// drifter is who has set the replicas that are not as recorded; empty where all are, or nothing is known of it.
func (s *Snapshot) drifter(r *Release) (found Actor, by Writer) {
	if !r.Drifted() {
		return found, by
	}
	for _, side := range []struct {
		version *Version
		set     int
	}{{r.Stable, r.Record.Set.Stable}, {r.Canary, r.Record.Set.Canary}} {
		d := &side.version.Deployment
		actor, known := s.ActorOf(d)
		if known && d.Replicas != side.set && (found.Name == "" || d.Writer.At.After(by.At)) {
			found, by = actor, d.Writer
		}
	}
	return found, by
}

// drift tells of a drift in a clause: what was set, and who has made what of it.
func (r *Release) drift() string {
	who := "somebody else"
	if r.Drifter.Name != "" {
		who = r.Drifter.Name
	}
	return fmt.Sprintf("set to %s (stable/canary), and %s has made them %s", r.Record.Set, who, r.Replicas())
}

func (r *Release) driftProblem() Problem {
	p := Problem{
		Code: CodeDrifted, Severity: Warning, Object: "Service/" + r.Name, Since: r.DriftedAt,
		Message: "replicas of " + r.Name + " were " + r.drift(),
		Next:    append(append([]string{}, r.Drifter.Next...), "canary rollback "+r.Name),
	}
	if r.Drifter.Fix != "" {
		p.Message += "; " + r.Drifter.Fix
	}
	return p
}
