package analysis

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, n Names, page string) reading {
	t.Helper()
	r, err := n.read([]byte(strings.TrimSpace(page) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What the libraries write that most services have their metrics from.
func TestUsualNames(t *testing.T) {
	for name, c := range map[string]struct {
		page             string
		names            []string
		requests, errors float64
		statuses         bool
		buckets          int
	}{
		"client_golang": {`
# TYPE http_requests_total counter
http_requests_total{code="200",version="v2"} 90
http_requests_total{code="500",version="v2"} 7
http_requests_total{code="404",version="v2"} 3
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} 80
http_request_duration_seconds_bucket{le="+Inf"} 100
http_request_duration_seconds_sum 12
http_request_duration_seconds_count 100`, []string{"http_requests_total", "http_request_duration_seconds"}, 100, 7, true, 2},
		"OpenTelemetry": {`
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",le="0.005"} 4
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",le="+Inf"} 5
http_server_request_duration_seconds_sum{http_request_method="GET",http_response_status_code="200"} 1
http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200"} 5
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="503",le="0.005"} 0
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="503",le="+Inf"} 2
http_server_request_duration_seconds_sum{http_request_method="GET",http_response_status_code="503"} 1
http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="503"} 2`,
			[]string{"http_server_request_duration_seconds"}, 7, 2, true, 4},
		"Micrometer without a histogram": {`
# TYPE http_server_requests_seconds summary
http_server_requests_seconds_count{outcome="SUCCESS",status="200",uri="/a"} 41.0
http_server_requests_seconds_sum{outcome="SUCCESS",status="200",uri="/a"} 1.5
http_server_requests_seconds_count{outcome="SERVER_ERROR",status="500",uri="/a"} 1.0
http_server_requests_seconds_sum{outcome="SERVER_ERROR",status="500",uri="/a"} 0.5
# TYPE http_server_requests_seconds_max gauge
http_server_requests_seconds_max{outcome="SUCCESS",status="200",uri="/a"} 0.2`, []string{"http_server_requests_seconds"}, 42, 1, true, 0},
		"groups of statuses, no type": {`
http_requests_total{handler="/",status="2xx"} 5
http_requests_total{handler="/",status="5xx"} 2`, []string{"http_requests_total"}, 7, 2, true, 0},
		"gRPC": {`
# TYPE grpc_server_handled_total counter
grpc_server_handled_total{grpc_code="OK"} 10
grpc_server_handled_total{grpc_code="NotFound"} 4
grpc_server_handled_total{grpc_code="Internal"} 1
grpc_server_handled_total{grpc_code="Unavailable"} 2`, []string{"grpc_server_handled_total"}, 17, 3, true, 0},
		"a counter without a status goes behind one that has it": {`
# TYPE http_requests_total counter
http_requests_total{path="/"} 5
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{status_code="500",le="+Inf"} 5
http_request_duration_seconds_count{status_code="500"} 5
http_request_duration_seconds_sum{status_code="500"} 5`, []string{"http_request_duration_seconds"}, 5, 5, true, 1},
		"no status": {"# TYPE http_requests_total counter\nhttp_requests_total 5", []string{"http_requests_total"}, 5, 0, false, 0},
		"nothing":   {"# TYPE go_goroutines gauge\ngo_goroutines 5", nil, 0, 0, false, 0},
		"not numbers": {`
# TYPE http_requests_total counter
http_requests_total{code="200"} NaN
http_requests_total{code="500"} 1`, []string{"http_requests_total"}, 1, 1, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, Names{}, c.page)
			all := r.since(reading{})
			if !slices.Equal(r.names, c.names) || all.requests != c.requests || all.errors != c.errors || r.statuses != c.statuses || len(r.buckets) != c.buckets {
				t.Errorf("%v, %v, statuses %t, %d buckets", r.names, all, r.statuses, len(r.buckets))
			}
		})
	}
}

func TestNamedMetrics(t *testing.T) {
	r := read(t, Names{Requests: "shop_orders", Latency: "shop_ms"}, `
# TYPE http_requests_total counter
http_requests_total{code="200"} 1000
# TYPE shop_orders counter
shop_orders{response_code="502"} 2
shop_orders{response_code="201"} 6
# TYPE shop_ms histogram
shop_ms_bucket{le="100"} 4
shop_ms_bucket{le="+Inf"} 8
shop_ms_sum 1
shop_ms_count 8`)
	all := r.since(reading{})
	if d := cmp.Diff(histogram(0.1, 4, inf, 8), all.latency); all.requests != 8 || all.errors != 2 || d != "" {
		t.Errorf("%v\n%s", all, d)
	}
}

func TestNotMetrics(t *testing.T) {
	for _, page := range []string{"<html></html>\n", "http_requests_total{code=\n", "a 1\na{ 2\n"} {
		if _, err := (Names{}).read([]byte(page)); err == nil {
			t.Errorf("%q is read", page)
		}
	}
}

// page is that of a process that began then.
func page(began string, series ...string) string {
	return "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds " + began + "\n# TYPE http_requests_total counter\n" +
		strings.Join(series, "\n")
}

func TestSince(t *testing.T) {
	const ok, bad = `http_requests_total{code="200"} `, `http_requests_total{code="500"} `
	before := page("1", ok+"100", bad+"10")
	for name, c := range map[string]struct {
		now              string
		requests, errors float64
	}{
		"grown":              {page("1", ok+"150", bad+"12"), 52, 2},
		"nothing":            {before, 0, 0},
		"a new series":       {page("1", ok+"100", bad+"10", `http_requests_total{code="503"} 3`), 3, 3},
		"a series is gone":   {page("1", ok+"101"), 1, 0},
		"counted from 0":     {page("1", ok+"5", bad+"11"), 6, 1},
		"began anew":         {page("2", ok+"120", bad+"10"), 130, 10},
		"began anew, fewer":  {page("2", ok+"3", bad+"1"), 4, 1},
		"it says no time":    {strings.ReplaceAll(page("0", ok+"3", bad+"1"), "process_start_time_seconds", "x"), 4, 1},
		"nothing at all now": {page("1", "other 1"), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, Names{}, c.now).since(read(t, Names{}, before))
			if got.requests != c.requests || got.errors != c.errors {
				t.Errorf("%v requests, %v errors", got.requests, got.errors)
			}
		})
	}
}

