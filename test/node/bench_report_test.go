package node

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// measured is all that BenchmarkTraffic has found.
type measured struct {
	moves   []moved
	bakes   []rolledBack
	stopped []stopped
	quiet   []report // loads without a move, one after each series of moves
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
	table := markdown.NewTable(&out, "move, app", "by", "requests", "failed", "longest outage", "ready endpoints, at least", "done after", "last answer of the old version")
	seconds := func(s float64) string { return fmt.Sprintf("%.1f s", s) }
	for _, move := range []string{"promote", "rollback", "gradual"} {
		for _, o := range m.moves {
			if o.move == move {
				table.Row(o.move+", "+o.app, o.way, strconv.Itoa(o.Requests), lost(o.Failed, o.Requests), fmt.Sprintf("%.2f s", o.LongestOutage),
					strconv.Itoa(o.least), seconds(o.done.Seconds()), seconds(o.last.Seconds()))
			}
		}
	}
	requests, failed := m.control()
	table.Row("no move", "", requests, failed, "", "", "", "")
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
	requests, failed := m.control()
	table.Row("no rollback", "", "", "", requests, failed)
	return out.String()
}

// control sums up the loads without a move, as the cells of a table.
func (m *measured) control() (requests, failed string) {
	sum, bad := 0, 0
	for _, r := range m.quiet {
		sum, bad = sum+r.Requests, bad+r.Failed
	}
	return strconv.Itoa(sum), lost(bad, sum)
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

func TestRollbacks(t *testing.T) {
	m := measured{quiet: []report{{Valid: true, Requests: 2000}, {Valid: true, Requests: 1000}}, bakes: make([]rolledBack, 1)}
	for i, last := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} {
		m.bakes[0].add("plain", outcome{report: report{Valid: true, Requests: 500, Failed: i}, last: last, done: 2 * last}, 12)
	}
	const want = "| plain | 2.00 s (1.00–3.00) | 4.00 s (2.00–6.00) | 12 | 1500 | 3 (0.20 %) |\n| no rollback |  |  |  | 3000 | 0 |\n"
	if got := m.rollbacks(); !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func lost(failed, requests int) string {
	if failed == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.2f %%)", failed, 100*float64(failed)/float64(requests))
}
