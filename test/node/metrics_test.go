package node

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// seen is what `metrics` says of a version, as far as it counts here.
type seen struct {
	Version  string  `json:"version"`
	Share    float64 `json:"share"`
	Requests struct {
		PerSecond  float64 `json:"perSecond"`
		ErrorShare float64 `json:"errorShare"`
		P50        float64 `json:"p50"`
		P99        float64 `json:"p99"`
	} `json:"requests"`
	Probes struct {
		Total      float64 `json:"total"`
		ErrorShare float64 `json:"errorShare"`
		P50        float64 `json:"p50"`
	} `json:"probes"`
}

// counted is what the load generator has counted of a version in a span of time.
type counted struct {
	requests, failed int
	took             []float64 // seconds, of what did not fail, in order
}

func (c counted) quantile(q float64) float64 { return c.took[int(q*float64(len(c.took)-1))] }

// What `metrics` shows is what the load generator counts: also where connections stay open, and the share of the requests is not that
// of the endpoints.
func TestMetrics(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{})
	// Both are so slow that the way to them, which the pods do not measure, hardly counts.
	runs(t, "", "kubectl", "set", "env", "deployment/auth-v1", "LATENCY=100ms", "-n", ns)
	runs(t, "", "kubectl", "set", "env", "deployment/auth-v2", "ERROR_RATE=0.05", "LATENCY=150ms", "-n", ns)
	for _, version := range []string{"v1", "v2"} {
		runs(t, "", "kubectl", "rollout", "status", "deployment/auth-"+version, "-n", ns, "--timeout=2m")
	}
	time.Sleep(2 * time.Second)         // kube-proxy is up to a second late
	for _, keep := range []int{0, 41} { // connections that stay open
		t.Run(fmt.Sprint("keep-alive ", keep), func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			l := startLoad(t, ns, "auth", fmt.Sprint("--keep-alive=", keep), "--log="+log)
			l.until(2 * rate)
			began := time.Now()
			out := runs(t, "", "kubectl", "canary", "metrics", "auth", "--window=20s", "-o=json", "-n", ns)
			ended := time.Now()
			byVersion, total := readLog(t, log, l.stop().Started, began, ended), 0
			var list struct{ Items []seen }
			if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Items) != 2 {
				t.Fatal(err, out)
			}
			for _, c := range byVersion {
				total += c.requests
			}
			for _, s := range list.Items {
				c := byVersion[s.Version]
				perSecond := float64(c.requests) / ended.Sub(began).Seconds()
				failed, share := 100*float64(c.failed)/float64(c.requests), 100*float64(c.requests)/float64(total)
				t.Logf("%s: %.1f/s (counted %.1f/s), %.2f%% failed (%.2f%%), %.2f%% of the requests (%.2f%%), p50 %.1fms (%.1fms), p99 %.1fms (%.1fms)", s.Version,
					s.Requests.PerSecond, perSecond, s.Requests.ErrorShare, failed, s.Share, share,
					1000*s.Requests.P50, 1000*c.quantile(0.5), 1000*s.Requests.P99, 1000*c.quantile(0.99))
				within(t, s.Version+": requests a second", s.Requests.PerSecond, perSecond)
				within(t, s.Version+": errors", s.Requests.ErrorShare, failed)
				within(t, s.Version+": share", s.Share, share)
				within(t, s.Version+": p50 in ms", 1000*s.Requests.P50, 1000*c.quantile(0.5))
				within(t, s.Version+": p99 in ms", 1000*s.Requests.P99, 1000*c.quantile(0.99))
			}
		})
	}
}

// readLog counts what the load generator has logged of the requests that were due in a span of time.
func readLog(t *testing.T, file string, started, from, to time.Time) map[string]counted {
	t.Helper()
	log, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	all := map[string]counted{}
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var q struct {
			At, Took         float64 // milliseconds
			Version, Failure string
		}
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			t.Fatal(err)
		}
		if due := started.Add(time.Duration(q.At * float64(time.Millisecond))); due.Before(from) || due.After(to) {
			continue
		}
		c := all[q.Version]
		c.requests++
		if q.Failure != "" {
			c.failed++
		} else {
			c.took = append(c.took, q.Took/1000)
		}
		all[q.Version] = c
	}
	for version, c := range all {
		slices.Sort(c.took)
		all[version] = c
	}
	return all
}

// within holds a figure to 10 % of what was counted.
func within(t *testing.T, what string, shown, counted float64) {
	t.Helper()
	if math.Abs(shown-counted) > counted/10 {
		t.Errorf("%s: %.2f, and %.2f was counted", what, shown, counted)
	}
}

// Probes tell the versions apart where nobody sends requests.
func TestProbes(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{})
	runs(t, "", "kubectl", "set", "env", "deployment/auth-v2", "ERROR_RATE=0.2", "LATENCY=200ms", "-n", ns)
	runs(t, "", "kubectl", "rollout", "status", "deployment/auth-v2", "-n", ns, "--timeout=2m")
	out := runs(t, "", "kubectl", "canary", "metrics", "auth", "--window=20s", "--probe=/login:http", "-o=json", "-n", ns)
	var list struct{ Items []seen }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Items) != 2 {
		t.Fatal(err, out)
	}
	v1, v2 := list.Items[0].Probes, list.Items[1].Probes
	t.Logf("v1: %+v, v2: %+v", v1, v2)
	if v1.Total < 80 || v2.Total < 80 || v1.ErrorShare != 0 || math.Abs(v2.ErrorShare-20) > 3 || v2.P50 < 0.17 || v2.P50 > 0.3 || v1.P50 > 0.1 {
		t.Error("want a fifth of the canary's to fail, after 200 ms, and none of stable's")
	}
}
