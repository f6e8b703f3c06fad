package analysis

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// A row is one check of one look: what the versions showed, and what it comes to.
type row struct {
	name           string
	policy         *Policy
	canary, stable Seen
	alone          bool // stable has never served
	early          bool // the window goes on
	check          string
	want           Verdict
	says           string
}

func (r row) run(t *testing.T) {
	t.Helper()
	p, stable := r.policy, &r.stable
	if p == nil {
		p = policy()
	}
	if r.alone {
		stable = nil
	}
	got := check(p.Judge(r.canary, stable, !r.early), r.check)
	switch {
	case got == nil:
		t.Errorf("%s: there is no %s", r.name, r.check)
	case got.Verdict != r.want || !strings.Contains(got.Message, r.says):
		t.Errorf("%s: %s: %q, want %s: %q", r.name, got.Verdict, got.Message, r.want, r.says)
	case strings.Contains(got.Message, "NaN"):
		t.Errorf("%s: %q has a figure that is none", r.name, got.Message)
	case strings.ContainsAny(got.Message, "\n\t"):
		t.Errorf("%s: %q is not one line", r.name, got.Message)
	}
}

func restarts(n int) func(*Seen) { return func(s *Seen) { s.Life.Restarts = n } }

func flaps(n int) func(*Seen) { return func(s *Seen) { s.Life.Flaps = n } }

func notReady(d time.Duration) func(*Seen) { return func(s *Seen) { s.Life.NotReady = d } }

func warning(reason string, n int) func(*Seen) {
	return func(s *Seen) {
		s.Life.Warnings = append(s.Life.Warnings, Warning{Reason: reason, Count: n, Object: "pod/x", Message: "two\nlines"})
	}
}

func TestLife(t *testing.T) {
	for _, r := range []row{
		{name: "well", check: "restarts", canary: seen(1), stable: seen(3), want: Pass},
		{name: "a restart", check: "restarts", canary: seen(1, restarts(1)), stable: seen(3), want: Fail, says: "1 restarts of containers, 0 allowed"},
		{name: "at once", check: "restarts", canary: seen(1, restarts(1)), stable: seen(3), early: true, want: Fail},
		{name: "allowed", check: "restarts", policy: policy(func(p *Policy) { p.MaxRestarts = 1 }), canary: seen(1, restarts(1)), stable: seen(3), want: Pass},
		{name: "stable as sick", check: "restarts", canary: seen(1, restarts(1)), stable: seen(3, restarts(3)), want: Inconclusive, says: "3 of stable's pods too"},
		{name: "stable a little sick", check: "restarts", canary: seen(1, restarts(6)), stable: seen(3, restarts(1)), want: Fail},
		{name: "stable sick, canary not", check: "restarts", canary: seen(1), stable: seen(3, restarts(9)), want: Pass},
		{name: "no pod is ready any more", check: "restarts", canary: seen(0, restarts(1)), stable: seen(3), want: Fail},
		{name: "stable was watched far longer", check: "restarts", canary: seen(1, restarts(4)), stable: seen(1, restarts(4), func(s *Seen) { s.Span *= 100 }), want: Fail},
		{name: "no stable", check: "restarts", canary: seen(3, restarts(1)), alone: true, want: Fail},
		{name: "no number", check: "restarts", canary: seen(3, restarts(-1)), stable: seen(3), want: Inconclusive, says: "no counts"},
		{name: "oom", check: "oom-kills", canary: seen(1, func(s *Seen) { s.Life.OOMKilled = 1 }), stable: seen(3), want: Fail},
		{name: "crash loop", check: "crash-loops", canary: seen(0, func(s *Seen) { s.Life.Crashing = 1 }), stable: seen(3), want: Fail},
		{name: "one flap", check: "readiness", canary: seen(1, flaps(1)), stable: seen(3), want: Pass},
		{name: "flaps", check: "readiness", canary: seen(1, flaps(2)), stable: seen(3), want: Fail},
		{name: "all flap", check: "readiness", canary: seen(1, flaps(2)), stable: seen(3, flaps(5)), want: Inconclusive},
		{name: "not ready", check: "not-ready", canary: seen(1, notReady(time.Minute)), stable: seen(3), want: Fail, says: "1m0s, 20% of their time: 5% is allowed"},
		{name: "not ready, of many", check: "not-ready", canary: seen(10, notReady(time.Minute)), stable: seen(3), want: Pass},
		{name: "not ready, just begun", check: "not-ready", canary: seen(1, notReady(2*time.Second), func(s *Seen) { s.Span = 3 * time.Second }), stable: seen(3), early: true, want: Inconclusive},
		{name: "not ready, for long", check: "not-ready", canary: seen(1, notReady(40*time.Second)), stable: seen(3), early: true, want: Fail},
		{name: "not ready, nor stable", check: "not-ready", canary: seen(1, notReady(time.Minute)), stable: seen(1, notReady(time.Minute)), want: Inconclusive, says: "no fault of the canary"},
		{name: "not ready, stable less so", check: "not-ready", canary: seen(1, notReady(time.Minute)), stable: seen(1, notReady(20*time.Second)), want: Fail},
		{name: "negative time", check: "not-ready", canary: seen(1, notReady(-time.Minute)), stable: seen(1), want: Inconclusive},
		{name: "few warnings", check: "warnings", canary: seen(1, warning("BackOff", 2)), stable: seen(3), want: Pass, says: "2 warnings BackOff"},
		{name: "warnings of one reason", check: "warnings", canary: seen(1, warning("BackOff", 2), warning("BackOff", 1)), stable: seen(3), want: Fail, says: "3 warnings BackOff, 2 allowed; 0 of stable's pods (pod/x: two lines)"},
		{name: "of different reasons", check: "warnings", canary: seen(1, warning("BackOff", 2), warning("Unhealthy", 2)), stable: seen(3), want: Pass},
		{name: "stable too", check: "warnings", canary: seen(1, warning("Unhealthy", 4)), stable: seen(3, warning("Unhealthy", 9)), want: Inconclusive},
		{name: "stable has others", check: "warnings", canary: seen(1, warning("Unhealthy", 4)), stable: seen(3, warning("BackOff", 9)), want: Fail},
		{name: "the worst counts", check: "warnings", canary: seen(1, warning("A", 3), warning("B", 9)), stable: seen(1, warning("B", 9)), want: Fail, says: "warnings A"},
		{name: "uncounted", check: "warnings", canary: seen(1, warning("A", 0), warning("A", 0), warning("A", 0)), stable: seen(1), want: Fail, says: "3 warnings A"},
	} {
		r.run(t)
	}
}

