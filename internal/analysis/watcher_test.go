package analysis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

var scraping = Sources{Scrape: &Scrape{}}

// What pods count in the window is their version's, also of pods that came, went, or began anew.
func TestUsers(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.pages["auth-v1-a"], w.pages["auth-v1-b"], w.pages["auth-v1-c"], w.pages["auth-v2-a"] = counts(1000, 100, 0), counts(500, 0, 0), counts(70, 0, 0), counts(9, 9, 0)
		watcher := w.begin(t, scraping)
		if users := watcher.Seen("auth", "v1").Users; users == nil || !strings.Contains(users.Problem, "only once") {
			t.Errorf("after the first reading: %+v", users)
		}
		time.Sleep(5 * time.Second)
		w.pages["auth-v1-a"], w.pages["auth-v1-b"], w.pages["auth-v2-a"] = counts(1100, 100, 0), counts(540, 0, 0), counts(59, 12, 20)
		watcher.Measure(t.Context())
		w.remove("auth-v1-b") // what it had counted is kept
		w.add("auth-v2-b")    // all it counts is of the window
		w.pages["auth-v2-b"] = counts(30, 0, 0)
		w.pod("auth-v1-a").Containers[0].Restarts = 1 // though it has counted more than before
		w.pages["auth-v1-a"] = counts(2000, 1, 0)
		w.see(t, watcher)
		time.Sleep(5 * time.Second)
		watcher.Measure(t.Context())
		v1, v2 := watcher.Seen("auth", "v1"), watcher.Seen("auth", "v2")
		if v1.Users.Requests != 100+40+2000 || v1.Users.Errors != 1 || v1.Users.Problem != "" || v1.Pods != 2 || v1.Life.Restarts != 1 {
			t.Errorf("v1: %+v, %+v", v1, v1.Users)
		}
		if v2.Users.Requests != 50+30 || v2.Users.Errors != 3 || v2.Span != 10*time.Second || v2.Pods != 2 {
			t.Errorf("v2: %+v, %+v", v2, v2.Users)
		}
		if d := cmp.Diff(histogram(0.1, 60, 1, 80, inf, 80), v2.Users.Latency); d != "" {
			t.Error(d)
		}
		if v1.Users.Source != "scrape: http_request_duration_seconds, http_requests_total" || len(watcher.Gaps()) != 0 {
			t.Errorf("%q, %v", v1.Users.Source, watcher.Gaps())
		}
	})
}

// A new window begins with what has been counted by then.
func TestBeginAgain(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		watcher := w.begin(t, scraping)
		w.pages["auth-v2-a"] = counts(100, 50, 0)
		w.warnings = []canary.Happening{{Object: "Pod/auth-v2-a", Warning: true, Reason: "Unhealthy", Count: 3}}
		watcher.Measure(t.Context())
		if s := watcher.Seen("auth", "v2"); s.Users.Requests != 100 || len(s.Life.Warnings) != 1 || s.Life.Warnings[0].Count != 3 {
			t.Errorf("%+v, %+v", s, s.Users)
		}
		watcher.Begin(t.Context(), first(w.snapshot(t)), second(w.snapshot(t)))
		w.pages["auth-v2-a"] = counts(107, 50, 0)
		w.warnings[0].Count++
		watcher.Measure(t.Context())
		if s := watcher.Seen("auth", "v2"); s.Users.Requests != 7 || s.Users.Errors != 0 || s.Life.Warnings[0].Count != 1 {
			t.Errorf("%+v, %+v", s, s.Users)
		}
	})
}

func first[A, B any](a A, _ B) A  { return a }
func second[A, B any](_ A, b B) B { return b }

