package analysis

import (
	"fmt"
	"math"
)

// leastErrors is a difference of error shares below which nothing is worse.
const leastErrors = 0.001

// traffic judges requests: users', or with a prefix to the checks' names our own.
func (j *judging) traffic(prefix string, canary, stable *Traffic) []Result {
	all := []Result{j.errorRate(prefix+"error-rate", canary, stable)}
	return append(all, j.latencies(prefix, canary, stable)...)
}

// wrong says why requests cannot be trusted, or that they are too few; empty where they will do.
func (p *Policy) wrong(t *Traffic) string {
	switch {
	case t.Problem != "":
		return t.Problem
	case !finite(t.Requests) || t.Requests < 0:
		return t.Source + " has no count of requests"
	case math.Round(t.Requests) < p.MinRequests:
		return fmt.Sprintf("%s requests are too few: want %s", amount(t.Requests), amount(p.MinRequests))
	}
	return ""
}

// wrongErrors is wrong for the errors too.
func (p *Policy) wrongErrors(t *Traffic) string {
	switch why := p.wrong(t); {
	case why != "":
		return why
	case math.IsNaN(t.Errors):
		return "errors cannot be told: " + t.Source + " has no label for the status"
	case !finite(t.Errors) || t.Errors < 0 || t.Errors > t.Requests*1.01+1:
		return fmt.Sprintf("%s has no count of the errors of %s requests", t.Source, amount(t.Requests))
	}
	return ""
}

func (t *Traffic) rate() float64 { return min(t.Errors/t.Requests, 1) }

func (j *judging) errorRate(check string, canary, stable *Traffic) Result {
	r := Result{Check: check, Unit: "%", Source: canary.Source, Seen: observations(canary.Requests)}
	if why := j.wrongErrors(canary); why != "" {
		return r.unknown(why)
	}
	rate := canary.rate()
	r.Canary = ofHundred(rate)
	seen := fmt.Sprintf("%s of %s requests failed", percent(rate), amount(canary.Requests))
	bound, stableToo := fine, false
	if j.MaxErrorRate != nil {
		r.Bound = ofHundred(*j.MaxErrorRate)
		switch most := *j.MaxErrorRate; {
		case rate <= most:
		case j.final || byChance(canary.Errors, canary.Requests, most) < definite:
			bound = opinion{Fail, fmt.Sprintf("more than %s", percent(most))}
		default:
			bound = opinion{Inconclusive, fmt.Sprintf("more than %s, and the window goes on", percent(most))}
		}
	}
	if stable != nil && j.wrongErrors(stable) == "" {
		other := stable.rate()
		r.Stable = ofHundred(other)
		seen += fmt.Sprintf(", %s of stable's %s", percent(other), amount(stable.Requests))
		stableToo = j.MaxErrorRate != nil && other > *j.MaxErrorRate && moreErrors(j.excused(), canary, stable).verdict != Fail
	}
	return r.conclude(bound, j.worseErrors(&r, canary, stable), stableToo, seen)
}

// excused is by how much a canary may be worse than a stable that is beyond the same bound, for its fault to be no fault of its own.
func (p *Policy) excused() float64 {
	if p.WorseThanStable == nil {
		return *DefaultPolicy().WorseThanStable // none compares nothing, but what both do is not to be blamed on one
	}
	return *p.WorseThanStable
}

// worseErrors compares the shares of errors.
func (j *judging) worseErrors(r *Result, canary, stable *Traffic) opinion {
	switch {
	case j.WorseThanStable == nil:
		return fine
	case stable == nil && j.MaxErrorRate != nil:
		return fine // the bound alone judges
	case stable == nil:
		return opinion{Inconclusive, noStable}
	case j.wrongErrors(stable) != "":
		return opinion{Inconclusive, "of stable, " + j.wrongErrors(stable)}
	}
	if most := mostErrors(*j.WorseThanStable, stable); r.Bound == nil || 100*most < *r.Bound {
		r.Bound = ofHundred(most)
	}
	return moreErrors(*j.WorseThanStable, canary, stable)
}

// mostErrors is the share that is allowed beside stable's.
func mostErrors(worse float64, stable *Traffic) float64 {
	return max((1+worse)*stable.rate(), stable.rate()+leastErrors)
}

func moreErrors(worse float64, canary, stable *Traffic) opinion {
	most := mostErrors(worse, stable)
	chance := worseByChance(canary.Errors, canary.Requests, stable.Errors, stable.Requests, 1+worse)
	switch {
	case canary.rate() <= most || chance >= doubtful:
		return fine
	case chance >= definite:
		return opinion{Inconclusive, fmt.Sprintf("more than %s, but of too few requests to be sure", percent(most))}
	}
	return opinion{Fail, fmt.Sprintf("more than %s, the most that is allowed beside stable's", percent(most))}
}

// share compares the observed share of the requests with that of the endpoints. It never judges: a version is not to blame for what it
// is sent.
func (j *judging) share() []Result {
	if j.stable == nil || j.stable.Users == nil || j.canary.Users.Problem+j.stable.Users.Problem != "" {
		return nil
	}
	requests := j.canary.Users.Requests + j.stable.Users.Requests
	pods := j.canary.Pods + j.stable.Pods
	if !finite(requests) || j.canary.Users.Requests < 0 || j.stable.Users.Requests < 0 || requests < j.MinRequests || pods <= 0 {
		return nil
	}
	observed, expected := j.canary.Users.Requests/requests, float64(j.canary.Pods)/float64(pods)
	r := Result{Check: "traffic-share", Info: true, Verdict: Pass, Unit: "%", Source: j.canary.Users.Source, Seen: requests, Canary: ofHundred(observed)}
	r.Message = fmt.Sprintf("%s of the requests, %s of the endpoints", percent(observed), percent(expected))
	if math.Abs(observed-expected) > 0.1 {
		r.Message += ": clients that keep connections stay with the pods they have"
	}
	return []Result{r}
}

// ofHundred is a share in percent.
func ofHundred(share float64) *float64 { share *= 100; return &share }

// observations is how many observations there are; 0 where the figure is none.
func observations(n float64) float64 {
	if !finite(n) || n < 0 {
		return 0
	}
	return n
}