func uncompared(p *Policy) { p.WorseThanStable = nil }

func TestErrorRate(t *testing.T) {
	for _, r := range []row{
		{name: "as stable", canary: seen(1, users(1000, 10)), stable: seen(3, users(3000, 30)), want: Pass, says: "1% of 1000 requests failed, 1% of stable's 3000"},
		{name: "five percent", canary: seen(1, users(400, 20)), stable: seen(3, users(1200, 0)), want: Fail, says: "more than 0.1%"},
		{name: "five percent, early", canary: seen(1, users(400, 20)), stable: seen(3, users(1200, 0)), early: true, want: Fail},
		{name: "a little worse, of many", canary: seen(1, users(1e6, 15000)), stable: seen(3, users(3e6, 30000)), want: Fail, says: "more than 1.2%, the most that is allowed beside stable's"},
		{name: "within what is allowed", canary: seen(1, users(1e6, 11900)), stable: seen(3, users(3e6, 30000)), want: Pass},
		{name: "worse, by chance", canary: seen(1, users(200, 3)), stable: seen(3, users(600, 6)), want: Pass},
		{name: "worse, and doubtful", canary: seen(1, users(100, 6)), stable: seen(1, users(100, 0)), want: Inconclusive, says: "too few requests to be sure"},
		{name: "tiny shares", canary: seen(1, users(1e7, 1000)), stable: seen(3, users(3e7, 30)), want: Pass},
		{name: "all fail", canary: seen(1, users(100, 100)), stable: seen(3, users(300, 0)), want: Fail},
		{name: "both fail", canary: seen(1, users(1000, 50)), stable: seen(3, users(3000, 150)), want: Pass},
		{name: "none", canary: seen(1, users(1000, 0)), stable: seen(3, users(3000, 0)), want: Pass, says: "0% of 1000"},

		{name: "over the bound", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 11)), stable: seen(3, users(3000, 27)), want: Fail, says: "more than 1%"},
		{name: "over the bound so far", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 11)), stable: seen(3, users(3000, 27)), early: true, want: Inconclusive, says: "the window goes on"},
		{name: "over the bound for sure", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 30)), stable: seen(3, users(3000, 87)), early: true, want: Inconclusive, says: "no fault"},
		{name: "over the bound for sure, stable not", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 26)), stable: seen(3, users(3000, 27)), early: true, want: Fail},
		{name: "at the bound", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 10)), stable: seen(3, users(3000, 27)), want: Pass},
		{name: "stable over the bound too", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 50)), stable: seen(3, users(3000, 150)), want: Inconclusive, says: "so is stable's: no fault of the canary"},
		{name: "stable over it, canary more", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 200)), stable: seen(3, users(3000, 150)), want: Fail},
		{name: "stable over it, not compared", policy: policy(maxErrors(.01), uncompared), canary: seen(1, users(1000, 50)), stable: seen(3, users(3000, 153)), want: Inconclusive, says: "5% of 1000 requests failed, 5.1% of stable's 3000: more than 1%, and so is stable's: no fault of the canary"},
		{name: "stable over it, not compared, canary more", policy: policy(maxErrors(.01), uncompared), canary: seen(1, users(1000, 200)), stable: seen(3, users(3000, 150)), want: Fail, says: "more than 1%"},
		{name: "stable over it, canary not", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 5)), stable: seen(3, users(3000, 150)), want: Pass},
		{name: "only compared with nothing", policy: policy(uncompared), canary: seen(1, users(1000, 900)), stable: seen(3, users(3000, 0)), want: Pass},

		{name: "no traffic", canary: seen(1, users(0, 0)), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "0 requests are too few: want 100"},
		{name: "too few", policy: policy(maxErrors(.01)), canary: seen(1, users(99, 99)), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "99 requests are too few"},
		{name: "too few of stable", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 5)), stable: seen(3, users(50, 0)), want: Inconclusive, says: "of stable, 50 requests are too few"},
		{name: "too few of stable, over the bound", policy: policy(maxErrors(.01)), canary: seen(1, users(1000, 50)), stable: seen(3, users(50, 0)), want: Fail},
		{name: "no stable", canary: seen(3, users(1000, 0)), alone: true, want: Inconclusive, says: "no window in which stable served"},
		{name: "no stable, but a bound", policy: policy(maxErrors(.01)), canary: seen(3, users(1000, 0)), alone: true, want: Pass},
		{name: "nobody knows of stable", canary: seen(3, users(1000, 0)), stable: seen(3), want: Inconclusive},
		{name: "the source fails", canary: seen(1, func(s *Seen) { s.Users = &Traffic{Problem: "401\nUnauthorized"} }), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "401 Unauthorized"},
		{name: "the source fails for stable", canary: seen(1, users(1000, 0)), stable: seen(3, func(s *Seen) { s.Users = &Traffic{Problem: "timeout"} }), want: Inconclusive, says: "of stable, timeout"},
		{name: "no number", canary: seen(1, users(math.NaN(), 0)), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "test has no count of requests"},
		{name: "no status", canary: seen(1, users(1000, math.NaN())), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "errors cannot be told: test has no label for the status"},
		{name: "endless", canary: seen(1, users(math.Inf(1), 0)), stable: seen(3, users(3000, 0)), want: Inconclusive},
		{name: "negative", canary: seen(1, users(1000, -1)), stable: seen(3, users(3000, 0)), want: Inconclusive},
		{name: "more errors than requests", canary: seen(1, users(1000, 2000)), stable: seen(3, users(3000, 0)), want: Inconclusive},
		{name: "stable is no number", canary: seen(1, users(1000, 0)), stable: seen(3, users(3000, math.NaN())), want: Inconclusive, says: "of stable, errors cannot be told"},
	} {
		r.check = "error-rate"
		r.run(t)
		// Our own requests are judged in the same way.
		r.check = "probe-error-rate"
		r.canary.Probes, r.canary.Users = r.canary.Users, nil
		r.stable.Probes, r.stable.Users = r.stable.Users, nil
		r.run(t)
	}
}