// What cannot be read is a problem of the figures, which say why, and a gap.
func TestNoUsers(t *testing.T) {
	refused := fmt.Errorf("%w: connection refused", canary.ErrNoAnswer)
	for name, c := range map[string]struct {
		fault     func(*namespace)
		why, what string
		version   string
	}{
		"refused":     {func(w *namespace) { w.failing["auth-v2-a:8001"] = refused }, ":8001/metrics: no answer of the pod: connection refused", "requests and latencies", "v2"},
		"not allowed": {func(w *namespace) { w.barred = []canary.Permission{canary.AskPods} }, "you may not get pods/proxy", "requests and latencies", ""},
		"no metrics":  {func(w *namespace) { w.pages["auth-v2-a"] = "go_goroutines 1\n" }, "under another name", "requests and latencies", "v2"},
		"no page":     {func(w *namespace) { w.pages["auth-v2-a"] = "<html>\n" }, "not the text format of Prometheus", "requests and latencies", "v2"},
		"too long":    {func(w *namespace) { w.pages["auth-v2-a"] = strings.Repeat("# x\n", maxPage) }, "more than 8 MiB", "requests and latencies", "v2"},
		"no port":     {func(w *namespace) { w.pod("auth-v2-a").Ports = nil }, "neither the Service nor a container names a port", "requests and latencies", "v2"},
		"not running": {func(w *namespace) { w.pod("auth-v2-a").Phase = "Pending" }, "none of its pods runs", "requests and latencies", "v2"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, w *namespace) {
				c.fault(w)
				watcher := w.begin(t, scraping)
				watcher.Measure(t.Context())
				users := watcher.Seen("auth", "v2").Users
				if users == nil || !strings.Contains(users.Problem, c.why) || users.Requests != 0 {
					t.Errorf("%+v", users)
				}
				gaps := watcher.Gaps()
				if len(gaps) != 1 || gaps[0].What != c.what || !strings.Contains(gaps[0].Why, c.why) || gaps[0].Version != c.version || gaps[0].Mend == "" {
					t.Errorf("%+v", gaps)
				}
			})
		})
	}
}

// A part of what pods could tell is told, and what is missing said.
func TestSomeOfUsers(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.failing["auth-v1-b:8001"] = errors.New("no such pod")
		w.pages["auth-v2-a"] = "# TYPE http_requests_total counter\nhttp_requests_total 7\n"
		watcher := w.begin(t, scraping)
		w.pages["auth-v1-a"], w.pages["auth-v2-a"] = counts(10, 1, 0), "# TYPE http_requests_total counter\nhttp_requests_total 9\n"
		watcher.Measure(t.Context())
		v1, v2 := watcher.Seen("auth", "v1").Users, watcher.Seen("auth", "v2").Users
		if v1.Requests != 10 || v1.Problem != "" || v2.Requests != 2 || !math.IsNaN(v2.Errors) || v2.Latency != nil {
			t.Errorf("%+v, %+v", v1, v2)
		}
		var whats []string
		for _, g := range watcher.Gaps() {
			whats = append(whats, g.Version+" "+g.What)
		}
		if want := []string{"v1 requests of some pods", "v2 errors", "v2 latencies"}; !slices.Equal(whats, want) {
			t.Errorf("%q", whats)
		}
	})
}

