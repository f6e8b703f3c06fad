package analysis

import (
	"math"
	"time"
)

// seen is a version whose pods are well, over five minutes.
func seen(pods int, change ...func(*Seen)) Seen {
	s := Seen{Version: "v", Pods: pods, Span: 5 * time.Minute}
	for _, c := range change {
		c(&s)
	}
	return s
}

func users(requests, errors float64, latency ...float64) func(*Seen) {
	return func(s *Seen) {
		s.Users = &Traffic{Source: "test", Requests: requests, Errors: errors, Latency: spread(requests, latency...)}
	}
}

// spread is a histogram of requests that took these times, as many of each; nil without one.
func spread(requests float64, latency ...float64) Histogram {
	if len(latency) == 0 {
		return nil
	}
	var h Histogram
	for _, edge := range []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, math.Inf(1)} {
		b := Bucket{UpTo: edge}
		for _, l := range latency {
			if l <= edge {
				b.Count += requests / float64(len(latency))
			}
		}
		h = append(h, b)
	}
	return h
}

// policy is the default one, changed.
func policy(change ...func(*Policy)) *Policy {
	p := DefaultPolicy()
	for _, c := range change {
		c(&p)
	}
	return &p
}

func maxErrors(share float64) func(*Policy) { return func(p *Policy) { p.MaxErrorRate = &share } }

func maxLatency(s string) func(*Policy) {
	return func(p *Policy) { p.MaxLatency, _ = ParseLatencies([]string{s}) }
}

// check is the result of that name.
func check(all []Result, name string) *Result {
	for i := range all {
		if all[i].Check == name {
			return &all[i]
		}
	}
	return nil
}
