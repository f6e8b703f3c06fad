package analysis

import "math"

// counted is what pods have counted between two readings.
type counted struct {
	requests, errors float64
	latency          Histogram
}

func (c *counted) add(other counted) {
	c.requests += other.requests
	c.errors += other.errors
	c.latency = c.latency.Plus(other.latency)
}

// since returns what was counted since an earlier reading of the same pod. What has become less was counted from 0 again, and what
// was not there before was 0, as everything was when the process has begun anew: what it had counted until then is lost.
func (r reading) since(before reading) counted {
	if before.began != r.began {
		before = reading{}
	}
	grown := func(was, is float64) float64 {
		if is < was {
			return is
		}
		return is - was
	}
	var c counted
	for key, now := range r.requests {
		n := grown(before.requests[key].value, now.value)
		c.requests += n
		if now.failed {
			c.errors += n
		}
	}
	c.latency = r.sum(before)
	return c
}

// sum adds up the histograms of all series, by what each has grown. Series have the same bounds: they are of one metric.
func (r reading) sum(before reading) Histogram {
	byFamily := map[string]map[float64]float64{}
	for key, now := range r.buckets {
		all := key
		all.upTo = math.Inf(1)
		n := now
		if r.buckets[all] >= before.buckets[all] {
			n = max(0, now-before.buckets[key])
		}
		if byFamily[key.metric] == nil {
			byFamily[key.metric] = map[float64]float64{}
		}
		byFamily[key.metric][key.upTo] += n
	}
	var sum Histogram
	for _, name := range r.names {
		if upTo := byFamily[name]; upTo != nil {
			sum = sum.Plus(histogramOf(upTo))
		}
	}
	return sum
}
