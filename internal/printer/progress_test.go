package printer

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// everyEvent is one event of each kind, as a move that fails would tell them.
func everyEvent(r *canary.Release, p *canary.Problem) []canary.Event {
	return []canary.Event{
		{Release: r.Name, Kind: canary.Raised, Version: r.Canary.Name, Deployment: r.Canary.Deployment.Name, From: 1, To: 2},
		{Release: r.Name, Kind: canary.Serves, Now: r},
		{Release: r.Name, Kind: canary.Trouble, Problem: p},
		{Release: r.Name, Kind: canary.Ready},
		{Release: r.Name, Kind: canary.Restoring},
		{Release: r.Name, Kind: canary.Lowered, Version: r.Canary.Name, Deployment: r.Canary.Deployment.Name, From: 2, To: 1},
	}
}

// Where the output is no terminal there is a line for each event, and none for time that passes.
func TestProgressLines(t *testing.T) {
	for name, style := range map[string]Style{"progress": {Unicode: true}, "progress-ascii": {}} {
		var out strings.Builder
		p := &Progress{Out: &out, Style: style}
		chat := messenger()[1].Release
		p.Begin([]canary.Release{messenger()[0].Release, chat}, noon)
		for _, e := range everyEvent(&chat, &crashing) {
			p.Handle(e)
			p.Tick(noon.Add(time.Hour), silence-1)
		}
		golden(t, name, out.String())
	}
}

// In place there is one line for each release, which says what it waits for and how long it has.
func TestProgressBlock(t *testing.T) {
	var out strings.Builder
	p := &Progress{Out: &out, Style: Style{Unicode: true}, Block: &Block{Out: &out, Size: func() (int, int) { return 120, 24 }}}
	chat := messenger()[1].Release
	p.Begin([]canary.Release{messenger()[0].Release, chat}, noon)
	var screens []string
	for i, e := range everyEvent(&chat, &crashing) {
		p.Tick(noon.Add(time.Duration(i)*time.Second), 0)
		p.Handle(e)
		screens = append(screens, string(e.Kind)+":\n"+screen(out.String()))
	}
	golden(t, "progress-block", strings.Join(screens, "\n"))
}

// A server that does not answer is told of, and that it does again.
func TestProgressOfAnOutage(t *testing.T) {
	chat := messenger()[1].Release
	silent := []time.Duration{0, silence - 1, silence, 12 * time.Second, 0, 0}
	want := map[bool][]int{true: {0, 0, 1, 1, 0, 0}, false: {0, 0, 1, 1, 2, 2}} // lines about it so far
	for _, inPlace := range []bool{true, false} {
		var out strings.Builder
		p := &Progress{Out: &out}
		if inPlace {
			p.Block = &Block{Out: &out, Size: func() (int, int) { return 120, 24 }}
		}
		p.Begin([]canary.Release{chat}, noon)
		for i, d := range silent {
			p.Tick(noon, d)
			if n := strings.Count(screen(out.String()), "API server"); n != want[inPlace][i] {
				t.Errorf("in place %t, after %s: %d lines about it:\n%s", inPlace, d, n, screen(out.String()))
			}
		}
		if text := out.String(); !strings.Contains(text, "has not answered for 5s") || strings.Contains(text, "answers again, after 12s") == inPlace {
			t.Errorf("in place %t:\n%s", inPlace, text)
		}
	}
}

// The mover tells from several goroutines at once; `go test -race` sees what is not guarded.
func TestProgressFromManyGoroutines(t *testing.T) {
	var out strings.Builder
	p := &Progress{Out: &out, Block: &Block{Out: &out, Size: func() (int, int) { return 80, 24 }}}
	chat := messenger()[1].Release
	p.Begin([]canary.Release{chat}, noon)
	var all sync.WaitGroup
	for _, e := range everyEvent(&chat, &crashing) {
		all.Go(func() { p.Handle(e) })
		all.Go(func() { p.Tick(noon.Add(time.Second), 0) })
	}
	all.Wait()
}
