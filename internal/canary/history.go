package canary

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Source is where a change of the history is known from.
type Source string

// The sources.
const (
	FromLease Source = "Lease" // the release's record
	FromEvent Source = "Event" // an Event on its Service: the weights are what the replicas give, and what else it lacks is not known
)

// Entry is one change in the history of a namespace.
type Entry struct {
	Release string
	Change
	Source Source
}

// Notice is an Event that was written of a change.
type Notice struct {
	Release string // the Service that it is on
	Reason  string
	Message string
	At      time.Time
}

// noticePrefix begins the Reason of a Notice; the outcome ends it.
const noticePrefix = "Canary"

// NoticeOf is the Event of a change; stable and second are the versions' names.
func NoticeOf(release string, c Change, stable, second string) Notice {
	return Notice{Release: release, Reason: noticePrefix + string(c.Outcome), At: c.Time,
		Message: fmt.Sprintf("%s by %s: %s to %s (stable %s/canary %s)", c.Command, c.By, c.Before, c.After, stable, second)}
}

var noticeMessage = regexp.MustCompile(`^(.*?) by (.*): (\d+/\d+) to (\d+/\d+) \(stable .*/canary .*\)$`)

// entry reads a notice back; false for an Event that is of no change.
func (n Notice) entry() (Entry, bool) {
	found := noticeMessage.FindStringSubmatch(n.Message)
	outcome, ours := strings.CutPrefix(n.Reason, noticePrefix)
	if found == nil || !ours || outcome == "" {
		return Entry{}, false
	}
	c := Change{Time: n.At, Command: found[1], By: found[2], Outcome: Outcome(outcome)}
	if _, err := fmt.Sscanf(found[3]+" "+found[4], "%d/%d %d/%d", &c.Before.Stable, &c.Before.Canary, &c.After.Stable, &c.After.Canary); err != nil {
		return Entry{}, false
	}
	c.From, _ = Share(c.Before.Canary, c.Before.Total())
	c.To, _ = Share(c.After.Canary, c.After.Total())
	return Entry{Release: n.Release, Change: c, Source: FromEvent}, true
}

// How long before an Event, and at most after it, the change that it is of was recorded.
const (
	noticeLag  = time.Minute
	noticeLead = 2 * time.Second
)

// History is what the records of releases hold, and what Events tell beside that: what is older, or was done by who might not
// write a record. It is in order of time, oldest first.
func History(leases map[string]Lease, notices []Notice) []Entry {
	var all, told []Entry
	for release, l := range leases {
		if l.Record != nil {
			for _, c := range l.Record.Changes {
				all = append(all, Entry{Release: release, Change: c, Source: FromLease})
			}
		}
	}
	for _, n := range notices {
		if e, ok := n.entry(); ok {
			told = append(told, e)
		}
	}
	inOrder(all)
	inOrder(told)
	recorded := slices.Clone(all)
	for _, e := range told {
		same := slices.IndexFunc(recorded, func(r Entry) bool {
			lag := e.Time.Sub(r.Time)
			return r.Release == e.Release && r.Command == e.Command && r.By == e.By && r.Outcome == e.Outcome &&
				r.Before == e.Before && r.After == e.After && lag < noticeLag && lag > -noticeLead
		})
		if same < 0 {
			all = append(all, e)
		} else {
			recorded = slices.Delete(recorded, same, same+1)
		}
	}
	inOrder(all)
	return all
}

// inOrder sorts by time, and within a second, as one move of several releases ends, by name.
func inOrder(all []Entry) {
	second := func(e Entry) time.Time { return e.Time.Truncate(time.Second) }
	slices.SortStableFunc(all, func(a, b Entry) int {
		return cmp.Or(second(a).Compare(second(b)), cmp.Compare(a.Release, b.Release), a.Time.Compare(b.Time))
	})
}
