package node

import (
	"strings"
	"testing"
	"time"
)

// bake measures how soon a rollback of what was promoted has given all traffic back, in four ways.
func (m *measured) bake(b *testing.B) {
	const times = 3
	a := app{drain: true, ready: 5 * time.Second}
	ns := deploy(b, a)
	promote := func(flags ...string) { moves(b, ns, append([]string{"promote"}, flags...)...) }
	kinds := []struct {
		label   string
		promote func()
		flags   string
	}{
		{"after `promote`", func() { promote() }, ""},
		{"within `promote --bake 10m`", func() {
			bake := startMove(b, ns, "promote", "--bake", "10m")
			for range services {
				bake.until("runs on without traffic until")
			}
		}, ""},
		{"after `promote --keep`", func() { promote("--keep") }, ""},
		{"after `promote`, with `--now`", func() { promote() }, " --now"},
	}
	m.bakes = make([]rolledBack, len(kinds))
	for range times {
		for i, kind := range kinds {
			kind.promote()
			time.Sleep(3 * time.Second)
			old := pods(b, ns, "app")
			o := measure(b, ns, canary("rollback"+kind.flags), target{versions{3, 0}, "v2"}, a.settle())
			started := 0
			for pod := range strings.Lines(pods(b, ns, "app")) {
				if !strings.Contains(old, pod) {
					started++
				}
			}
			m.bakes[i].add(kind.label, o, started)
			say("rollback %s: %s, the last answer of v2 after %s, %d pods started", kind.label, o.report, o.last.Round(time.Millisecond), started)
		}
	}
	m.rest(b, ns)
}

// rolledBack is one way to roll back, several times.
type rolledBack struct {
	label            string
	last, done       []float64 // seconds
	started          []float64 // pods
	requests, failed int
	faulty           string // why one is not valid
}

func (r *rolledBack) add(label string, o outcome, started int) {
	r.label = label
	r.last, r.done = append(r.last, o.last.Seconds()), append(r.done, o.done.Seconds())
	r.started = append(r.started, float64(started))
	r.requests += o.Requests
	r.failed += o.Failed
	if !o.Valid {
		r.faulty = o.Reason
	}
}
