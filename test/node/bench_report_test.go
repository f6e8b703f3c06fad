package node

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// measured is all that BenchmarkTraffic has found.
type measured struct {
	moves []moved
	bakes []rolledBack
	quiet []report // loads without a move, one after each series of moves
}

type moved struct {
	move, app, way string
	outcome
}

// traffic is the table of the moves, empty without one.
func (m *measured) traffic(t testing.TB) string {
	if len(m.moves) == 0 {
		return ""
	}
	var out strings.Builder
	out.WriteString(m.verdict())
	fmt.Fprintf(&out, "`make bench-traffic`: %s, %s; %s\n\n", strings.TrimSpace(runs(t, "", "kubectl", "canary", "version")),
		runs(t, "", "kubectl", "get", "nodes", "-o", "jsonpath=Kubernetes {.items[0].status.nodeInfo.kubeletVersion}"), markdown.Machine())
	table := markdown.NewTable(&out, "move", "app", "by", "requests", "failed", "longest outage", "ready endpoints, at least", "done after", "last answer of the old version")
	seconds := func(s float64) string { return fmt.Sprintf("%.1f s", s) }
	for _, move := range []string{"promote", "rollback", "gradual"} {
		for _, o := range m.moves {
			if o.move == move {
				table.Row(o.move, o.app, o.way, strconv.Itoa(o.Requests), lost(o.Failed, o.Requests), fmt.Sprintf("%.2f s", o.LongestOutage),
					strconv.Itoa(o.least), seconds(o.done.Seconds()), seconds(o.last.Seconds()))
			}
		}
	}
	requests, failed, outage := 0, 0, 0.0
	for _, r := range m.quiet {
		requests, failed, outage = requests+r.Requests, failed+r.Failed, max(outage, r.LongestOutage)
	}
	table.Row("none", "all", "none", strconv.Itoa(requests), lost(failed, requests), fmt.Sprintf("%.2f s", outage), "", "", "")
	return out.String()
}

// rollbacks is the table of the rollbacks from promoted, empty without one.
func (m *measured) rollbacks() string {
	if len(m.bakes) == 0 {
		return ""
	}
	var out strings.Builder
	out.WriteString(m.verdict())
	table := markdown.NewTable(&out, "`kubectl canary rollback`", "last answer of v2", "done after", "pods started", "requests", "failed")
	for _, r := range m.bakes {
		table.Row(r.label, markdown.Summary(r.last).In("s"), markdown.Summary(r.done).In("s"), fmt.Sprint(markdown.Summary(r.started).Median),
			strconv.Itoa(r.requests), lost(r.failed, r.requests))
	}
	return out.String()
}

// verdict says what makes the run one to draw no conclusions from, and is empty where it is sound.
func (m *measured) verdict() string {
	var why []string
	for _, r := range m.quiet {
		if r.Failed > 0 {
			why = append(why, fmt.Sprintf("%d requests were lost without a move", r.Failed))
		}
		if !r.Valid {
			why = append(why, "without a move, "+r.Reason)
		}
	}
	for _, o := range m.moves {
		if !o.Valid {
			why = append(why, fmt.Sprintf("%s, %s, %s: %s", o.move, o.app, o.way, o.Reason))
		}
	}
	for _, r := range m.bakes {
		if r.faulty != "" {
			why = append(why, r.label+": "+r.faulty)
		}
	}
	if len(m.quiet) == 0 {
		why = append(why, "there was no load without a move")
	}
	if len(why) == 0 {
		return ""
	}
	return "**This run is not valid**: " + strings.Join(why, "; ") + ".\n\n"
}

// What cannot be trusted says so, whether it is the control that lost something or the load that was not sent.
func TestVerdict(t *testing.T) {
	good, lossy, busy := report{Valid: true, Requests: 2000}, report{Valid: true, Requests: 2000, Failed: 2}, report{Reason: "too busy", Requests: 7}
	for _, c := range []struct {
		measured
		want string
	}{
		{measured{quiet: []report{good, good}}, ""},
		{measured{}, "there was no load without a move"},
		{measured{quiet: []report{good, lossy}}, "2 requests were lost without a move"},
		{measured{quiet: []report{busy}}, "without a move, too busy"},
		{measured{quiet: []report{good}, moves: []moved{{"promote", "app", "way", outcome{report: busy}}}}, "promote, app, way: too busy"},
		{measured{quiet: []report{good}, bakes: []rolledBack{{label: "plain", faulty: "too busy"}}}, "plain: too busy"},
	} {
		if c.want != "" {
			c.want = "**This run is not valid**: " + c.want + ".\n\n"
		}
		if got := c.verdict(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func lost(failed, requests int) string {
	if failed == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.2f %%)", failed, 100*float64(failed)/float64(requests))
}
