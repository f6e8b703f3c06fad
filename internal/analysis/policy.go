package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy is what a canary is held to. Shares are of 1.
type Policy struct {
	MaxErrorRate    *float64 // share of requests; nil: only as stable
	MaxLatency      []LatencyBound
	WorseThanStable *float64 // by how much of stable's figure the canary's may be worse; nil: it is not compared
	MinRequests     float64  // fewer of the canary, or of stable where it is compared, are no verdict

	MaxRestarts int     // of containers, in a window
	MaxFlaps    int     // times that a ready pod was not ready any more, in a window
	MaxNotReady float64 // share of the pods' time
	MaxWarnings int     // Events of type Warning and one reason, in a window

	WorseUsage float64 // as WorseThanStable, for CPU and memory: pods differ in these for no reason

	Queries []Query
}

// LatencyBound is how long a share of the requests may take at most.
type LatencyBound struct {
	Quantile float64 // 0.99 is p99
	Max      time.Duration
}

// DefaultPolicy is what holds where the user says nothing.
func DefaultPolicy() Policy {
	worse := 0.2
	return Policy{
		WorseThanStable: &worse, MinRequests: 100,
		MaxFlaps: 1, MaxNotReady: 0.05, MaxWarnings: 2, WorseUsage: 0.5,
	}
}

// ParseShare reads a percentage, "1%" or "0.5%", as a share of 1. It needs the sign: a bare 1 might be everything.
func ParseShare(s string) (float64, error) {
	digits, signed := strings.CutSuffix(s, "%")
	percent, err := strconv.ParseFloat(digits, 64)
	if !signed || err != nil || strings.Trim(digits, "0123456789.") != "" || !finite(percent) {
		return 0, fmt.Errorf("invalid share %q: want a percentage, such as 1%% or 0.5%%", s)
	}
	return percent / 100, nil
}

// ParseErrorRate reads a share below everything: a bound of 100% would never fail.
func ParseErrorRate(s string) (float64, error) {
	share, err := ParseShare(s)
	if err == nil && share >= 1 {
		return 0, fmt.Errorf("invalid share %q: want less than 100%%", s)
	}
	return share, err
}

// ParseTolerance reads by how much the canary may be worse; nil for "none", which compares nothing.
func ParseTolerance(s string) (*float64, error) {
	if s == "none" {
		return nil, nil //nolint:nilnil // no tolerance is what "none" says
	}
	share, err := ParseShare(s)
	if err != nil {
		return nil, fmt.Errorf(`%w, or "none" to compare nothing`, err)
	}
	return &share, nil
}

var errLatency = errors.New("want a percentile and a duration, such as p99=300ms")

// ParseLatency reads "p99=300ms".
func ParseLatency(s string) (LatencyBound, error) {
	percentile, limit, _ := strings.Cut(s, "=")
	q, err := parseQuantile(percentile)
	if err != nil {
		return LatencyBound{}, fmt.Errorf("invalid latency %q: %w", s, errLatency)
	}
	longest, err := time.ParseDuration(limit)
	if err != nil || longest <= 0 {
		return LatencyBound{}, fmt.Errorf("invalid latency %q: %w", s, errLatency)
	}
	return LatencyBound{Quantile: q, Max: longest}, nil
}

// ParseLatencies reads bounds of different percentiles, and puts them in order.
func ParseLatencies(all []string) ([]LatencyBound, error) {
	var bounds []LatencyBound
	for _, s := range all {
		b, err := ParseLatency(s)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(bounds, func(other LatencyBound) bool { return other.Quantile == b.Quantile }) {
			return nil, fmt.Errorf("%s is given twice", percentile(b.Quantile))
		}
		bounds = append(bounds, b)
	}
	slices.SortFunc(bounds, func(a, b LatencyBound) int { return cmp.Compare(a.Quantile, b.Quantile) })
	return bounds, nil
}

// parseQuantile reads "p99.9": more than none of the requests, and less than all.
func parseQuantile(s string) (float64, error) {
	digits, named := strings.CutPrefix(s, "p")
	percent, err := strconv.ParseFloat(digits, 64)
	if !named || err != nil || strings.Trim(digits, "0123456789.") != "" || percent <= 0 || percent >= 100 {
		return 0, fmt.Errorf("invalid percentile %q: want one between p0 and p100, such as p99", s)
	}
	return percent / 100, nil
}

// percentile is the name of a quantile: 0.99 is p99.
func percentile(q float64) string {
	return "p" + strconv.FormatFloat(math.Round(q*1e8)/1e6, 'f', -1, 64)
}
