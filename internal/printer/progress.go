package printer

import (
	"fmt"
	"io"
	"slices"
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
	// Head is what stands above the releases in place, if there is anything.
	Head func(now time.Time) []string

	mu     sync.Mutex
	began  time.Time
	now    time.Time
	states []*state
	silent time.Duration // how long the API server has not answered, where that is worth a word
}

// silence is from when on a server that does not answer is worth a word.
const silence = 5 * time.Second

// state is the line of one release.
type state struct {
	release canary.Release
	doing   string
	trouble string
}

// Begin tells which releases are to move; of a migration, in the next step.
func (p *Progress) Begin(releases []canary.Release, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.now, p.states = now, now, nil
	for _, r := range releases {
		p.states = append(p.states, &state{release: r, doing: "starting"})
	}
}

// Handle takes in an event.
func (p *Progress) Handle(e canary.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line(e)
	if e.Now != nil && !slices.ContainsFunc(p.states, func(s *state) bool { return s.release.Name == e.Release }) {
		p.states = append(p.states, &state{release: *e.Now, doing: "starting"}) // it is there only now
	}
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

// Say tells what is of no single release: where it is drawn in place, Head shows it.
func (p *Progress) Say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Block == nil {
		fmt.Fprintln(p.Out, Safe(line))
	}
}

// Note says beside a release what is known of it, where it is drawn in place.
func (p *Progress) Note(release, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.states {
		if s.release.Name == release {
			s.doing, s.trouble = note, ""
		}
	}
}

// Leave lets what was drawn stand, and draws below it from now on.
func (p *Progress) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Block != nil {
		p.Block.drawn = 0
	}
}

// Tick lets time pass, which only what is drawn in place shows; silent is how long the API server has not answered.
func (p *Progress) Tick(now time.Time, silent time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.silent
	p.now, p.silent = now, 0
	if silent >= silence {
		p.silent = silent
	}
	switch {
	case p.Block != nil:
		p.draw()
	case was == 0 && p.silent > 0:
		fmt.Fprintln(p.Out, p.outage())
	case was > 0 && p.silent == 0:
		fmt.Fprintf(p.Out, "the API server answers again, after %s\n", duration.HumanDuration(was))
	}
}

func (p *Progress) outage() string {
	return "waiting for the API server, which has not answered for " + duration.HumanDuration(p.silent)
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
	case canary.RollingOut:
		return fmt.Sprintf("rolling out %s: %d of %d pods are new", Safe(e.Deployment), e.From, e.To)
	case canary.Ready:
		return "ready, waiting for the others"
	case canary.Trouble:
		return "waiting: " + short(e.Problem.Sentence())
	case canary.Restoring:
		return "putting it back to where it was"
	case canary.Drained:
		return fmt.Sprintf("took %d of %s out of the Service", e.Pods, Safe(e.Version))
	case canary.Relit:
		return fmt.Sprintf("put %d of %s back into the Service", e.Pods, Safe(e.Version))
	case canary.Undrained:
		return fmt.Sprintf("cannot take %s out of the Service before it stops: %s", Safe(e.Version), short(e.Err.Error()))
	case canary.Unrelit:
		return fmt.Sprintf("cannot put %s back into the Service, and starts others: %s", Safe(e.Version), short(e.Err.Error()))
	case canary.Settling:
		return fmt.Sprintf("watching for %s that nobody changes it back", e.For)
	case canary.Baking:
		return fmt.Sprintf("promoted; %s runs on without traffic until %s", Safe(e.Version), e.Until.Format(time.TimeOnly))
	}
	return string(e.Kind)
}

// Serving says how a release's traffic is split right now, in one line.
func Serving(r *canary.Release) string {
	return fmt.Sprintf("%s (%s, %s)", Share(r), side(r.Stable), side(r.Canary))
}

// side is a version with its ready endpoints, its replicas, and what of these is dark.
func side(v *canary.Version) string {
	s := fmt.Sprintf("%s %d/%d", Safe(v.Name), v.Serving, v.Deployment.Replicas)
	if v.Dark > 0 {
		s += fmt.Sprintf(" (%d dark)", v.Dark)
	}
	return s
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
	lines := t.lines()
	if p.silent > 0 {
		lines = append(lines, p.outage())
	}
	if p.Head != nil {
		lines = append(p.Head(p.now), lines...)
	}
	_ = p.Block.Draw(lines)
}
