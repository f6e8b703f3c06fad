package canary

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func changed(at time.Time, command, by string, before, after Split, outcome Outcome) Change {
	return Change{Time: at, Command: command, By: by, Before: before, After: after, Outcome: outcome, Reason: "why"}
}

// What the record holds is told once, and Events tell what it does not hold: what is older, and what others did.
func TestHistory(t *testing.T) {
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	shift := changed(at(0), "shift --to 50", "ann", Split{3, 1}, Split{2, 2}, Done)
	again := changed(at(10), "shift --to 50", "ann", Split{3, 1}, Split{2, 2}, Done)
	promote := changed(at(3), "promote", "bob", Split{2, 2}, Split{0, 3}, Done)
	old := changed(at(-60), "promote", "ann", Split{3, 1}, Split{3, 1}, Restored)
	notice := func(release string, c Change, lag time.Duration) Notice {
		n := NoticeOf(release, c, "v1", "v2")
		n.At = c.Time.Add(lag)
		return n
	}
	leases := map[string]Lease{
		"auth": {Record: &Record{Changes: []Change{shift, promote, again}}},
		"chat": {Record: &Record{Changes: []Change{shift}}},
		"none": {},
	}
	got := History(leases, []Notice{
		notice("auth", again, time.Second), notice("auth", shift, -time.Second), notice("auth", old, 0), notice("chat", shift, time.Second),
		notice("users", promote, 0),             // nobody has recorded it
		notice("auth", promote, 2*noticeLag),    // another of the same kind, later
		{Release: "auth", Reason: "CanaryDone"}, // says nothing
		{Release: "auth", Reason: "Other", At: at(0), Message: NoticeOf("auth", shift, "v1", "v2").Message},
	})
	var lines []string
	for _, e := range got {
		lines = append(lines, fmt.Sprintf("%s %s %s by %s: %s%% to %s%%, %s to %s, %s, %q, %s", e.Time.Format("15:04"), e.Release, e.Command, e.By, e.From, e.To, e.Before, e.After, e.Outcome, e.Reason, e.Source))
	}
	want := []string{
		`11:00 auth promote by ann: 25% to 25%, 3/1 to 3/1, Restored, "", Event`,
		`12:00 auth shift --to 50 by ann: 0% to 0%, 3/1 to 2/2, Done, "why", Lease`,
		`12:00 chat shift --to 50 by ann: 0% to 0%, 3/1 to 2/2, Done, "why", Lease`,
		`12:03 auth promote by bob: 0% to 0%, 2/2 to 0/3, Done, "why", Lease`,
		`12:03 users promote by bob: 50% to 100%, 2/2 to 0/3, Done, "", Event`,
		`12:05 auth promote by bob: 50% to 100%, 2/2 to 0/3, Done, "", Event`,
		`12:10 auth shift --to 50 by ann: 0% to 0%, 3/1 to 2/2, Done, "why", Lease`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An Event is of one change: of two alike that are close, where one was not recorded, both are told.
func TestHistoryOfTwoAlike(t *testing.T) {
	c := changed(noon, "rollback", "ann", Split{3, 1}, Split{3, 0}, Done)
	n := NoticeOf("auth", c, "v1", "v2")
	if got := History(map[string]Lease{"auth": {Record: &Record{Changes: []Change{c}}}}, []Notice{n, n}); len(got) != 2 || !slices.ContainsFunc(got, func(e Entry) bool { return e.Source == FromEvent }) {
		t.Errorf("got %+v", got)
	}
}