func TestLatency(t *testing.T) {
	fast, slow := []float64{.004, .008, .02, .02}, []float64{.2, .2, .2, .2}
	for _, r := range []row{
		{name: "as stable", check: "latency-p99", canary: seen(1, users(1000, 0, fast...)), stable: seen(3, users(3000, 0, fast...)), want: Pass, says: "p99 25ms, stable 25ms"},
		{name: "slower", check: "latency-p99", canary: seen(1, users(1000, 0, slow...)), stable: seen(3, users(3000, 0, fast...)), want: Fail, says: "more than 30ms, the most that is allowed beside stable's"},
		{name: "slower, early", check: "latency-p50", canary: seen(1, users(100, 0, slow...)), stable: seen(3, users(300, 0, fast...)), early: true, want: Fail},
		{name: "the slowest are slower", check: "latency-p99", canary: seen(1, users(1000, 0, append(slices.Repeat(fast, 4), .4)...)), stable: seen(3, users(3000, 0, fast...)), want: Fail},
		{name: "but most are not", check: "latency-p50", canary: seen(1, users(1000, 0, append(slices.Repeat(fast, 4), .4)...)), stable: seen(3, users(3000, 0, fast...)), want: Pass},
		{name: "many are slower, but not most", check: "latency-p50", canary: seen(1, users(1000, 0, .02, .02, .02, .4, .4)), stable: seen(3, users(3000, 0, .02)), want: Pass},
		{name: "times that are next to nothing", check: "latency-p50", canary: seen(1, users(1e6, 0, .004, .006)), stable: seen(3, users(3e6, 0, .004)), want: Pass},
		{name: "one slow request", check: "latency-p99", canary: seen(1, users(100, 0, append(slices.Repeat(fast, 20), .4, .4)...)), stable: seen(3, users(300, 0, fast...)), want: Pass},
		{name: "some slow requests", check: "latency-p99", canary: seen(1, users(100, 0, append(slices.Repeat(fast, 3), .4)...)), stable: seen(3, users(300, 0, append(slices.Repeat(fast, 8), .4)...)), want: Pass},
		{name: "over an edge", check: "latency-p50", canary: seen(1, users(1000, 0, .26)), stable: seen(3, users(3000, 0, .24)), want: Inconclusive, says: "buckets are too few to be sure"},
		{name: "tiny times", check: "latency-p50", canary: seen(1, users(1e6, 0, .004)), stable: seen(3, users(3e6, 0, .001)), want: Pass},
		{name: "stable as slow", check: "latency-p99", canary: seen(1, users(1000, 0, slow...)), stable: seen(3, users(3000, 0, slow...)), want: Pass},
		{name: "stable beyond its histogram", check: "latency-p99", canary: seen(1, users(1000, 0, 9)), stable: seen(3, users(3000, 0, 9)), want: Inconclusive, says: "ends at 2.5s, below its p99"},
		{name: "stable beyond it, canary not", check: "latency-p99", canary: seen(1, users(1000, 0, fast...)), stable: seen(3, users(3000, 0, 9)), want: Pass},
		{name: "canary beyond it", check: "latency-p99", canary: seen(1, users(1000, 0, 9)), stable: seen(3, users(3000, 0, fast...)), want: Fail, says: "over 2.5s"},

		{name: "bound held", check: "latency-p99", policy: policy(maxLatency("p99=300ms")), canary: seen(1, users(1000, 0, fast...)), stable: seen(3, users(3000, 0, fast...)), want: Pass},
		{name: "over the bound", check: "latency-p99", policy: policy(maxLatency("p99=100ms")), canary: seen(1, users(1000, 0, slow...)), stable: seen(3, users(3000, 0, fast...)), want: Fail, says: "more than 100ms"},
		{name: "over the bound, as stable", check: "latency-p99", policy: policy(maxLatency("p99=100ms")), canary: seen(1, users(1000, 0, slow...)), stable: seen(3, users(3000, 0, slow...)), want: Inconclusive, says: "no fault of the canary"},
		{name: "no status", check: "latency-p99", canary: seen(1, users(1000, math.NaN(), fast...)), stable: seen(3, users(3000, math.NaN(), fast...)), want: Pass},
		{name: "over the bound, as stable, not compared", check: "latency-p99", policy: policy(maxLatency("p99=100ms"), uncompared), canary: seen(1, users(1000, 0, slow...)), stable: seen(3, users(3000, 0, slow...)), want: Inconclusive, says: "p99 249ms, stable 249ms: more than 100ms, and so is stable's: no fault of the canary"},
		{name: "over the bound, and stable by less, not compared", check: "latency-p99", policy: policy(maxLatency("p99=100ms"), uncompared), canary: seen(1, users(1000, 0, .9)), stable: seen(3, users(3000, 0, slow...)), want: Fail, says: "more than 100ms"},
		{name: "over the bound, stable in the bucket that holds it", check: "latency-p99", policy: policy(maxLatency("p99=240ms")), canary: seen(1, users(1000, 0, .26)), stable: seen(3, users(3000, 0, .24)), want: Inconclusive, says: "p99 498ms, stable 249ms: more than 240ms, and so is stable's"},
		{name: "over it so far", check: "latency-p99", policy: policy(maxLatency("p99=100ms")), canary: seen(1, users(180, 0, append(slices.Repeat([]float64{.09}, 176), .2, .2, .2)...)), stable: seen(3, users(300, 0, append(slices.Repeat([]float64{.09}, 176), .2)...)), early: true, want: Inconclusive, says: "the window goes on"},
		{name: "over it in the end", check: "latency-p99", policy: policy(maxLatency("p99=100ms")), canary: seen(1, users(180, 0, append(slices.Repeat([]float64{.09}, 176), .2, .2, .2)...)), stable: seen(3, users(300, 0, append(slices.Repeat([]float64{.09}, 176), .2)...)), want: Fail},
		{name: "over it for sure", check: "latency-p99", policy: policy(maxLatency("p99=100ms")), canary: seen(1, users(100, 0, slow...)), alone: true, early: true, want: Fail},
		{name: "the bound is within a bucket, and held", check: "latency-p50", policy: policy(maxLatency("p50=400ms")), canary: seen(1, users(1000, 0, .26)), alone: true, want: Pass},
		{name: "the bound is within a bucket", check: "latency-p99", policy: policy(maxLatency("p99=300ms")), canary: seen(1, users(1000, 0, .26)), alone: true, want: Inconclusive, says: "bucket from 250ms to 500ms holds the bound of 300ms too"},
		{name: "the bound is beyond the histogram", check: "latency-p99", policy: policy(maxLatency("p99=9s")), canary: seen(1, users(1000, 0, 4)), alone: true, want: Inconclusive, says: "ends at 2.5s"},
		{name: "another percentile", check: "latency-p99.9", policy: policy(maxLatency("p99.9=1s")), canary: seen(1, users(1000, 0, fast...)), stable: seen(3, users(3000, 0, fast...)), want: Pass},

		{name: "no histogram, nobody asked", check: "latency", canary: seen(1, users(1000, 0)), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "does not tell how long"},
		{name: "no histogram, but a bound", check: "latency-p99", policy: policy(maxLatency("p99=1s")), canary: seen(1, users(1000, 0)), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "does not tell how long"},
		{name: "no histogram of stable", check: "latency-p99", canary: seen(1, users(1000, 0, fast...)), stable: seen(3, users(3000, 0)), want: Inconclusive, says: "of stable, the source"},
		{name: "no traffic", check: "latency-p99", canary: seen(1, users(0, 0, fast...)), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "too few"},
		{name: "no stable", check: "latency-p99", canary: seen(1, users(1000, 0, fast...)), alone: true, want: Inconclusive, says: "no window in which stable served"},
		{name: "buckets out of order", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { slices.Reverse(s.Users.Latency) }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "not in order"},
		{name: "two buckets of one edge", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency[4].UpTo = s.Users.Latency[3].UpTo }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "not in order"},
		{name: "a negative edge", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency[0].UpTo = -1 }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "not in order"},
		{name: "a bucket of no edge", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency[4].UpTo = math.NaN() }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "not in order"},
		{name: "buckets that shrink", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency[3].Count = 1 }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "not in order"},
		{name: "no last bucket", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency = s.Users.Latency[:4] }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "no bucket +Inf"},
		{name: "no numbers", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency[9].Count = math.NaN() }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive},
		{name: "few in the histogram", check: "latency-p99", canary: seen(1, users(1000, 0, fast...), func(s *Seen) { s.Users.Latency = spread(20, fast...) }), stable: seen(3, users(3000, 0, fast...)), want: Inconclusive, says: "20 requests in the histogram"},
	} {
		r.run(t)
	}
}
