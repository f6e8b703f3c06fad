package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// longNotReady is for how long pods have to be not ready before it counts while the window goes on: the share of a window that
// has only just begun says nothing.
const longNotReady = 30 * time.Second

// life judges what the API server tells of the pods.
func (j *judging) life() []Result {
	stable := Life{}
	if j.stable != nil {
		stable = j.stable.Life
	}
	c := &j.canary.Life
	all := []Result{
		j.count("restarts", "restarts of containers", c.Restarts, stable.Restarts, j.MaxRestarts),
		j.count("oom-kills", "containers killed for their memory", c.OOMKilled, stable.OOMKilled, 0),
		j.count("crash-loops", "pods in a crash loop", c.Crashing, stable.Crashing, 0),
		j.count("readiness", "times that a ready pod was not ready any more", c.Flaps, stable.Flaps, j.MaxFlaps),
		j.notReady(c.NotReady, stable.NotReady),
		j.warnings(c.Warnings, stable.Warnings),
	}
	for i := range all {
		all[i].Source = "API server"
	}
	return all
}

// count judges events: more than allowed is a failure, unless stable's pods have them too and the canary's do not clearly have more
// of them in their time.
func (j *judging) count(check, what string, canary, stable, most int) Result {
	c, s, bound := float64(canary), float64(stable), float64(most)
	r := Result{Check: check, Canary: &c, Bound: &bound, Seen: float64(max(j.canary.Pods, 0))}
	if j.stable != nil {
		r.Stable = &s
	}
	seen := fmt.Sprintf("%d %s", canary, what)
	switch {
	case canary < 0 || stable < 0:
		return r.unknown(fmt.Sprintf("%d and %d %s are no counts", canary, stable, what))
	case canary <= most:
		r.Verdict, r.Message = Pass, seen
	case stable == 0 || worseByChance(c, podTime(&j.canary).Seconds(), s, podTime(j.stable).Seconds(), 1) < doubtful:
		r.Verdict, r.Message = Fail, fmt.Sprintf("%s, %d allowed; %d of stable's pods", seen, most, stable)
	default:
		r.Verdict, r.Message = Inconclusive, fmt.Sprintf("%s, %d allowed, but %d of stable's pods too: no fault of the canary", seen, most, stable)
	}
	return r
}

// notReady judges the time for which pods that had been ready were not.
func (j *judging) notReady(canary, stable time.Duration) Result {
	share := func(d time.Duration, s *Seen) float64 { return min(float64(d)/float64(podTime(s)), 1) }
	c, bound := 100*share(canary, &j.canary), 100*j.MaxNotReady
	r := Result{Check: "not-ready", Unit: "%", Canary: &c, Bound: &bound, Seen: float64(max(j.canary.Pods, 0))}
	s := 0.0
	if j.stable != nil {
		s = 100 * share(stable, j.stable)
		r.Stable = &s
	}
	seen := fmt.Sprintf("pods that had been ready were not for %s, %s of their time", canary.Round(time.Second), percent(c/100))
	over := opinion{Fail, fmt.Sprintf("%s is allowed", percent(j.MaxNotReady))}
	switch {
	case canary < 0 || stable < 0:
		return r.unknown("the time that pods were not ready is negative")
	case c <= bound:
		over = fine
	case !j.final && canary < longNotReady:
		over = opinion{Inconclusive, over.text + ", and the window goes on"}
	}
	relative := fine
	if over.verdict == Fail && c > 2*s {
		relative = over
	}
	return r.conclude(over, relative, s > bound, seen)
}

// warnings judges Events by their reason.
func (j *judging) warnings(canary, stable []Warning) Result {
	byReason := func(all []Warning) (map[string]int, map[string]Warning) {
		counts, last := map[string]int{}, map[string]Warning{}
		for _, w := range all {
			counts[w.Reason] += max(w.Count, 1)
			last[w.Reason] = w
		}
		return counts, last
	}
	counts, last := byReason(canary)
	others, _ := byReason(stable)
	worst := j.count("warnings", "warnings of one reason", 0, 0, j.MaxWarnings)
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		r := j.count("warnings", "warnings "+reason, counts[reason], others[reason], j.MaxWarnings)
		if w := last[reason]; w.Object != "" {
			r.Message += fmt.Sprintf(" (%s: %s)", w.Object, w.Message)
		}
		r.Message = strings.Join(strings.Fields(r.Message), " ")
		if rank(r.Verdict) > rank(worst.Verdict) || r.Verdict == worst.Verdict && *r.Canary > *worst.Canary {
			worst = r
		}
	}
	return worst
}

// rank puts verdicts in order, the worst last.
func rank(v Verdict) int { return slices.Index([]Verdict{Pass, Inconclusive, Fail}, v) }
