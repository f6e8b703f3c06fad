package printer

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/test/contract"
)

func ptr[T any](v T) *T { return &v }

// metrics are of a canary that fails and is slow, of a release of which little is known, and of one that has no pods.
func metrics() ([]VersionMetrics, []Gap) {
	users := func(total, errors float64, share canary.Weight, p50, p99 float64) *Traffic {
		return &Traffic{
			Source: "scrape: http_requests_total", Total: total, PerSecond: total / 10, Errors: &errors, ErrorShare: &share,
			P50: &p50, P95: ptr(p99 / 2), P99: &p99, Highest: ptr(10.0),
		}
	}
	all := []VersionMetrics{
		{Release: "auth", Version: "v1", Role: "stable", Deployment: "auth-v1", Seconds: 10, Replicas: 3, ReadyEndpoints: 3, Weight: ptr(canary.Weight(7500)), Share: ptr(canary.Weight(7391)),
			Usage:    &Usage{Source: "metrics.k8s.io", Pods: 3, CPU: 0.0123, Memory: 45 << 20, CPUOfLimit: ptr(canary.Weight(1230))},
			Requests: users(1500, 0, 0, 0.0021, 0.098), Probes: &Traffic{Source: "probes of /health", Total: 50, PerSecond: 5, Errors: ptr(0.0), ErrorShare: ptr(canary.Weight(0)), P50: ptr(0.0005), P99: ptr(0.02)}},
		{Release: "auth", Version: "v2", Role: "canary", Deployment: "auth-v2", Seconds: 10, Replicas: 2, ReadyEndpoints: 1, Weight: ptr(canary.Weight(2500)), Share: ptr(canary.Weight(2609)),
			Restarts: 4, Life: Life{Restarts: 1, OOMKilled: 1, Flaps: 2, NotReadySeconds: 3.5, Warnings: 7}, Requests: users(530, 26, 491, 1.25, 10)},
		{Release: "chat\x1b[2J", Version: "v1", Role: "stable", Deployment: "chat-v1", Seconds: 10, Replicas: 1, ReadyEndpoints: 1, Weight: ptr(canary.Weight(10000)), Restarts: 4},
		{Release: "chat\x1b[2J", Version: "v2", Role: "canary", Deployment: "chat-v2", Seconds: 10, Weight: ptr(canary.Weight(0))},
	}
	gaps := []Gap{
		{What: "CPU and memory", Why: "of some", Mend: "install metrics-server"},
		{Release: "auth", Version: "v2", What: "errors", Why: "no\x1b[2J label", Mend: "name it"},
		{Release: "chat", Version: "v1", What: "errors", Why: "no\x1b[2J label", Mend: "name it"},
		{Release: "users", Version: "v1", What: "errors", Why: "another", Mend: "name it"},
		{Release: "chat", Version: "v1", What: "latencies", Why: "no histogram"},
	}
	return all, gaps
}

func TestMetrics(t *testing.T) {
	for file, table := range map[string]Metrics{
		"metrics": {}, "metrics-wide": {Wide: true}, "metrics-color": {Style: Style{Color: true}}, "metrics-no-headers": {NoHeaders: true},
	} {
		var out strings.Builder
		if err := table.Print(&out, first(metrics()), second(metrics())); err != nil {
			t.Fatal(err)
		}
		golden(t, file, out.String())
	}
	var out strings.Builder
	all, _ := metrics()
	if err := (Metrics{}).Print(&out, all[2:], nil); err != nil || strings.Count(out.String(), "\n") != 3 || strings.Contains(out.String(), "PROBE") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func first[A, B any](a A, _ B) A  { return a }
func second[A, B any](_ A, b B) B { return b }

func TestMetricsList(t *testing.T) {
	schema, err := contract.Read("../../docs/metricslist.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	list := NewMetricsList(metrics())
	for file, l := range map[string]MetricsList{"metrics.json": list, "no-metrics.json": NewMetricsList(nil, nil)} {
		var out strings.Builder
		if err := JSON(&out, l); err != nil {
			t.Fatal(err)
		}
		if err := schema.Check([]byte(out.String())); err != nil {
			t.Error(err)
		}
		golden(t, file, out.String())
	}
	if got, want := list.Names(), []string{"deployment.apps/auth-v1", "deployment.apps/auth-v2", "deployment.apps/chat-v1", "deployment.apps/chat-v2"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestBrief(t *testing.T) {
	for in, want := range map[float64]string{0: "0s", 0.00004: "40µs", 0.0049751: "5ms", 0.00123: "1.2ms", 0.0985: "99ms", 1.2345: "1.2s", 10: "10s", 12.6: "13s", 600: "10m0s"} {
		if got := (&Traffic{}).latency(&in); got != want {
			t.Errorf("%v s are %s", in, got)
		}
	}
	for in, want := range map[float64]string{0: "0", 7: "7", 7.24: "7.2", 99.96: "100.0", 512.3: "512"} {
		if got := decimal(in); got != want {
			t.Errorf("%v is %s", in, got)
		}
	}
}
