package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// world makes windows of traffic with a fixed seed, looked at every 10 s for 5 minutes.
type world struct {
	*rand.Rand
	canary, stable behaviour
	perLook        float64 // requests of the canary between two looks; stable, on three pods, has three times as many
}

// behaviour is how a version answers: a share of errors, and a latency that is log-normal about a median.
type behaviour struct{ errors, median, sigma float64 }

const looks = 30

// poisson is how often something happens, by the normal distribution where it is often.
func (w *world) poisson(mean float64) float64 {
	if mean > 200 {
		return max(0, math.Round(mean+math.Sqrt(mean)*w.NormFloat64()))
	}
	n, p := 0.0, w.Float64()
	for limit := math.Exp(-mean); p > limit; n++ {
		p *= w.Float64()
	}
	return n
}

// more adds the requests between two looks.
func (w *world) more(t *Traffic, b behaviour, mean float64) {
	n := w.poisson(mean)
	t.Requests += n
	for range int(n) {
		if w.Float64() < b.errors {
			t.Errors++
		}
		took := b.median * math.Exp(b.sigma*w.NormFloat64())
		for i := range t.Latency {
			if took <= t.Latency[i].UpTo {
				t.Latency[i].Count++
			}
		}
	}
}

// window is the verdict of one, and after how many requests of the canary a failure was seen.
func (w *world) window(p *Policy) (Verdict, float64) {
	c, s := &Traffic{Latency: spread(0, 1)}, &Traffic{Latency: spread(0, 1)}
	for look := 1; ; look++ {
		w.more(c, w.canary, w.perLook)
		w.more(s, w.stable, 3*w.perLook)
		span := time.Duration(look) * 10 * time.Second
		verdict := Combine(p.Judge(Seen{Pods: 1, Span: span, Users: c}, &Seen{Pods: 3, Span: span, Users: s}, look == looks))
		if verdict == Fail || look == looks {
			return verdict, c.Requests
		}
	}
}

// ends counts how windows end, and returns the most requests that a failure took.
func (w *world) ends(p *Policy, windows int) (shares map[Verdict]float64, slowest float64) {
	shares = map[Verdict]float64{}
	for range windows {
		verdict, n := w.window(p)
		shares[verdict] += 1 / float64(windows)
		if verdict == Fail {
			slowest = max(slowest, n)
		}
	}
	return shares, slowest
}

// A canary that is as good as stable is not failed by noise, at any rate of errors, with few requests and with many.
func TestGoodCanary(t *testing.T) {
	one := policy()
	bounded := policy(maxErrors(.05), maxLatency("p99=2500ms"))
	for _, errors := range []float64{0, .001, .01, .05} {
		for _, perLook := range []float64{5, 40} {
			b := behaviour{errors, .03, .8}
			w := &world{rand.New(rand.NewPCG(1, 2)), b, b, perLook}
			shares, _ := w.ends(one, 150)
			if shares[Fail] > .01 || shares[Inconclusive] > .05 {
				t.Errorf("%g errors, %g requests a look: %v", errors, perLook, shares)
			}
			if errors > .01 {
				continue
			}
			if shares, _ := w.ends(bounded, 50); shares[Fail] > .02 {
				t.Errorf("%g errors under a bound of 5%%, %g requests a look: %v", errors, perLook, shares)
			}
		}
	}
}

// A canary that is worse is found, and soon.
func TestBadCanary(t *testing.T) {
	good := behaviour{0, .03, .5}
	for name, c := range map[string]struct {
		bad  behaviour
		most float64 // requests
	}{
		"5% errors":     {behaviour{.05, .03, .5}, 500},
		"all fail":      {behaviour{1, .03, .5}, 150},
		"200 ms slower": {behaviour{0, .23, .5}, 200},
		"slow tail":     {behaviour{0, .03, 2}, 500},
	} {
		w := &world{rand.New(rand.NewPCG(3, 4)), c.bad, good, 20}
		shares, slowest := w.ends(policy(), 60)
		if shares[Fail] < 1-1e-9 || slowest > c.most {
			t.Errorf("%s: %v, after up to %g requests", name, shares, slowest)
		}
	}
}

// Where stable is as sick nothing is failed; nor is a canary that nobody uses.
func TestSickCluster(t *testing.T) {
	sick := behaviour{.1, .5, .5}
	w := &world{rand.New(rand.NewPCG(5, 6)), sick, sick, 20}
	if shares, _ := w.ends(policy(maxErrors(.01), maxLatency("p99=100ms")), 40); shares[Inconclusive] < .97 {
		t.Errorf("stable is sick: %v", shares)
	}
	w.canary = behaviour{0, .03, .5}
	if shares, _ := w.ends(policy(maxErrors(.01), maxLatency("p99=250ms")), 40); shares[Pass] < .97 {
		t.Errorf("only stable is sick: %v", shares)
	}
	w.perLook = .1
	if shares, _ := w.ends(policy(), 40); shares[Inconclusive] < 1-1e-9 {
		t.Errorf("nobody uses it: %v", shares)
	}
}
