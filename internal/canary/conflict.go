package canary

import (
	"fmt"
	"time"
)

// ConflictError says that somebody else was faster: a Deployment is not as it was when the move was planned, or the
// lock of its release was taken.
type ConflictError struct {
	Deployment  string
	Want, Found int  // replicas; Found is negative where they could not be read
	Gone        bool // deleted
	Replaced    bool // deleted and created anew
	Writer
	Actor Actor     // the writer as a user knows it; empty where nothing is known
	Seen  time.Time // when it was noticed: the server does not always tell when it happened
}

// Problem is the conflict for programs, with what makes the other writer leave the replicas alone.
func (e *ConflictError) Problem() Problem {
	p := Problem{Code: CodeConflict, Severity: Error, Object: "Deployment/" + e.Deployment, Message: e.Error(), Since: e.when(), Next: e.Actor.Next}
	if e.Actor.Fix != "" {
		p.Message += "; " + e.Actor.Fix
	}
	return p
}

func (e *ConflictError) when() time.Time {
	if e.At.IsZero() {
		return e.Seen
	}
	return e.At
}

func (e *ConflictError) Error() string {
	switch {
	case e.Gone:
		return fmt.Sprintf("deployment %q was deleted meanwhile", e.Deployment)
	case e.Found < 0:
		return fmt.Sprintf("replicas of deployment %q are no longer %d: somebody else changed them meanwhile", e.Deployment, e.Want)
	case e.Replaced:
		return fmt.Sprintf("deployment %q was deleted and created again meanwhile%s", e.Deployment, e.by())
	}
	return fmt.Sprintf("replicas of deployment %q were changed from %d to %d meanwhile%s", e.Deployment, e.Want, e.Found, e.by())
}

// by names the writer, first as a user knows it, and says when.
func (e *ConflictError) by() string {
	if e.Manager == "" {
		return "; its managed fields do not say by whom"
	}
	manager := oneLine(e.Manager)
	s := " by " + manager
	if e.Actor.Name != "" && e.Actor.Name != manager {
		s = " by " + e.Actor.Name + ", as " + manager
	}
	s += " (" + e.Operation
	if e.Subresource != "" {
		s += ", subresource " + e.Subresource
	}
	s += ")"
	switch {
	case !e.At.IsZero():
		s += " at " + e.At.UTC().Format(time.RFC3339)
	case !e.Seen.IsZero():
		s += ", seen at " + e.Seen.UTC().Format(time.RFC3339)
	}
	return s
}

// LockedError says that another operator moves the release, or has taken its lock over.
type LockedError struct {
	Release string
	Holder  string
	Command string        // empty where nothing is recorded
	Age     time.Duration // of the other's move
	Left    time.Duration // until the lock runs out, unless it is renewed
	Lost    bool          // the lock was ours and was taken over
}

// LockedBy is the error for whoever finds a release locked.
func (l Lease) LockedBy(release string, now time.Time) *LockedError {
	e := &LockedError{Release: release, Holder: oneLine(l.Holder), Age: now.Sub(l.Since), Left: l.Until.Sub(now)}
	switch r := l.Record; {
	case r != nil && r.Move != nil:
		e.Command = oneLine(r.Move.Command)
	case r != nil && r.Migration != nil:
		e.Command = r.Migration.Command()
	}
	return e
}

func (e *LockedError) Error() string {
	what := "is being moved by " + e.Holder
	if e.Lost {
		what = "was taken over by " + e.Holder
	}
	if e.Holder == "" {
		what = "was moved by another operator meanwhile: run the command again"
	}
	s := fmt.Sprintf("release %q %s", e.Release, what)
	if e.Command != "" {
		s += fmt.Sprintf(" (`%s`, for %s)", e.Command, e.Age.Round(time.Second))
	}
	if e.Left > 0 && !e.Lost {
		s += fmt.Sprintf("; if that command is gone, its lock runs out in %s, and a rollback need not wait", e.Left.Round(time.Second))
	}
	return s
}
