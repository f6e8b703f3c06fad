package analysis

import (
	"fmt"
	"math"
	"slices"
)

// Query is one of an analysis file: a figure of each version, and what it may be.
type Query struct {
	Name     string
	Text     Template
	Unit     string
	Max, Min *float64
	// Worse is by how much of stable's figure the canary's may be worse; nil: it is not compared.
	Worse *float64
	// Least is a difference below which nothing is worse, in Unit.
	Least float64
	// MoreIsBetter turns what is worse: a cache's hits, say.
	MoreIsBetter bool
}

// query judges one figure. There is no count behind it that would tell chance from fault: only the window's end decides.
func (j *judging) query(q *Query) Result {
	r := Result{Check: q.Name, Unit: q.Unit, Bound: q.Max}
	value, source, problem := figure(&j.canary, q.Name)
	r.Source = source
	if problem != "" {
		return r.unknown(problem)
	}
	r.Canary, r.Seen = &value, 1
	seen := digits(value) + q.Unit
	var stable *float64
	lacking := noStable
	if j.stable != nil {
		other, _, problem := figure(j.stable, q.Name)
		if lacking = problem; problem == "" {
			stable, r.Stable = &other, &other
			seen += fmt.Sprintf(", stable %s%s", digits(other), q.Unit)
		}
	}
	bound := j.atEnd(q.outside(value))
	relative := fine
	switch {
	case q.Worse == nil:
	case stable == nil && j.stable == nil && (q.Max != nil || q.Min != nil): // the bounds alone judge
	case stable == nil:
		relative = opinion{Inconclusive, "of stable, " + lacking}
	default:
		relative = j.atEnd(q.worse(value, *stable))
	}
	return r.conclude(bound, relative, stable != nil && q.outside(*stable) != "" && !q.lags(value, *stable), seen)
}

// atEnd is a failure only when the window is over; an empty reason is none.
func (j *judging) atEnd(why string) opinion {
	switch {
	case why == "":
		return fine
	case !j.final:
		return opinion{Inconclusive, why + ", and the window goes on"}
	}
	return opinion{Fail, why}
}

// outside says which bound a figure is beyond; empty where it is within.
func (q *Query) outside(v float64) string {
	switch {
	case q.Max != nil && v > *q.Max:
		return fmt.Sprintf("more than %s%s", digits(*q.Max), q.Unit)
	case q.Min != nil && v < *q.Min:
		return fmt.Sprintf("less than %s%s", digits(*q.Min), q.Unit)
	}
	return ""
}

// worse says how a figure is worse than stable's, beyond what is allowed; empty where it is not.
func (q *Query) worse(v, stable float64) string {
	margin := max(math.Abs(stable)**q.Worse, q.Least)
	switch {
	case q.MoreIsBetter && v < stable-margin:
		return fmt.Sprintf("less than %s%s, the least that is allowed beside stable's", digits(stable-margin), q.Unit)
	case !q.MoreIsBetter && v > stable+margin:
		return fmt.Sprintf("more than %s%s, the most that is allowed beside stable's", digits(stable+margin), q.Unit)
	}
	return ""
}

// lags is whether a figure is worse than stable's at all.
func (q *Query) lags(v, stable float64) bool {
	if q.MoreIsBetter {
		return v < stable
	}
	return v > stable
}

func figure(s *Seen, name string) (value float64, source, problem string) {
	i := slices.IndexFunc(s.Figures, func(f Figure) bool { return f.Name == name })
	switch {
	case i < 0:
		return 0, "", "it was not asked"
	case s.Figures[i].Problem != "":
		return 0, s.Figures[i].Source, s.Figures[i].Problem
	case !finite(s.Figures[i].Value):
		return 0, s.Figures[i].Source, "the answer is no number"
	}
	return s.Figures[i].Value, s.Figures[i].Source, ""
}
