package printer

import (
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Progress shows a move while it goes on: a line for each event, or with Block a line for each release, in place.
type Progress struct {
	Out   io.Writer
	Style Style
	Block *Block // nil where the output is not a terminal

	mu     sync.Mutex
	began  time.Time
	now    time.Time
	states []*state
}

// state is the line of one release.
type state struct {
	release canary.Release
	doing   string
	trouble string
}

// Begin tells which releases are to move.
func (p *Progress) Begin(releases []canary.Release, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.now = now, now
	for _, r := range releases {
		p.states = append(p.states, &state{release: r, doing: "starting"})
	}
}

// Handle takes in an event.
func (p *Progress) Handle(e canary.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(e)
	for _, s := range p.states {
		if s.release.Name == e.Release {
			s.take(e, line)
		}
	}
	if p.Block == nil {
		fmt.Fprintf(p.Out, "%s: %s\n", Safe(e.Release), line)
		return
	}
	p.draw()
}

// Tick lets time pass: only what is drawn in place shows it.
func (p *Progress) Tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
	if p.Block != nil {
		p.draw()
	}
}

func (s *state) take(e canary.Event, line string) {
	switch e.Kind {
	case canary.Serves:
		s.release = *e.Now
		if v := e.Now; v.Stable.Serving >= v.Stable.Deployment.Replicas && v.Canary.Serving >= v.Canary.Deployment.Replicas {
			s.trouble = ""
		}
	case canary.Trouble:
		s.trouble = line
	default:
		s.doing, s.trouble = line, ""
	}
}

func (p *Progress) line(e canary.Event) string {
	switch e.Kind {
	case canary.Raised, canary.Lowered:
		return fmt.Sprintf("%s %s %d %s %d", e.Kind, Safe(e.Version), e.From, p.Style.Arrow(), e.To)
	case canary.Serves:
		return "serving " + Serving(e.Now)
	case canary.Ready:
		return "ready, waiting for the others"
	case canary.Trouble:
		return "waiting: " + short(e.Problem.Sentence())
	case canary.Restoring:
		return "putting it back to where it was"
	}
	return string(e.Kind)
}

// Serving says how a release's traffic is split right now, in one line.
func Serving(r *canary.Release) string {
	return fmt.Sprintf("%s (%s %d/%d, %s %d/%d)", Share(r),
		Safe(r.Stable.Name), r.Stable.Serving, r.Stable.Deployment.Replicas,
		Safe(r.Canary.Name), r.Canary.Serving, r.Canary.Deployment.Replicas)
}

// Share is the canary's weight as it is served, "-" when nothing serves.
func Share(r *canary.Release) string {
	if w, ok := r.Actual(); ok {
		return w.String() + "%"
	}
	return "-"
}

// draw is best effort: a terminal that does not take it must not stop the move.
func (p *Progress) draw() {
	t := table{style: p.Style}
	for _, s := range p.states {
		doing := s.doing
		if s.trouble != "" {
			doing = s.trouble
		}
		t.add(cell{text: Safe(s.release.Name)}, cell{text: Serving(&s.release)},
			cell{text: duration.HumanDuration(p.now.Sub(p.began))}, cell{text: doing})
	}
	_ = p.Block.Draw(t.lines())
}