func TestUsageOfPods(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.pod("auth-v1-a").Limits = map[string]canary.Resources{"app": {MilliCPU: 100, MemoryBytes: 400}, "side": {MemoryBytes: 10}}
		w.pod("auth-v1-b").Limits = map[string]canary.Resources{"app": {MilliCPU: 100}}
		w.used = []canary.Used{
			{Pod: "auth-v1-a", Container: "app", NanoCPU: 20e6, MemoryBytes: 100}, {Pod: "auth-v1-a", Container: "side", NanoCPU: 10e6, MemoryBytes: 5},
			{Pod: "auth-v1-b", Container: "app", NanoCPU: 50e6, MemoryBytes: 45}, {Pod: "auth-v9-z", NanoCPU: 1e9},
		}
		watcher := w.begin(t, Sources{Usage: true})
		half, of := 0.5, 0.5
		want := &Usage{Source: "metrics.k8s.io", Pods: 2, CPU: 0.04, Memory: 75, CPUOfLimit: &half, MemoryOfLimit: &of}
		if d := cmp.Diff(want, watcher.Seen("auth", "v1").Usage); d != "" {
			t.Error(d)
		}
		if u := watcher.Seen("auth", "v2").Usage; u == nil || u.Problem == "" || u.CPUOfLimit != nil {
			t.Errorf("of a pod that is not measured: %+v", u)
		}
		if d := cmp.Diff([]string{"version=v1", "version=v2"}, w.lists); d != "" {
			t.Error(d)
		}
		w.failing["usage"] = errors.New("metrics.k8s.io does not\nanswer")
		watcher.Measure(t.Context())
		if u := watcher.Seen("auth", "v1").Usage; u == nil || u.Problem != "metrics.k8s.io does not answer" {
			t.Errorf("without an answer: %+v", u)
		}
		w.failing["usage"] = fmt.Errorf("metrics.k8s.io is %w", canary.ErrAbsent)
		watcher.Measure(t.Context())
		if u, gaps := watcher.Seen("auth", "v1").Usage, watcher.Gaps(); u != nil || len(gaps) != 1 || gaps[0].Mend != mendUsage {
			t.Errorf("where there is no such API: %+v, %v", u, gaps)
		}
	})
}

func TestUsageOfPodsNotAllowed(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.barred = []canary.Permission{canary.ListPodUsage}
		watcher := w.begin(t, Sources{Usage: true})
		if u, gaps := watcher.Seen("auth", "v1").Usage, watcher.Gaps(); u != nil || len(gaps) != 1 || gaps[0].Mend != mendRights || len(w.lists) != 0 {
			t.Errorf("%+v, %v, asked %q", u, gaps, w.lists)
		}
	})
}

// Warnings are those of the version's pods, beyond what they were when the window was opened.
func TestWarnings(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.warnings = []canary.Happening{
			{Object: "Pod/auth-v2-a", Warning: true, Reason: "BackOff", Message: "m", Count: 4},
			{Object: "Pod/auth-v2-a", Warning: true, Reason: "Unhealthy", Count: 4},
			{Object: "Pod/other", Warning: true, Reason: "BackOff", Count: 1},
		}
		watcher := w.begin(t, Sources{})
		w.warnings[0].Count = 6
		w.warnings[2].Count = 9
		w.warnings = append(w.warnings, canary.Happening{Object: "Pod/auth-v2-a", Warning: true, Reason: "Failed", Count: 1})
		watcher.Measure(t.Context())
		want := []Warning{{"BackOff", "Pod/auth-v2-a", "m", 2}, {"Failed", "Pod/auth-v2-a", "", 1}}
		if d := cmp.Diff(want, watcher.Seen("auth", "v2").Life.Warnings); d != "" {
			t.Error(d)
		}
		if got := watcher.Seen("auth", "v1").Life.Warnings; len(got) > 0 {
			t.Errorf("v1 has %v", got)
		}
		w.failing["events"] = errors.New("forbidden")
		watcher.Measure(t.Context())
		if gaps := watcher.Gaps(); len(gaps) != 1 || gaps[0].What != "warnings" {
			t.Errorf("%v", gaps)
		}
	})
}

// Without Begin, and of a version that is not there, nothing was seen.
func TestNothingSeen(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		watcher := NewWatcher(w, scraping)
		watcher.Measure(t.Context())
		w.see(t, watcher)
		if s := watcher.Seen("auth", "v2"); s.Users != nil || s.Version != "v2" || watcher.Gaps() != nil {
			t.Errorf("%+v", s)
		}
		if s := w.begin(t, scraping).Seen("auth", "v3"); s.Users != nil || s.Pods != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// run runs the Watcher for some time.
func run(t *testing.T, w *Watcher, long time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	w.Run(ctx)
}

func TestRun(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		watcher := w.begin(t, scraping)
		run(t, watcher, 35*time.Second)
		if n := len(w.asked); n != 4*4 {
			t.Errorf("asked %d times", n)
		}
	})
}

