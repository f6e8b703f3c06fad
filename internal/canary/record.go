package canary

import (
	"math"
	"slices"
	"time"
)

// RecordSchema is the version of Record's JSON; a record of another schema is not read.
const RecordSchema = 1

// maxChanges bounds the history, so that a record stays far below what an annotation may hold.
const maxChanges = 20

// Record is what is remembered of a release, as one JSON value in its Lease.
type Record struct {
	Schema   int      `json:"schema"`
	Stable   string   `json:"stable"`
	Canary   string   `json:"canary"`
	Others   []string `json:"others,omitempty"`
	Baseline int      `json:"baseline"`
	Desired  Weight   `json:"desired"`
	Target   Split    `json:"target"` // what Desired becomes in replicas
	Set      Split    `json:"set"`    // the replicas last set
	Move     *Move    `json:"move,omitempty"`
	// Migration is the one that the release is in; whatever else moves the release forgets it.
	Migration *Migration `json:"migration,omitempty"`
	Changes   []Change   `json:"changes,omitempty"` // oldest first
}

// Move is a move that has begun and not ended: its operator is at work, or was cut off.
type Move struct {
	Command string    `json:"command"`
	By      string    `json:"by"`
	Since   time.Time `json:"since"`
	// Baking says that its operator only waits: nothing is written until that is said no more.
	Baking bool `json:"baking,omitempty"`
}

// Change is one entry of the history.
type Change struct {
	Time    time.Time `json:"time"`
	By      string    `json:"by"`
	From    Weight    `json:"from"`
	To      Weight    `json:"to"`
	Before  Split     `json:"before"`
	After   Split     `json:"after"`
	Command string    `json:"command"`
	Reason  string    `json:"reason"`
	Outcome Outcome   `json:"outcome"`
	// Seconds is how long it took, rounded up; 0 where that was not written down.
	Seconds int `json:"seconds,omitempty"`
}

// Outcome is how a move of one release ended.
type Outcome string

// The outcomes.
const (
	Done        Outcome = "Done"        // at the target, and serving
	Unchanged   Outcome = "Unchanged"   // was there already: nothing written
	Restored    Outcome = "Restored"    // put back to where it was
	RolledBack  Outcome = "RolledBack"  // a migration has given its traffic back to stable
	Held        Outcome = "Held"        // stopped where it is
	Undone      Outcome = "Undone"      // was at the target, and somebody else has changed it again
	Interrupted Outcome = "Interrupted" // stopped by a signal
	Refused     Outcome = "Refused"     // nothing written
)

// AtRest says whether the record is of a release that nobody is moving: everything on one side.
func (r *Record) AtRest() bool {
	return r != nil && r.Move == nil && (r.Set.Stable == 0 || r.Set.Canary == 0)
}

// Sane says whether its numbers can be: counts that a Deployment can have, of which nothing else in here has to be wary. Its
// migration is asked by itself.
func (r *Record) Sane() bool {
	splits := []Split{r.Target, r.Set}
	for _, c := range r.Changes {
		splits = append(splits, c.Before, c.After)
	}
	return r.Schema == RecordSchema && possible(r.Baseline) && !slices.ContainsFunc(splits, func(s Split) bool {
		return !possible(s.Stable) || !possible(s.Canary)
	})
}

func possible(replicas int) bool { return replicas >= 0 && replicas <= math.MaxInt32 }

// Knows says whether the version was there when the record was written.
func (r *Record) Knows(version string) bool {
	if version == r.Stable || version == r.Canary {
		return true
	}
	for _, o := range r.Others {
		if o == version {
			return true
		}
	}
	return false
}

// Ended says whether the last move got to its end.
func (r *Record) Ended() bool {
	return r != nil && r.Move == nil && r.Last() != nil && r.Last().Outcome == Done
}

// Last returns the newest change, nil when there is none.
func (r *Record) Last() *Change {
	if r == nil || len(r.Changes) == 0 {
		return nil
	}
	return &r.Changes[len(r.Changes)-1]
}

// Begin is the record of a release whose move to the target begins now. What was recorded before stays as it was but for
// what the move is after, so that a move that is cut off can be told from what it leaves.
func (r *Release) Begin(t Target, command, by string, now time.Time) Record {
	rec := Record{
		Schema: RecordSchema, Stable: r.Stable.Name, Canary: r.Canary.Name,
		Baseline: t.Baseline, Desired: t.Weight, Target: t.Split, Set: r.Replicas(),
		Move: &Move{Command: command, By: by, Since: now},
	}
	for _, o := range r.Others {
		rec.Others = append(rec.Others, o.Name)
	}
	if r.Lease.Record != nil {
		rec.Changes = r.Lease.Record.Changes
	}
	return rec
}

// End is the record after the move that began at before has ended: where both sides stand now, and one change more in
// the history, of what is not dark. What was put back is as before the move, in the record too.
func (r *Record) End(before, after *Release, outcome Outcome, reason string, now time.Time) Record {
	from, _ := Share(before.Lit().Canary, before.Lit().Total()+before.OthersServing())
	end := *r
	end.Set, end.Move = after.Replicas(), nil
	if outcome == Restored {
		end.Desired, end.Target = from, before.Replicas()
		if old := before.Record; old != nil {
			end.Baseline, end.Desired, end.Target = old.Baseline, old.Desired, old.Target
		}
	}
	end.Changes = append(slices.Clone(r.Changes), Change{
		Time: now, By: r.Move.By, From: from, To: r.Desired,
		Before: before.Lit(), After: after.Lit(), Command: r.Move.Command, Reason: reason, Outcome: outcome,
		Seconds: int((now.Sub(r.Move.Since) + time.Second - 1) / time.Second),
	})
	end.Changes = end.Changes[max(0, len(end.Changes)-maxChanges):]
	return end
}
