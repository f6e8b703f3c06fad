package analysis

import (
	"fmt"
	"math"
	"slices"
)

// leastLatency is a difference in seconds below which nothing is slower.
const leastLatency = 0.005

// compared are the quantiles that are held against stable's.
var compared = []float64{0.5, 0.95, 0.99}

// latencies judges each quantile that has a bound, or is compared with stable.
func (j *judging) latencies(prefix string, canary, stable *Traffic) []Result {
	limits := map[float64]*LatencyBound{}
	var quantiles []float64
	if j.WorseThanStable != nil {
		quantiles = append(quantiles, compared...)
	}
	for i, b := range j.MaxLatency {
		limits[b.Quantile] = &j.MaxLatency[i]
		quantiles = append(quantiles, b.Quantile)
	}
	slices.Sort(quantiles)
	if len(canary.Latency) == 0 && len(limits) == 0 && len(quantiles) > 0 && canary.Problem == "" {
		r := Result{Check: prefix + "latency", Unit: "s", Source: canary.Source, Info: true}
		return []Result{r.unknown("the source does not tell how long requests took, and no bound asks for it")}
	}
	var all []Result
	for _, q := range slices.Compact(quantiles) {
		all = append(all, j.latency(prefix, q, limits[q], canary, stable))
	}
	return all
}

func (j *judging) latency(prefix string, q float64, limit *LatencyBound, canary, stable *Traffic) Result {
	name := percentile(q)
	r := Result{Check: prefix + "latency-" + name, Unit: "s", Source: canary.Source}
	if why := j.wrongLatency(canary); why != "" {
		return r.unknown(why)
	}
	at := canary.Latency.find(q)
	r.Canary, r.Seen = &at.value, canary.Latency.Total()
	seen := fmt.Sprintf("%s %s", name, at)
	bound, stableToo := fine, false
	if limit != nil {
		most := limit.Max.Seconds()
		r.Bound = &most
		bound = j.boundLatency(canary.Latency, q, at, most)
	}
	if stable != nil && j.wrongLatency(stable) == "" {
		other := stable.Latency.find(q)
		r.Stable = &other.value
		seen += fmt.Sprintf(", stable %s", other)
		// Stable's own place in its bucket counts: it need not be certain of stable to be no fault of the canary.
		stableToo = limit != nil && max(other.lower, other.value) >= limit.Max.Seconds() &&
			longer(j.excused(), q, canary.Latency, stable.Latency).verdict != Fail
	}
	return r.conclude(bound, j.slower(&r, q, limit != nil, canary, stable), stableToo, seen)
}

// wrongLatency is wrong for the histogram too.
func (p *Policy) wrongLatency(t *Traffic) string {
	if why := p.wrong(t); why != "" {
		return why
	}
	h := t.Latency
	if len(h) == 0 {
		return "the source does not tell how long requests took"
	}
	last := Bucket{UpTo: math.Inf(-1)}
	for _, b := range h {
		if math.IsNaN(b.UpTo) || b.UpTo < 0 || b.UpTo <= last.UpTo || !finite(b.Count) || b.Count < last.Count {
			return "the histogram is none: its buckets are not in order"
		}
		last = b
	}
	switch {
	case !math.IsInf(last.UpTo, 1):
		return "the histogram has no bucket +Inf"
	case math.Round(last.Count) < p.MinRequests:
		return fmt.Sprintf("%s requests in the histogram are too few: want %s", amount(last.Count), amount(p.MinRequests))
	}
	return ""
}

// boundLatency holds a quantile against a bound. While the window goes on, it fails when too many requests were certainly slower than
// the bound to be the slowest 1-q of them by chance.
func (j *judging) boundLatency(h Histogram, q float64, at spot, most float64) opinion {
	over := fmt.Sprintf("more than %s", took(most))
	switch {
	case at.upper <= most || at.value <= most && !math.IsInf(at.upper, 1):
		return fine
	case at.lower >= most && (j.final || byChance(h.certainlyOver(most), h.Total(), 1-q) < definite):
		return opinion{Fail, over}
	case at.lower >= most:
		return opinion{Inconclusive, over + ", and the window goes on"}
	case math.IsInf(at.upper, 1):
		return opinion{Inconclusive, fmt.Sprintf("the histogram ends at %s, below the bound of %s", took(at.lower), took(most))}
	}
	return opinion{Inconclusive, fmt.Sprintf("the bucket from %s to %s holds the bound of %s too: take a bound at the edge of a bucket", took(at.lower), took(at.upper), took(most))}
}

// slower compares a quantile with stable's.
func (j *judging) slower(r *Result, q float64, bounded bool, canary, stable *Traffic) opinion {
	switch {
	case j.WorseThanStable == nil:
		return fine
	case stable == nil && bounded:
		return fine // the bound alone judges
	case stable == nil:
		return opinion{Inconclusive, noStable}
	case j.wrongLatency(stable) != "":
		return opinion{Inconclusive, "of stable, " + j.wrongLatency(stable)}
	}
	if most := longest(*j.WorseThanStable, stable.Latency.find(q).value); r.Bound == nil || most < *r.Bound {
		r.Bound = &most
	}
	return longer(*j.WorseThanStable, q, canary.Latency, stable.Latency)
}

// longest is what is allowed beside a quantile of stable.
func longest(worse, stable float64) float64 { return max(stable*(1+worse), stable+leastLatency) }

// longer tells whether more of the canary's requests are beyond stable's quantile, and what it may be worse, than of stable's beyond
// that quantile. Only what is so wherever in their buckets the requests were is a failure.
func longer(worse, q float64, canary, stable Histogram) opinion {
	mine, other := canary.find(q), stable.find(q)
	n, m := canary.Total(), stable.Total()
	if math.IsInf(other.upper, 1) {
		if mine.upper <= other.lower {
			return fine
		}
		return opinion{Inconclusive, fmt.Sprintf("stable's histogram ends at %s, below its %s", took(other.lower), percentile(q))}
	}
	most, certain := longest(worse, other.value), longest(worse, other.upper)
	text := fmt.Sprintf("more than %s, the most that is allowed beside stable's", took(most))
	if mine.lower >= certain && worseByChance(canary.certainlyOver(certain), n, m-stable.upTo(other.upper), m, 1) < definite {
		return opinion{Fail, text}
	}
	if mine.value > most && worseByChance(n-canary.upTo(most), n, (1-q)*m, m, 1) < doubtful {
		return opinion{Inconclusive, text + ", but requests or buckets are too few to be sure"}
	}
	return fine
}

func (s spot) String() string {
	if math.IsInf(s.upper, 1) {
		return "over " + took(s.lower)
	}
	return took(s.value)
}
