package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func get(t *testing.T, url string) (code int, version, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("X-Version"), string(data)
}

func serve(t *testing.T, c config, ready time.Time) (a *app, url string) {
	t.Helper()
	c.version = "v2"
	a = newApp(c, ready)
	server := httptest.NewServer(a.handler())
	t.Cleanup(server.Close)
	return a, server.URL
}

func TestVersion(t *testing.T) {
	_, url := serve(t, config{latency: 50 * time.Millisecond}, time.Time{})
	began := time.Now()
	if code, version, body := get(t, url+"/auth/login"); code != 200 || version != "v2" || body != "v2\n" {
		t.Errorf("%d, %q, %q", code, version, body)
	}
	if took := time.Since(began); took < 50*time.Millisecond || took > 250*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestHealth(t *testing.T) {
	began := time.Now()
	a, url := serve(t, config{latency: time.Minute, errors: million}, began.Add(300*time.Millisecond))
	if code, _, body := get(t, url+"/health"); code != 503 || body != "starting\n" {
		t.Errorf("%d, %q before it is ready", code, body)
	}
	for {
		code, _, _ := get(t, url+"/health")
		if took := time.Since(began); code == 200 {
			if took < 300*time.Millisecond {
				t.Errorf("ready after %v", took)
			}
			break
		} else if took > 2*time.Second {
			t.Fatal("it is never ready")
		}
	}
	a.draining.Store(true)
	if code, _, body := get(t, url+"/health"); code != 503 || body != "draining\n" {
		t.Errorf("%d, %q when draining", code, body)
	}
}

func TestErrorRate(t *testing.T) {
	for rate, want := range map[uint64]int{0: 0, 10_000: 1, 100_000: 10, 333_333: 33, 500_000: 50, 990_000: 99, million: 100} {
		_, url := serve(t, config{errors: rate}, time.Time{})
		failed, last, apart := 0, 0, 0
		for i := 1; i <= 100; i++ {
			code, version, body := get(t, url)
			if version != "v2" || body != "v2\n" {
				t.Fatalf("%d, %q, %q", code, version, body)
			}
			if code == 500 {
				apart = max(apart, i-last)
				failed, last = failed+1, i
			}
		}
		if failed != want {
			t.Errorf("%d of 100 requests failed, not %d", failed, want)
		}
		if want > 0 && apart > (100+want-1)/want+1 {
			t.Errorf("of %d failures two are %d requests apart", want, apart)
		}
	}
}

func TestMetrics(t *testing.T) {
	_, url := serve(t, config{errors: 250_000, latency: 20 * time.Millisecond}, time.Time{})
	metrics := func() map[string]*dto.MetricFamily {
		response, err := http.Get(url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return families
	}
	count := func(families map[string]*dto.MetricFamily) map[string]float64 {
		counts := map[string]float64{}
		for _, metric := range families["http_requests_total"].GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			if labels["version"] != "v2" || len(labels) != 2 {
				t.Errorf("labels are %v", labels)
			}
			counts[labels["code"]] = metric.GetCounter().GetValue()
		}
		return counts
	}
	if counts := count(metrics()); len(counts) != 2 || counts["200"] != 0 || counts["500"] != 0 {
		t.Errorf("before the first request: %v", counts)
	}
	for range 20 {
		get(t, url)
		get(t, url+"/health")
	}
	families := metrics()
	if counts := count(families); len(counts) != 2 || counts["200"] != 15 || counts["500"] != 5 {
		t.Errorf("after 20 requests: %v", counts)
	}
	histogram := families["http_request_duration_seconds"].GetMetric()[0].GetHistogram()
	if histogram.GetSampleCount() != 20 || histogram.GetSampleSum() < 0.4 || histogram.GetSampleSum() > 2 {
		t.Errorf("%d requests took %v s", histogram.GetSampleCount(), histogram.GetSampleSum())
	}
}
