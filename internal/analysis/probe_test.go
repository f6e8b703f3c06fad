package analysis

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func probing() Sources { return Sources{Probe: &Probe{At: Place{Path: "/health", Port: "http"}}} }

// Both versions get as many requests, though one has more pods, and each pod of a version as many as the next.
func TestProbe(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.answers["auth-v2-a"] = answer{status: 503, after: 30 * time.Millisecond}
		w.answers["auth-v1-a"] = answer{status: 404}
		w.remove("auth-v1-c")
		watcher := w.begin(t, probing())
		run(t, watcher, 12*time.Second+50*time.Millisecond)
		v1, v2 := watcher.Seen("auth", "v1").Probes, watcher.Seen("auth", "v2").Probes
		if v1.Requests != 60 || v1.Errors != 0 || v2.Requests != 60 || v2.Errors != 60 || v1.Problem+v2.Problem != "" {
			t.Errorf("%+v\n%+v", v1, v2)
		}
		each := map[string]int{}
		for _, asked := range w.asked {
			each[asked]++
		}
		for _, pod := range []string{"auth-v1-a", "auth-v1-b"} {
			if n := each[pod+":8001/health"]; n != 30 {
				t.Errorf("%s was asked %d times", pod, n)
			}
		}
		if q := v2.Latency.Quantile(0.5); math.Abs(q-0.03) > 0.005 {
			t.Errorf("half are answered within %v", q)
		}
		if v1.Source != "probes of /health:http" {
			t.Error(v1.Source)
		}
	})
}

// A pod that does not answer is an error, and keeps nobody else waiting; what fails on the way to it is none.
func TestProbeUnanswered(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.answers["auth-v2-a"] = answer{after: 5 * time.Second, err: canary.ErrNoAnswer}
		w.failing["auth-v1-b:8001"] = errors.New("the API server\nis away")
		watcher := w.begin(t, probing())
		run(t, watcher, 20*time.Second)
		v1, v2 := watcher.Seen("auth", "v1").Probes, watcher.Seen("auth", "v2").Probes
		if v2.Requests < 40 || v2.Errors != v2.Requests || v1.Errors != 0 || v1.Requests < 40 {
			t.Errorf("%+v\n%+v", v1, v2)
		}
	})
}

func TestNoProbes(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*namespace)
		why   string
		gap   bool
	}{
		"not ready":   {func(w *namespace) { w.pod("auth-v2-a").Conditions[0].Status = false }, "no request was sent: it has no pod that is ready", false},
		"away":        {func(w *namespace) { w.failing["auth-v2-a:8001"] = fmt.Errorf("away\nfor now") }, "away for now", true},
		"no port":     {func(w *namespace) { w.pod("auth-v2-a").Ports = nil }, `no container has a port "http"`, true},
		"not allowed": {func(w *namespace) { w.barred = []canary.Permission{canary.AskPods} }, mayNotAsk, true},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, w *namespace) {
				c.fault(w)
				watcher := w.begin(t, probing())
				run(t, watcher, 3*time.Second)
				if p := watcher.Seen("auth", "v2").Probes; p.Problem != c.why || p.Requests != 0 {
					t.Errorf("%+v", p)
				}
				gaps := watcher.Gaps()
				if c.gap != (len(gaps) == 1 && gaps[0].Why == c.why) {
					t.Errorf("%+v", gaps)
				}
			})
		})
	}
}

// However many releases there are, the API server is not flooded.
func TestProbeRate(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		s := probing()
		s.Probe.Rate = 1000
		watcher := w.begin(t, s)
		run(t, watcher, 10*time.Second+time.Millisecond)
		if n := len(w.asked); n != 1000 {
			t.Errorf("%d requests in 10 s", n)
		}
	})
}

// The rate is fitted to the shortest window, and bounded for a pod and for the API server.
func TestProbeFit(t *testing.T) {
	for _, c := range []struct {
		enough         float64
		window         time.Duration
		versions       int
		rate, requests float64
		shortest       time.Duration
	}{
		{100, 5 * time.Minute, 2, ProbeRate, 1200, 7 * time.Second},
		{100, 10 * time.Second, 2, 12.5, 100, 7 * time.Second},
		{100, 10 * time.Second, 8, 12.5, 100, 10 * time.Second},
		{100, 3 * time.Second, 2, mostProbes, 48, 7 * time.Second},
		{48, 3 * time.Second, 2, mostProbes, 48, 3 * time.Second},
		{100, 10 * time.Second, 100, 1, 8, 125 * time.Second},
	} {
		p := &Probe{}
		if got := p.Fit(c.enough, c.window, c.versions); got != c.requests || math.Abs(p.Rate-c.rate) > 1e-9 {
			t.Errorf("%+v: %v requests at %v a second", c, got, p.Rate)
		}
		if got := ProbeWindow(c.enough, c.versions); got != c.shortest {
			t.Errorf("%+v: the shortest window is %s", c, got)
		}
		if p := (&Probe{}); p.Fit(c.enough, c.shortest, c.versions) < c.enough {
			t.Errorf("%+v: %s is not enough", c, c.shortest)
		}
	}
}

// In a window that is fitted both versions get what is enough.
func TestProbeFitted(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		s := probing()
		s.Probe.Fit(100, 10*time.Second, 2)
		watcher := w.begin(t, s)
		run(t, watcher, 9*time.Second)
		for _, version := range []string{"v1", "v2"} {
			if p := watcher.Seen("auth", version).Probes; p.Requests < 100 {
				t.Errorf("%s: %+v", version, p)
			}
		}
	})
}
