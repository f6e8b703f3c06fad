package analysis

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func usage(cpu, memoryMi float64, limits ...float64) func(*Seen) {
	return func(s *Seen) {
		s.Usage = &Usage{Source: "metrics.k8s.io", Pods: s.Pods, CPU: cpu, Memory: memoryMi * (1 << 20)}
		if len(limits) == 2 {
			s.Usage.CPUOfLimit, s.Usage.MemoryOfLimit = &limits[0], &limits[1]
		}
	}
}

func TestUsage(t *testing.T) {
	for _, r := range []row{
		{name: "as stable", check: "memory", canary: seen(1, usage(.1, 100)), stable: seen(3, usage(.1, 100)), want: Pass, says: "100Mi a pod, 100Mi of stable's"},
		{name: "more", check: "memory", canary: seen(1, usage(.1, 400)), stable: seen(3, usage(.1, 200)), want: Fail, says: "more than 300Mi"},
		{name: "more so far", check: "memory", canary: seen(1, usage(.1, 400)), stable: seen(3, usage(.1, 200)), early: true, want: Inconclusive},
		{name: "thrice next to nothing", check: "memory", canary: seen(1, usage(.1, 60)), stable: seen(3, usage(.1, 20)), want: Pass},
		{name: "about to be killed", check: "memory-limit", canary: seen(1, usage(.1, 100, .1, .95)), stable: seen(3, usage(.1, 100, .1, .5)), early: true, want: Fail, says: "95% of the limit of memory"},
		{name: "stable too", check: "memory-limit", canary: seen(1, usage(.1, 100, .1, .96)), stable: seen(3, usage(.1, 100, .1, .95)), want: Inconclusive, says: "no fault"},
		{name: "room", check: "memory-limit", canary: seen(1, usage(.1, 100, .1, .94)), stable: seen(3, usage(.1, 100)), want: Pass},
		{name: "at the limit of CPU", check: "cpu-limit", canary: seen(1, usage(.1, 100, 1, .1)), stable: seen(3, usage(.1, 100, .5, .1)), want: Pass, says: "slowed down"},
		{name: "requests are not counted", check: "cpu", canary: seen(1, usage(.9, 100)), stable: seen(3, usage(.1, 100)), want: Pass, says: "requests are not counted"},
		{name: "more for as many requests", check: "cpu", canary: seen(1, usage(.9, 100), users(1000, 0)), stable: seen(3, usage(.1, 100), users(3000, 0)), want: Fail, says: "more than 0.15 for as many requests"},
		{name: "more so far", check: "cpu", canary: seen(1, usage(.9, 100), users(1000, 0)), stable: seen(3, usage(.1, 100), users(3000, 0)), early: true, want: Inconclusive},
		{name: "more for more requests", check: "cpu", canary: seen(1, usage(.3, 100), users(3000, 0)), stable: seen(3, usage(.1, 100), users(3000, 0)), want: Pass},
		{name: "no less for less requests", check: "cpu", canary: seen(1, usage(.1, 100), users(300, 0)), stable: seen(3, usage(.1, 100), users(3000, 0)), want: Pass},
		{name: "tiny", check: "cpu", canary: seen(1, usage(.04, 100), users(1000, 0)), stable: seen(3, usage(.001, 100), users(3000, 0)), want: Pass},
		{name: "no pod is measured", check: "usage", canary: seen(0, usage(0, 0)), stable: seen(3, usage(.1, 100)), want: Inconclusive, says: "no pod is measured"},
		{name: "no numbers", check: "usage", canary: seen(1, usage(math.NaN(), 0)), stable: seen(3, usage(.1, 100)), want: Inconclusive},
		{name: "no share", check: "usage", canary: seen(1, usage(1, 1, 1, math.Inf(1))), stable: seen(3, usage(.1, 100)), want: Inconclusive},
		{name: "forbidden", check: "usage", canary: seen(1, func(s *Seen) { s.Usage = &Usage{Problem: "forbidden"} }), stable: seen(3, usage(.1, 100)), want: Inconclusive, says: "forbidden"},
		{name: "nothing of stable", check: "memory", canary: seen(1, usage(.1, 100)), stable: seen(3), want: Inconclusive, says: "nothing of stable"},
	} {
		r.run(t)
	}
}

