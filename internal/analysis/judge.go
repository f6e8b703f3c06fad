package analysis

import (
	"strings"
	"time"
)

// judging is one look at a canary.
type judging struct {
	*Policy
	canary Seen
	stable *Seen // nil where it has never served in a window
	final  bool  // the window is over
}

// Judge holds a canary against bounds, and against stable over the same window; where stable has no pods any more, over the last
// window in which it served, which the caller keeps, or nil. There is one result for each check that has a source, in a fixed order.
//
// While the window goes on, a failure is one that more requests will not undo; at its end, final, what was observed decides.
func (p *Policy) Judge(canary Seen, stable *Seen, final bool) []Result {
	j := &judging{p, canary, stable, final}
	all := j.life()
	all = append(all, j.usage()...)
	var users, probes *Traffic
	if stable != nil {
		users, probes = stable.Users, stable.Probes
	}
	if canary.Users != nil {
		all = append(all, j.traffic("", canary.Users, users)...)
		all = append(all, j.share()...)
	}
	if canary.Probes != nil {
		all = append(all, j.traffic("probe-", canary.Probes, probes)...)
	}
	for i := range p.Queries {
		all = append(all, j.query(&p.Queries[i]))
	}
	return all
}

// builtIn are the names that queries may not have.
func builtIn(name string) bool {
	name = strings.TrimPrefix(name, "probe-")
	switch name {
	case "restarts", "oom-kills", "crash-loops", "readiness", "not-ready", "warnings", "usage", "cpu", "memory", "cpu-limit", "memory-limit",
		"error-rate", "traffic-share":
		return true
	}
	return name == "latency" || strings.HasPrefix(name, "latency-")
}

// opinion is what one of a check's two comparisons comes to: with a bound, or with stable.
type opinion struct {
	verdict Verdict
	text    string // why, where it is no pass
}

var fine = opinion{verdict: Pass}

// noStable is why nothing can be compared.
const noStable = "there is no window in which stable served to compare with"

// conclude puts the two comparisons of a check together. A bound that stable is beyond as well says nothing of the canary.
func (r Result) conclude(bound, relative opinion, stableToo bool, seen string) Result {
	if bound.verdict == Fail && stableToo {
		bound = opinion{Inconclusive, bound.text + ", and so is stable's: no fault of the canary"}
	}
	r.Verdict, r.Message = Pass, seen
	for _, verdict := range []Verdict{Fail, Inconclusive} {
		for _, o := range []opinion{bound, relative} {
			if o.verdict == verdict {
				r.Verdict, r.Message = verdict, seen+": "+o.text
				return r
			}
		}
	}
	return r
}

// unknown is a check that cannot tell, and why.
func (r Result) unknown(why string) Result {
	r.Verdict, r.Message = Inconclusive, strings.Join(strings.Fields(why), " ")
	return r
}

// podTime is how long the pods of a version were watched, taken together.
func podTime(s *Seen) time.Duration { return time.Duration(max(s.Pods, 1)) * max(s.Span, time.Second) }
