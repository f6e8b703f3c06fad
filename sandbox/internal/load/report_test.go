package load

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sequence is a run of 10 requests a second: a dot did not fail, a T timed out, an L failed here, a - was shed.
func sequence(outcomes string) Run {
	r := Run{Options: Options{Rate: 10, InFlight: 1}, Started: time.Unix(1000, 0), Examples: map[Failure]string{Local: "too many open files"}}
	for i, outcome := range outcomes {
		q := Request{At: r.due(i), Took: time.Duration(i+1) * time.Millisecond}
		switch outcome {
		case '-':
			continue
		case 'T':
			q.Failure, q.Took = Timeout, 2*time.Second
		case 'L':
			q.Failure = Local
		default:
			q.Version = "v1"
		}
		r.Requests = append(r.Requests, q)
	}
	return r
}

func TestLongestOutage(t *testing.T) {
	for outcomes, want := range map[string]float64{
		"":           0,
		"..........": 0,
		".T........": 0.2,
		".T.TTT.T..": 0.4,
		"TTT.......": 0.3, // since the start
		".......TTT": 0.4, // to the end of the schedule
		"TTTTT":      0.5,
		".T.T.T.T.T": 0.2,
		".T.---....": 0.2,
	} {
		if got := sequence(outcomes).Report().LongestOutage; got != want {
			t.Errorf("%q has an outage of %v s, not %v", outcomes, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	r := sequence("..T....T....")
	r.Requests[0].Took, r.Requests[1].Took = 150*time.Millisecond, 1500*time.Millisecond
	report := r.Report()
	if report.OK != 10 || report.Failed != 2 || report.Failures[Timeout].Count != 2 {
		t.Errorf("%d ok, %d failed", report.OK, report.Failed)
	}
	if got := report.FirstFailure.Sub(r.Started); got != 200*time.Millisecond {
		t.Errorf("the first failure was due after %v", got)
	}
	if got := report.LastFailure.Sub(r.Started); got != 700*time.Millisecond {
		t.Errorf("the last failure was due after %v", got)
	}
	if v1 := report.Versions["v1"]; v1.First.Sub(r.Started) != 150*time.Millisecond || v1.Last.Sub(r.Started) != 1600*time.Millisecond {
		t.Errorf("the answers of v1 are from %v to %v", v1.First.Sub(r.Started), v1.Last.Sub(r.Started))
	}
	v1 := report.Versions["v1"]
	if v1.Failed != 0 || v1.FirstFailure != nil || v1.LastFailure != nil || v1.Latency != report.Latency {
		t.Errorf("v1 is %+v", v1)
	}
	if want := (Latency{P50: 0.009, P90: 0.15, P99: 1.5, Max: 1.5}); report.Latency != want {
		t.Errorf("latency is %+v", report.Latency)
	}
	if len(report.Timeline) != 2 || report.Timeline[0].OK["v1"] != 8 || report.Timeline[0].Failed[Timeout] != 2 || report.Timeline[1].OK["v1"] != 2 {
		t.Errorf("timeline begins with %+v", report.Timeline[0])
	}
}

func TestInvalid(t *testing.T) {
	for reason, change := range map[string]func(*Run){
		"":                                     func(*Run) {},
		"1 requests were not":                  func(r *Run) { r.Shed = 1 },
		"600ms after":                          func(r *Run) { r.Late = 600 * time.Millisecond },
		"on this machine: too many open files": func(r *Run) { *r = sequence("..L") },
		"nothing":                              func(r *Run) { *r = sequence("") },
	} {
		r := sequence("...T...")
		change(&r)
		if report := r.Report(); report.Valid != (reason == "") || !strings.Contains(report.Reason, reason) {
			t.Errorf("valid is %v, the reason %q, not %q", report.Valid, report.Reason, reason)
		}
	}
	for _, err := range []error{syscall.EMFILE, syscall.EADDRNOTAVAIL} {
		if got := classify(fmt.Errorf("dial: %w", os.NewSyscallError("socket", err))); got != Local {
			t.Errorf("%v is %q", err, got)
		}
	}
}

func TestWriteLog(t *testing.T) {
	r := sequence(".T")
	r.Requests[0].Took = 1234567 * time.Nanosecond
	var log bytes.Buffer
	if err := r.WriteLog(&log); err != nil {
		t.Fatal(err)
	}
	if want := `{"at":0,"took":1.234,"version":"v1"}` + "\n" + `{"at":100,"took":2000,"failure":"timeout"}` + "\n"; log.String() != want {
		t.Errorf("got\n%s, not\n%s", log.String(), want)
	}
}

func TestOptions(t *testing.T) {
	sound := Options{URL: "http://127.0.0.1:80/a?b", Rate: 200, For: 20 * time.Second, Timeout: time.Second, InFlight: 1}
	for name, change := range map[string]func(*Options){
		"":                     func(*Options) {},
		"http://[::1]":         func(o *Options) { o.URL = "http://[::1]"; o.KeepAlive = 1 },
		"1000 a second":        func(o *Options) { o.Rate, o.For = 500, 30*time.Minute },
		"no IP":                func(o *Options) { o.URL = "http://localhost:80/" },
		"no URL":               func(o *Options) { o.URL = "" },
		"no plain HTTP":        func(o *Options) { o.URL = "https://127.0.0.1:80/" },
		"no such port":         func(o *Options) { o.URL = "http://127.0.0.1:0/" },
		"is not from 1 to":     func(o *Options) { o.Rate = 5001 },
		"0 is not from 1 to":   func(o *Options) { o.Rate = 0 },
		"is not a time up to":  func(o *Options) { o.For = 31 * time.Minute },
		"0s is not":            func(o *Options) { o.For = 0 },
		"are more than":        func(o *Options) { o.Rate, o.For = 1000, 20*time.Minute },
		"timeout of 0s":        func(o *Options) { o.Timeout = 0 },
		"in flight":            func(o *Options) { o.InFlight = 0 },
		"-1 connections are":   func(o *Options) { o.KeepAlive = -1 },
		"5001 connections are": func(o *Options) { o.KeepAlive = 5001 },
	} {
		o := sound
		change(&o)
		_, err := o.check()
		fails := name != "" && !strings.HasPrefix(name, "http") && !strings.HasPrefix(name, "1000")
		if (err != nil) != fails {
			t.Errorf("%q: %v", name, err)
		}
		if err != nil && !strings.HasPrefix(name, "no ") && !strings.Contains(err.Error(), name) {
			t.Errorf("%q is not in %q", name, err)
		}
	}
}

// What a version answers badly is its own, and so is how long it takes.
func TestReportVersions(t *testing.T) {
	r := sequence("............")
	for i := range r.Requests {
		if q := &r.Requests[i]; i%3 == 2 { // 2, 5, 8, 11
			q.Version, q.Took = "v2", time.Second
			if i != 8 {
				q.Failure = HTTP5xx
			}
		}
	}
	r.Requests[2].Took, r.Requests[5].Took = 5*time.Second, 10*time.Second // the first to be due comes second, the next last
	report := r.Report()
	v1, v2 := report.Versions["v1"], report.Versions["v2"]
	if v1.Requests != 8 || v1.Failed != 0 || v2.Requests != 4 || v2.Failed != 3 {
		t.Errorf("v1 is %+v, v2 %+v", v1, v2)
	}
	if first, last := v2.FirstFailure.Sub(r.Started), v2.LastFailure.Sub(r.Started); first != 2100*time.Millisecond || last != 10500*time.Millisecond {
		t.Errorf("v2 failed from %v to %v", first, last)
	}
	if want := (Latency{P50: 0.005, P90: 0.011, P99: 0.011, Max: 0.011}); v1.Latency != want {
		t.Errorf("the latency of v1 is %+v", v1.Latency)
	}
	if want := (Latency{P50: 1, P90: 1, P99: 1, Max: 1}); v2.Latency != want {
		t.Errorf("the latency of v2 is %+v", v2.Latency)
	}
	if want := (Latency{P50: 0.007, P90: 1, P99: 1, Max: 1}); report.Latency != want {
		t.Errorf("latency is %+v", report.Latency)
	}
}
