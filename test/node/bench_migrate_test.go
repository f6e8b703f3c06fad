package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
)

// blind is what scripts do: each step and a sleep, whatever becomes of the canary.
var blind = strings.Join([]string{inTurn("v2=1", "v1=3"), inTurn("v2=2", "v1=2"), inTurn("v2=3", "v1=1"), inTurn("v2=3", "v1=0")}, "\nsleep 20\n")

// stopped is what a sick canary has cost its callers before it was stopped, if it was.
type stopped struct {
	canary, way string
	slow        bool
	migration
}

// migrate lets sick canaries of chat take over, by a script and with gates.
func (m *measured) migrate(b *testing.B) {
	for _, sick := range []struct{ name, label, variable, bound string }{
		{"errors", "one of 20 answers is a 500", "ERROR_RATE=0.05", "--max-error-rate=1%"},
		{"slow", "answers take 200 ms more", "LATENCY=200ms", "--max-latency=p99=150ms"},
	} {
		for _, way := range []struct {
			name, label string
			gates       []string
		}{
			{"scale", "`kubectl scale`", nil},
			{"scrape", "`migrate --scrape`", []string{"--scrape"}},
			{"probe", "`migrate --probe /`", []string{"--probe", "/"}},
			{"prometheus", "`migrate --prometheus URL`", []string{"--prometheus", prometheusURL}},
		} {
			b.Run(sick.name+"/"+way.name, func(b *testing.B) {
				ns := deploy(b, app{alone: true, graceful: true, sick: map[string]string{"chat-v2": sick.variable}})
				startPrometheus(b, ns)
				command := []string{"sh", "-ec", blind, "sh", ns}
				if way.gates != nil {
					command = migrateBy(ns, append(way.gates, sick.bound)...)
				}
				s := stopped{sick.label, way.label, sick.name == "slow", underLoad(b, ns, command...)}
				m.stopped = append(m.stopped, s)
				n, share, first, last := s.bad(s.slow)
				say("%s, %s: at %s after %s, %d bad answers, %.2f %%, for %s", s.canary, s.way, s.at, s.took, n, 100*share, last.Sub(first))
			})
		}
	}
}

// gates is the table of sick canaries, empty without one.
func (m *measured) gates() string {
	if len(m.stopped) == 0 {
		return ""
	}
	var out strings.Builder
	for _, s := range m.stopped {
		if s.invalid != "" {
			fmt.Fprintf(&out, "**This run is not valid**: %s, %s: %s.\n\n", s.canary, s.way, s.invalid)
		}
	}
	table := markdown.NewTable(&out, "canary of chat", "by", "ends at", "after", "requests of all services", "bad answers", "from the first to the last")
	for _, s := range m.stopped {
		n, share, first, last := s.bad(s.slow)
		requests, _ := s.loads.sum()
		table.Row(s.canary, s.way, s.at, fmt.Sprintf("%.0f s", s.took.Seconds()), fmt.Sprint(requests),
			fmt.Sprintf("%d (%.2f %%)", n, 100*share), fmt.Sprintf("%.1f s", last.Sub(first).Seconds()))
	}
	return out.String()
}

// What the table says is of chat's canary, and the share is of all requests.
func TestGates(t *testing.T) {
	at := time.Unix(1000, 0)
	v2 := answers{Requests: 80, Failed: 4, First: at, FirstFailure: at.Add(time.Second), LastFailure: at.Add(3500 * time.Millisecond), Last: at.Add(9 * time.Second)}
	loads := reports{
		"chat": {Requests: 300, Failed: 4, Versions: map[string]answers{"v1": {Requests: 220}, "v2": v2}},
		"auth": {Requests: 500, Versions: map[string]answers{"v2": {Requests: 200}}},
	}
	ends := migration{took: 20 * time.Second, at: "3/0", loads: loads}
	m := measured{stopped: []stopped{{"fails", "scale", false, ends}, {"slow", "migrate", true, ends}}}
	const want = "| fails | scale | 3/0 | 20 s | 800 | 4 (0.50 %) | 2.5 s |\n| slow | migrate | 3/0 | 20 s | 800 | 80 (10.00 %) | 9.0 s |\n"
	if got := m.gates(); !strings.HasSuffix(got, want) || strings.Contains(got, "not valid") {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	m.stopped[0].invalid = "chat: too busy"
	if got := m.gates(); !strings.Contains(got, "fails, scale: chat: too busy.") {
		t.Error(got)
	}
}