// A pod that is gone is not asked any more, and is neither unready nor in a crash loop.
func TestGone(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		watcher := w.begin(t, scraping)
		time.Sleep(time.Second)
		p := w.pod("auth-v2-a")
		p.Conditions = []canary.Condition{{Type: "Ready"}}
		p.Containers = []canary.Container{{Name: "app", Restarts: 1, Waiting: &canary.Waiting{Reason: "CrashLoopBackOff"}}}
		w.see(t, watcher)
		time.Sleep(2 * time.Second)
		if life := watcher.Seen("auth", "v2").Life; life.NotReady != 2*time.Second || life.Crashing != 1 {
			t.Errorf("%+v", life)
		}
		w.remove("auth-v2-a")
		w.see(t, watcher)
		time.Sleep(5 * time.Second)
		w.asked = nil
		watcher.Measure(t.Context())
		if life := watcher.Seen("auth", "v2").Life; life.NotReady != 2*time.Second || life.Crashing != 0 || life.Flaps != 1 || life.Restarts != 1 {
			t.Errorf("%+v", life)
		}
		if len(w.asked) != 3 {
			t.Errorf("asked %q", w.asked)
		}
	})
}

// Selectors of versions may overlap: what is listed twice counts once.
func TestUsageListedTwice(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.used = []canary.Used{{Pod: "auth-v1-a", Container: "app", NanoCPU: 1e9}, {Pod: "auth-v1-a", Container: "app", NanoCPU: 1e9}}
		if u := w.begin(t, Sources{Usage: true}).Seen("auth", "v1").Usage; u.CPU != 1 {
			t.Errorf("%+v", u)
		}
	})
}

// A measurement that takes too long is cut off, and said to be; one that nobody waits for any more leaves no word.
func TestMeasureCutOff(t *testing.T) {
	in(t, func(t *testing.T, w *namespace) {
		w.answers["auth-v2-a"] = answer{after: time.Minute}
		s := scraping
		s.Scrape = &Scrape{At: Place{Path: "/slow"}}
		began := time.Now()
		watcher := w.begin(t, s)
		if took := time.Since(began); took != maxMeasure {
			t.Errorf("it took %s", took)
		}
		if p := watcher.Seen("auth", "v2").Users.Problem; !strings.Contains(p, "not read within 15s") {
			t.Error(p)
		}
		w.answers["auth-v2-a"] = answer{}
		watcher.Measure(t.Context())
		w.answers["auth-v2-a"] = answer{after: time.Minute}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		before := watcher.Gaps()
		watcher.Measure(ctx)
		if d := cmp.Diff(before, watcher.Gaps()); d != "" {
			t.Error(d)
		}
	})
}

// When one of several containers starts anew, what another has counted before the window is not taken for the window's.
func TestRestartOfASidecar(t *testing.T) {
	for _, process := range []string{"", "process_start_time_seconds 1.7e9\n"} {
		in(t, func(t *testing.T, w *namespace) {
			pod := w.pod("auth-v2-a")
			pod.Containers = append(pod.Containers, canary.Container{Name: "sidecar"})
			w.pages["auth-v2-a"] = process + counts(1000, 900, 0)
			watcher := w.begin(t, scraping)
			pod.Containers[1].Restarts = 1
			w.see(t, watcher)
			w.pages["auth-v2-a"] = process + counts(1010, 900, 0)
			watcher.Measure(t.Context())
			if users := watcher.Seen("auth", "v2").Users; users.Requests != 10 || users.Errors != 0 {
				t.Errorf("%q: %+v", process, users)
			}
		})
	}
}
