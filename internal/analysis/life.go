package analysis

import (
	"slices"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// crashLoop is what a container waits for that ends again and again.
const crashLoop = "CrashLoopBackOff"

// life is what becomes of a pod in a window, from the states of it that were seen.
type life struct {
	restarts  map[string]int // of each container, so far
	restarted int            // in the window
	oomKilled int
	crashing  bool

	ready    bool
	since    time.Time // of readiness, as the pod says
	flaps    int
	lost     time.Time // when it was seen to be not ready any more; zero while it is ready, or was not yet
	notReady time.Duration
}

// newLife begins with a pod that was there when the window was opened; what has happened before does not count.
func newLife(p *canary.Pod) *life {
	l := &life{restarts: map[string]int{}}
	for _, c := range p.Containers {
		l.restarts[c.Name] = c.Restarts
	}
	l.ready, l.since = readiness(p)
	l.crashing = crashes(p)
	return l
}

// bornLife begins with a pod that came in the window.
func bornLife() *life { return &life{restarts: map[string]int{}} }

// see takes in a later state.
func (l *life) see(p *canary.Pod, now time.Time) {
	for _, c := range p.Containers {
		if n := c.Restarts - l.restarts[c.Name]; n > 0 {
			l.restarted += n
			if c.Last != nil && c.Last.Reason == "OOMKilled" {
				l.oomKilled++ // of several at once, only the last says why
			}
		}
		l.restarts[c.Name] = c.Restarts
	}
	l.crashing = crashes(p)
	if p.Terminating {
		l.end(now)
		return
	}
	ready, since := readiness(p)
	switch {
	case l.ready && !ready:
		l.flaps++
		l.lost = now
	case l.ready && since.After(l.since):
		l.flaps++ // between two states that were seen
	case ready:
		l.found(now)
	}
	l.ready, l.since = ready, since
}

// end is when a pod is told to stop, or gone: that it is not ready any more is as it should be.
func (l *life) end(now time.Time) {
	l.found(now)
	l.ready, l.crashing = false, false
}

func (l *life) found(now time.Time) {
	if !l.lost.IsZero() {
		l.notReady += now.Sub(l.lost)
		l.lost = time.Time{}
	}
}

// addTo adds what has become of the pod until now.
func (l *life) addTo(sum *Life, now time.Time) {
	sum.Restarts += l.restarted
	sum.OOMKilled += l.oomKilled
	sum.Flaps += l.flaps
	sum.NotReady += l.notReady
	if !l.lost.IsZero() {
		sum.NotReady += now.Sub(l.lost)
	}
	if l.crashing {
		sum.Crashing++
	}
}

func readiness(p *canary.Pod) (ready bool, since time.Time) {
	for _, c := range p.Conditions {
		if c.Type == "Ready" {
			return c.Status, c.Since
		}
	}
	return false, time.Time{}
}

func crashes(p *canary.Pod) bool {
	return slices.ContainsFunc(p.Containers, func(c canary.Container) bool { return c.Waiting != nil && c.Waiting.Reason == crashLoop })
}

// total is how often the containers were started again since the pod began.
func (l *life) total() (n int) {
	for _, restarts := range l.restarts {
		n += restarts
	}
	return n
}
