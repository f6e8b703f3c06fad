package analysis

import (
	"cmp"
	"math"
	"slices"
)

// Histogram is how many requests took up to how long: cumulative buckets in order, the last one without a bound.
type Histogram []Bucket

// Bucket counts the requests that took up to UpTo seconds; +Inf in the last one.
type Bucket struct {
	UpTo  float64
	Count float64
}

// Total is how many requests there are.
func (h Histogram) Total() float64 {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].Count
}

// Quantile returns within which time, in seconds, a share q of the requests was answered, as histogram_quantile of Prometheus
// does: by linear interpolation within the bucket, from 0 in the first one. So it may be wrong by the width of that bucket. Of what
// took longer than the highest bound it returns that bound: it was at least that. It is NaN for no requests, for fewer than two
// buckets, without one for +Inf, and for a q that is not between 0 and 1.
func (h Histogram) Quantile(q float64) float64 {
	last := len(h) - 1
	if last < 1 || !math.IsInf(h[last].UpTo, 1) || !(h.Total() > 0) || !(q >= 0 && q <= 1) {
		return math.NaN()
	}
	return h.find(q).value
}

// Beyond says that a quantile is in the bucket without a bound: Quantile returns less than it was.
func (h Histogram) Beyond(q float64) bool {
	last := len(h) - 1
	return last > 0 && h.Total() > 0 && h[last-1].Count < q*h.Total()
}

// Plus adds what another histogram counts. Where their bounds differ those remain that both have, at which the counts are
// exact; one of no buckets changes nothing.
func (h Histogram) Plus(other Histogram) Histogram {
	if len(h) == 0 || len(other) == 0 {
		return slices.Concat(h, other)
	}
	var sum Histogram
	for _, a := range h {
		if i := slices.IndexFunc(other, func(b Bucket) bool { return b.UpTo == a.UpTo }); i >= 0 {
			sum = append(sum, Bucket{a.UpTo, a.Count + other[i].Count})
		}
	}
	return sum
}

// histogramOf makes buckets of the counts up to each bound, in order. A count below that of a smaller bound, which readings that
// are not of one moment may have, is raised to it.
func histogramOf(upTo map[float64]float64) (h Histogram) {
	for bound, count := range upTo {
		h = append(h, Bucket{bound, count})
	}
	slices.SortFunc(h, func(a, b Bucket) int { return cmp.Compare(a.UpTo, b.UpTo) })
	for i := 1; i < len(h); i++ {
		h[i].Count = max(h[i].Count, h[i-1].Count)
	}
	return h
}

// spot is where a quantile is: in a bucket, and where in it by the rule of Prometheus' histogram_quantile.
type spot struct{ lower, upper, value float64 }

// find is where a quantile is. Within a bucket requests are taken to be spread evenly.
func (h Histogram) find(q float64) spot {
	rank := q * h.Total()
	i := slices.IndexFunc(h, func(b Bucket) bool { return b.Count >= rank })
	s := spot{upper: h[i].UpTo}
	before := 0.0
	if i > 0 {
		s.lower, before = h[i-1].UpTo, h[i-1].Count
	}
	s.lower = max(s.lower, 0)
	inside := h[i].Count - before
	switch s.value = s.lower; {
	case s.upper <= 0:
		s.value = s.upper
	case inside > 0 && !math.IsInf(s.upper, 1):
		s.value += (s.upper - s.lower) * (rank - before) / inside
	}
	return s
}

// certainlyOver counts the requests in buckets that begin at t seconds or later.
func (h Histogram) certainlyOver(t float64) float64 {
	for _, b := range h {
		if b.UpTo >= t {
			return h.Total() - b.Count
		}
	}
	return 0
}

// upTo is how many requests took up to t seconds, spread evenly within their bucket; those of the last bucket took longer.
func (h Histogram) upTo(t float64) float64 {
	before := Bucket{}
	for _, b := range h {
		if t < b.UpTo {
			if math.IsInf(b.UpTo, 1) || t <= before.UpTo {
				return before.Count
			}
			return before.Count + (b.Count-before.Count)*(t-before.UpTo)/(b.UpTo-before.UpTo)
		}
		before = b
	}
	return before.Count
}
