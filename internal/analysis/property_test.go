package analysis

import (
	"testing"

	"pgregory.net/rapid"
)

// traffic draws what may be seen of a version.
func traffic(t *rapid.T, name string) func(*Seen) {
	n := rapid.SampledFrom([]float64{0, 50, 100, 300, 1000, 20000}).Draw(t, name+" requests")
	errors := n * rapid.SampledFrom([]float64{0, .001, .01, .02, .05, .5, 1}).Draw(t, name+" errors")
	return users(n, float64(int(errors)), rapid.SliceOfN(rapid.SampledFrom([]float64{.004, .02, .09, .3, .7, 9}), 1, 12).Draw(t, name+" latency")...)
}

func drawnPolicy(t *rapid.T) *Policy {
	changes := [][]func(*Policy){nil, {maxErrors(.01)}, {maxLatency("p99=300ms")}, {maxErrors(.02), maxLatency("p95=100ms"), func(p *Policy) { p.WorseThanStable = nil }}}
	return policy(rapid.SampledFrom(changes).Draw(t, "policy")...)
}

// What is definite before the window ends is not taken back at its end by the same figures.
func TestDefiniteIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, canary, stable := drawnPolicy(t), seen(1, traffic(t, "canary")), seen(3, traffic(t, "stable"))
		early, final := p.Judge(canary, &stable, false), p.Judge(canary, &stable, true)
		for i := range early {
			if early[i].Verdict == Fail && final[i].Verdict != Fail || early[i].Verdict == Pass && final[i].Verdict != Pass {
				t.Errorf("%s: %s, and then %s: %s", early[i].Check, early[i].Verdict, final[i].Verdict, final[i].Message)
			}
		}
	})
}

// More errors of the canary, and fewer of stable, never make it better.
func TestMoreErrorsAreWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, final := drawnPolicy(t), rapid.Bool().Draw(t, "final")
		canary, stable := seen(1, traffic(t, "canary")), seen(3, traffic(t, "stable"))
		before := check(p.Judge(canary, &stable, final), "error-rate")
		more, fewer := *canary.Users, *stable.Users
		more.Errors = min(more.Requests, more.Errors+float64(rapid.IntRange(0, 500).Draw(t, "more")))
		fewer.Errors = max(0, fewer.Errors-float64(rapid.IntRange(0, 500).Draw(t, "fewer")))
		canary.Users, stable.Users = &more, &fewer
		if after := check(p.Judge(canary, &stable, final), "error-rate"); rank(after.Verdict) < rank(before.Verdict) {
			t.Errorf("%s: %s, and with more errors %s: %s", before.Verdict, before.Message, after.Verdict, after.Message)
		}
	})
}

// A canary that shows what stable shows, to the request, is never failed.
func TestSameIsNoWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, same := drawnPolicy(t), seen(2, traffic(t, "both"))
		for _, r := range p.Judge(same, &same, true) {
			if r.Verdict == Fail && p.WorseThanStable != nil {
				t.Errorf("%s: %s", r.Check, r.Message)
			}
		}
	})
}