func TestSinceOfHistograms(t *testing.T) {
	h := func(a1, a2, b1, b2 string) reading {
		return read(t, Names{}, `
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{path="a",le="0.1"} `+a1+`
http_request_duration_seconds_bucket{path="a",le="+Inf"} `+a2+`
http_request_duration_seconds_sum{path="a"} 1
http_request_duration_seconds_count{path="a"} `+a2+`
http_request_duration_seconds_bucket{path="b",le="0.1"} `+b1+`
http_request_duration_seconds_bucket{path="b",le="+Inf"} `+b2+`
http_request_duration_seconds_sum{path="b"} 1
http_request_duration_seconds_count{path="b"} `+b2)
	}
	before := h("10", "20", "5", "5")
	for name, c := range map[string]struct {
		now  reading
		want Histogram
	}{
		"grown":                 {h("12", "24", "8", "9"), histogram(0.1, 5, inf, 8)},
		"one series from 0":     {h("12", "24", "1", "3"), histogram(0.1, 3, inf, 7)},
		"nothing":               {before, histogram(0.1, 0, inf, 0)},
		"more fast ones before": {h("12", "21", "5", "5"), histogram(0.1, 2, inf, 2)},
	} {
		if d := cmp.Diff(c.want, c.now.since(before).latency); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if q := before.since(before).latency.Quantile(0.5); !math.IsNaN(q) {
		t.Errorf("the median of nothing is %v", q)
	}
}
