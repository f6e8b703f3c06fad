package load

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Report is what a run comes to. Durations are in seconds.
type Report struct {
	URL         string    `json:"url"`
	Rate        int       `json:"rate"`
	Timeout     float64   `json:"timeout"`
	KeepAlive   int       `json:"keepAlive"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended"`
	Interrupted bool      `json:"interrupted"`
	// Valid is false when the schedule was not kept, or this machine failed: then the rest says little of the server.
	Valid    bool   `json:"valid"`
	Reason   string `json:"reason,omitempty"` // why it is not
	Requests int    `json:"requests"`         // sent; each is either ok or failed
	OK       int    `json:"ok"`
	Failed   int    `json:"failed"`
	Shed     int    `json:"shed"` // due, and not sent
	// Late is by how much the latest request began after it was due.
	Late       float64             `json:"late"`
	Reconnects int                 `json:"reconnects"`
	Versions   map[string]*Answers `json:"versions"`
	Failures   map[Failure]*Lost   `json:"failures"`
	// FirstFailure and LastFailure are when the first and the last request that failed were due; null without one.
	FirstFailure *time.Time `json:"firstFailure"`
	LastFailure  *time.Time `json:"lastFailure"`
	// LongestOutage is from a success to the next one that has failures in between, both by when they were due. The start and
	// the end of the schedule count as successes, so that an outage which outlasts the run is one.
	LongestOutage float64   `json:"longestOutage"`
	Latency       Latency   `json:"latency"`
	Timeline      []*Second `json:"timeline"`
}

// Answers are those of a version, failures with an answer included.
type Answers struct {
	Requests int       `json:"requests"`
	Failed   int       `json:"failed"`
	First    time.Time `json:"first"` // when the first answer came
	Last     time.Time `json:"last"`
	// FirstFailure and LastFailure are when the first and the last answer that failed came; null without one.
	FirstFailure *time.Time `json:"firstFailure"`
	LastFailure  *time.Time `json:"lastFailure"`
	Latency      Latency    `json:"latency"`
}

// Lost are the requests that failed in one way.
type Lost struct {
	Count   int       `json:"count"`
	First   time.Time `json:"first"` // when the first of them was due
	Last    time.Time `json:"last"`
	Example string    `json:"example"`
}

// Latency has the percentiles of the requests that did not fail; zero without one.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Second has what became of the requests that were due in the nth second of the run, from 0.
type Second struct {
	Second int             `json:"second"`
	OK     map[string]int  `json:"ok"` // by version
	Failed map[Failure]int `json:"failed"`
}

// Report sums the run up.
func (r Run) Report() Report {
	reason := r.invalid()
	report := Report{
		URL: r.URL, Rate: r.Rate, Timeout: r.Timeout.Seconds(), KeepAlive: r.KeepAlive,
		Started: r.Started, Ended: r.Ended, Interrupted: r.Interrupted, Valid: reason == "", Reason: reason,
		Requests: len(r.Requests), Shed: r.Shed, Late: r.Late.Seconds(), Reconnects: r.Reconnects,
		Versions: map[string]*Answers{}, Failures: map[Failure]*Lost{}, Timeline: []*Second{},
		LongestOutage: r.longestOutage().Seconds(),
	}
	took := map[string][]time.Duration{} // of those that did not fail, by version
	for _, q := range r.Requests {
		due, ended := r.Started.Add(q.At), r.Started.Add(q.At+q.Took)
		for len(report.Timeline) <= int(q.At/time.Second) {
			report.Timeline = append(report.Timeline, &Second{len(report.Timeline), map[string]int{}, map[Failure]int{}})
		}
		second := report.Timeline[q.At/time.Second]
		if q.Version != "" {
			answers := report.Versions[q.Version]
			if answers == nil {
				answers = &Answers{First: ended}
				report.Versions[q.Version] = answers
			}
			answers.Requests++
			if ended.Before(answers.First) {
				answers.First = ended
			}
			if ended.After(answers.Last) {
				answers.Last = ended
			}
			if q.Failure != "" {
				answers.fail(ended)
			}
		}
		if q.Failure == "" {
			took[q.Version] = append(took[q.Version], q.Took)
			report.OK++
			second.OK[q.Version]++
			continue
		}
		report.Failed++
		second.Failed[q.Failure]++
		if report.FirstFailure == nil {
			report.FirstFailure = &due
		}
		report.LastFailure = &due
		lost := report.Failures[q.Failure]
		if lost == nil {
			lost = &Lost{First: due, Example: r.Examples[q.Failure]}
			report.Failures[q.Failure] = lost
		}
		lost.Count++
		lost.Last = due
	}
	for version, answers := range report.Versions {
		answers.Latency = latency(took[version])
	}
	report.Latency = latency(slices.Concat(slices.Collect(maps.Values(took))...))
	return report
}

// fail counts an answer that failed and came at this time.
func (a *Answers) fail(at time.Time) {
	a.Failed++
	if a.FirstFailure == nil || at.Before(*a.FirstFailure) {
		a.FirstFailure = &at
	}
	if a.LastFailure == nil || at.After(*a.LastFailure) {
		a.LastFailure = &at
	}
}

// invalid says why the run is none to draw conclusions from, if so.
func (r Run) invalid() string {
	local := 0
	for _, q := range r.Requests {
		if q.Failure == Local {
			local++
		}
	}
	switch {
	case r.Shed > 0 && r.KeepAlive > 0:
		return fmt.Sprintf("%d requests were not sent: %d were in flight, or all %d connections were taken for %v", r.Shed, r.InFlight, r.KeepAlive, maxLate)
	case r.Shed > 0:
		return fmt.Sprintf("%d requests were not sent: %d were in flight", r.Shed, r.InFlight)
	case local > 0:
		return fmt.Sprintf("%d requests failed on this machine: %s", local, r.Examples[Local])
	case r.Late > maxLate:
		return fmt.Sprintf("a request began %v after it was due: this machine is too busy, or the connections are too few", r.Late.Round(time.Millisecond))
	case len(r.Requests) == 0:
		return "nothing was sent"
	}
	return ""
}

func (r Run) longestOutage() time.Duration {
	var longest, success time.Duration
	failing := false
	until := func(at time.Duration) {
		if failing {
			longest = max(longest, at-success)
		}
	}
	for _, q := range r.Requests {
		if q.Failure != "" {
			failing = true
			continue
		}
		until(q.At)
		success, failing = q.At, false
	}
	if n := len(r.Requests); n > 0 {
		until(r.Requests[n-1].At + r.due(1))
	}
	return longest
}

func latency(took []time.Duration) Latency {
	slices.Sort(took)
	percentile := func(p int) float64 {
		if len(took) == 0 {
			return 0
		}
		return took[(len(took)*p+99)/100-1].Seconds()
	}
	return Latency{P50: percentile(50), P90: percentile(90), P99: percentile(99), Max: percentile(100)}
}
