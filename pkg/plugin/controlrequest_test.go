package plugin

import (
	"errors"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// A request that nobody has taken yet is not written over, but by an abort and by the same once more.
func TestRequestsDoNotReplaceEachOther(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration, verb canary.Verb) canary.Lease {
		return canary.Lease{Holder: "jane", Record: &canary.Record{Migration: &canary.Migration{
			Steps: []canary.Step{{Weight: 2500}, {Weight: canary.Full}}, Phase: canary.StepApproval, Approve: true,
			Request: &canary.Request{Verb: verb, By: "joe", Time: now.Add(-ago)},
		}}}
	}
	for _, test := range []struct {
		there, verb canary.Verb
		ago         time.Duration
		want        string
	}{
		{canary.VerbAbort, canary.VerbPause, time.Second, "abort, says joe, is not taken yet: try again in a moment"},
		{canary.VerbAbort, canary.VerbPause, time.Hour, "abort, says joe, is not taken yet: try again in a moment"},
		{canary.VerbAbort, canary.VerbAbort, time.Second, ""},
		{canary.VerbPause, canary.VerbAbort, time.Second, ""},
		{canary.VerbPause, canary.VerbApprove, time.Second, "pause, says joe, is not taken yet: try again in a moment"},
		{canary.VerbPause, canary.VerbApprove, time.Hour, ""},
		{canary.VerbPause, canary.VerbResume, time.Hour, "it is not paused by anyone, at step 1/2"},
	} {
		o := controlOptions{verb: test.verb}
		record, err := o.amend(canary.Request{Verb: test.verb, By: "jane", Time: now}, true)(at(test.ago, test.there))
		if got := said(err); got != test.want || err == nil && record.Migration.Request.By != "jane" {
			t.Errorf("%s after %s: %q, %+v", test.verb, test.there, got, record)
		}
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A request is taken when its runner has taken it, not when the runner has gone.
func TestTaken(t *testing.T) {
	q := canary.Request{Verb: canary.VerbPause, By: "jane", Time: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	lease := func(holder string, m *canary.Migration) canary.Lease {
		return canary.Lease{Holder: holder, Record: &canary.Record{Migration: m}}
	}
	for name, test := range map[string]struct {
		lease canary.Lease
		verb  canary.Verb
		done  bool
		want  error
	}{
		"it is there":               {lease("joe", &canary.Migration{Request: &q}), canary.VerbPause, false, nil},
		"it was taken":              {lease("joe", &canary.Migration{}), canary.VerbPause, true, nil},
		"the runner has gone":       {lease("", &canary.Migration{}), canary.VerbPause, true, errEnded},
		"gone before an abort":      {lease("", &canary.Migration{}), canary.VerbAbort, true, errEnded},
		"the end of the migration":  {lease("joe", nil), canary.VerbPause, true, errEnded},
		"on its way back to stable": {lease("joe", nil), canary.VerbAbort, true, nil},
	} {
		q.Verb = test.verb
		if done, err := taken(test.lease, q); done != test.done || !errors.Is(err, test.want) {
			t.Errorf("%s: %t, %v", name, done, err)
		}
	}
}