// What nobody asked for does not hold a migration up when it is not there.
func TestInfo(t *testing.T) {
	for name, c := range map[string]struct {
		canary, stable Seen
		info           []string
	}{
		"usage not measured":          {seen(0, usage(0, 0)), seen(3), []string{"usage"}},
		"stable's usage not measured": {seen(1, usage(1, 1, .99, .5)), seen(3), []string{"cpu", "memory", "cpu-limit"}},
		"no histogram":                {seen(1, users(1000, 0)), seen(3, users(3000, 0)), []string{"latency", "traffic-share"}},
		"another share than expected": {seen(1, users(100, 0, .01)), seen(3, users(9000, 0, .01)), []string{"traffic-share"}},
	} {
		all := policy().Judge(c.canary, &c.stable, true)
		var info []string
		for _, r := range all {
			if r.Info {
				info = append(info, r.Check)
			}
		}
		if !slices.Equal(info, c.info) || Combine(all) != Pass {
			t.Errorf("%s: %s, %q", name, Combine(all), info)
		}
	}
}

func TestShare(t *testing.T) {
	for _, r := range []row{
		{name: "as expected", canary: seen(1, users(1000, 0)), stable: seen(3, users(3000, 0)), want: Pass, says: "25% of the requests, 25% of the endpoints"},
		{name: "kept connections", canary: seen(1, users(270, 0)), stable: seen(3, users(2730, 0)), want: Pass, says: "9% of the requests, 25% of the endpoints: clients that keep connections"},
	} {
		r.check = "traffic-share"
		r.run(t)
	}
	for name, c := range map[string]Seen{
		"no figures":  seen(3),
		"a problem":   seen(3, func(s *Seen) { s.Users = &Traffic{Problem: "timeout", Requests: 1000} }),
		"negative":    seen(3, users(-5, 0)),
		"no number":   seen(3, users(math.NaN(), 0)),
		"almost none": seen(3, users(3, 0)),
		"no pods":     seen(-1, users(3000, 0)),
	} {
		if r := check(policy().Judge(seen(1, users(90, 0)), &c, true), "traffic-share"); r != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func figures(all ...Figure) func(*Seen) { return func(s *Seen) { s.Figures = all } }

func TestQueries(t *testing.T) {
	asked := func(change ...func(*Query)) *Policy {
		q := Query{Name: "queue", Unit: "s"}
		for _, c := range change {
			c(&q)
		}
		return policy(func(p *Policy) { p.Queries = []Query{q} })
	}
	most := func(x float64) func(*Query) { return func(q *Query) { q.Max = &x } }
	least := func(x float64) func(*Query) { return func(q *Query) { q.Min = &x } }
	worse := func(x float64) func(*Query) { return func(q *Query) { q.Worse = &x } }
	higher := func(q *Query) { q.MoreIsBetter = true }
	is := func(x float64) func(*Seen) {
		return figures(Figure{Name: "other", Value: 7}, Figure{Name: "queue", Value: x})
	}
	for _, r := range []row{
		{name: "within", policy: asked(most(10)), canary: seen(1, is(10)), stable: seen(3, is(3)), want: Pass, says: "10s, stable 3s"},
		{name: "more", policy: asked(most(10)), canary: seen(1, is(10.5)), stable: seen(3, is(3)), want: Fail, says: "more than 10s"},
		{name: "more so far", policy: asked(most(10)), canary: seen(1, is(10.5)), stable: seen(3, is(3)), early: true, want: Inconclusive},
		{name: "less", policy: asked(least(10)), canary: seen(1, is(9)), stable: seen(3, is(30)), want: Fail, says: "less than 10s"},
		{name: "stable more", policy: asked(most(10)), canary: seen(1, is(11)), stable: seen(3, is(12)), want: Inconclusive, says: "no fault"},
		{name: "stable more, but less", policy: asked(most(10)), canary: seen(1, is(12)), stable: seen(3, is(11)), want: Fail},
		{name: "stable less too", policy: asked(least(10), higher), canary: seen(1, is(9)), stable: seen(3, is(8)), want: Inconclusive},
		{name: "not worse", policy: asked(worse(.2)), canary: seen(1, is(12)), stable: seen(3, is(10)), want: Pass},
		{name: "worse", policy: asked(worse(.2)), canary: seen(1, is(12.1)), stable: seen(3, is(10)), want: Fail, says: "more than 12s, the most that is allowed beside stable's"},
		{name: "better is higher", policy: asked(worse(.2), higher), canary: seen(1, is(12.1)), stable: seen(3, is(10)), want: Pass},
		{name: "worse is lower", policy: asked(worse(.2), higher), canary: seen(1, is(7.9)), stable: seen(3, is(10)), want: Fail, says: "less than 8s, the least that is allowed beside stable's"},
		{name: "of negative figures", policy: asked(worse(.2)), canary: seen(1, is(-9)), stable: seen(3, is(-10)), want: Pass},
		{name: "next to nothing", policy: asked(worse(.2), func(q *Query) { q.Least = 1 }), canary: seen(1, is(.9)), stable: seen(3, is(0)), want: Pass},
		{name: "nothing of stable", policy: asked(worse(.2), most(20)), canary: seen(1, is(9)), stable: seen(3), want: Inconclusive, says: "of stable, it was not asked"},
		{name: "no stable", policy: asked(worse(.2)), canary: seen(1, is(9)), alone: true, want: Inconclusive, says: "no window in which stable served"},
		{name: "no stable, but a bound", policy: asked(worse(.2), most(20)), canary: seen(1, is(9)), alone: true, want: Pass},
		{name: "not asked", policy: asked(most(1)), canary: seen(1), stable: seen(3, is(1)), want: Inconclusive, says: "it was not asked"},
		{name: "NaN", policy: asked(most(1)), canary: seen(1, is(math.NaN())), stable: seen(3, is(1)), want: Inconclusive, says: "no number"},
		{name: "infinite", policy: asked(least(1)), canary: seen(1, is(math.Inf(1))), stable: seen(3, is(1)), want: Inconclusive, says: "no number"},
		{name: "the source fails", policy: asked(most(1)), canary: seen(1, figures(Figure{Name: "queue", Problem: "bad query"})), stable: seen(3), want: Inconclusive, says: "bad query"},
	} {
		r.check = "queue"
		r.run(t)
	}
}

func TestCombine(t *testing.T) {
	info := func(v Verdict) Result { return Result{Verdict: v, Info: true} }
	of := func(v Verdict) Result { return Result{Verdict: v} }
	for _, c := range []struct {
		all  []Result
		want Verdict
	}{
		{nil, Inconclusive},
		{[]Result{info(Pass)}, Inconclusive},
		{[]Result{of(Pass), info(Fail), info(Inconclusive)}, Pass},
		{[]Result{of(Pass), of(Inconclusive), of(Pass)}, Inconclusive},
		{[]Result{of(Inconclusive), of(Fail), of(Pass)}, Fail},
		{[]Result{of(Pass), of("")}, Inconclusive},
	} {
		if got := Combine(c.all); got != c.want {
			t.Errorf("%+v: %s, want %s", c.all, got, c.want)
		}
	}
}

// What is judged depends on what was asked, and comes in one order.
func TestChecks(t *testing.T) {
	life := []string{"restarts", "oom-kills", "crash-loops", "readiness", "not-ready", "warnings"}
	everything := func(s *Seen) {
		usage(.1, 100, .1, .1)(s)
		users(1000, 0, .01)(s)
		s.Probes = s.Users
	}
	p := policy(maxLatency("p99.9=1s"), func(p *Policy) { p.Queries = []Query{{Name: "b"}, {Name: "a"}} })
	for _, c := range []struct {
		canary, stable Seen
		want           []string
	}{
		{seen(1), seen(3, everything), append(slices.Clone(life), "b", "a")},
		{seen(1, everything), seen(3, everything), append(slices.Clone(life),
			"cpu", "memory", "cpu-limit", "memory-limit",
			"error-rate", "latency-p50", "latency-p95", "latency-p99", "latency-p99.9", "traffic-share",
			"probe-error-rate", "probe-latency-p50", "probe-latency-p95", "probe-latency-p99", "probe-latency-p99.9", "b", "a")},
	} {
		var got []string
		for _, r := range p.Judge(c.canary, &c.stable, true) {
			got = append(got, r.Check)
			if r.Check != "a" && r.Check != "b" && !builtIn(r.Check) {
				t.Errorf("a query may be called %s", r.Check)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
