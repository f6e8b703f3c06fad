package analysis

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// reading is what a pod has counted since it began, as its page of metrics says.
type reading struct {
	began    float64           // when its process began, in seconds since 1970; 0 where it does not say
	requests map[string]sample // by metric and labels
	buckets  map[bucketKey]float64
	statuses bool     // requests can be told by their status
	names    []string // of the metrics that were read
}

type sample struct {
	value  float64
	failed bool
}

type bucketKey struct {
	metric, series string
	upTo           float64 // seconds
}

// read reads a page in the text format of Prometheus, version 0.0.4. A page without any of the metrics is no error.
func (n Names) read(page []byte) (reading, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		return reading{}, fmt.Errorf("not the text format of Prometheus: %w", err)
	}
	r := reading{requests: map[string]sample{}, buckets: map[bucketKey]float64{}}
	for _, m := range families["process_start_time_seconds"].GetMetric() {
		r.began = number(m)
	}
	requests, latency := n.choose(families)
	for _, family := range requests {
		r.addRequests(family)
	}
	for _, family := range latency {
		r.addLatency(family)
	}
	return r, nil
}

// choose picks the metrics that count: the named ones, else of HTTP and of gRPC the first that there is. Requests that can be told
// by their status go before others.
func (n Names) choose(all map[string]*dto.MetricFamily) (requests, latency []*dto.MetricFamily) {
	first := func(names []string, fits func(*dto.MetricFamily) bool) []*dto.MetricFamily {
		for _, name := range names {
			if f := all[name]; f != nil && fits(f) {
				return []*dto.MetricFamily{f}
			}
		}
		return nil
	}
	there := func(*dto.MetricFamily) bool { return true }
	http, times, grpc, grpcTimes := requestNames, latencyNames, grpcRequests, grpcLatency
	if n.Requests != "" {
		http, grpc = []string{n.Requests}, nil
	}
	if n.Latency != "" {
		times, grpcTimes = []string{n.Latency}, nil
	}
	if requests = first(http, hasStatus); requests == nil {
		requests = first(http, there)
	}
	requests = append(requests, first(grpc, there)...)
	latency = append(first(times, hasBuckets), first(grpcTimes, hasBuckets)...)
	return requests, latency
}

func hasStatus(f *dto.MetricFamily) bool {
	return slices.ContainsFunc(f.GetMetric(), func(m *dto.Metric) bool { label, _ := status(m); return label != "" })
}

func hasBuckets(f *dto.MetricFamily) bool {
	return slices.ContainsFunc(f.GetMetric(), func(m *dto.Metric) bool { return len(m.GetHistogram().GetBucket()) > 0 })
}

func (r *reading) addRequests(f *dto.MetricFamily) {
	r.names = append(r.names, f.GetName())
	for _, m := range f.GetMetric() {
		label, value := status(m)
		r.statuses = r.statuses || label != ""
		if n := number(m); n >= 0 { // NaN is not
			r.requests[seriesOf(f, m)] = sample{n, failed(label, value)}
		}
	}
}

func (r *reading) addLatency(f *dto.MetricFamily) {
	if !slices.Contains(r.names, f.GetName()) {
		r.names = append(r.names, f.GetName())
	}
	for _, m := range f.GetMetric() {
		key, h := seriesOf(f, m), m.GetHistogram()
		for _, b := range h.GetBucket() {
			if upTo := b.GetUpperBound(); !math.IsInf(upTo, 1) {
				r.buckets[bucketKey{f.GetName(), key, upTo * seconds(f.GetName())}] = float64(b.GetCumulativeCount())
			}
		}
		r.buckets[bucketKey{f.GetName(), key, math.Inf(1)}] = float64(h.GetSampleCount())
	}
}

// number is how many a metric counts.
func number(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Untyped != nil:
		return m.Untyped.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	case m.Summary != nil:
		return float64(m.Summary.GetSampleCount())
	}
	return math.NaN()
}

// status is the label of an answer's status, and its value; empty where there is none.
func status(m *dto.Metric) (label, value string) {
	for _, label := range statusLabels {
		for _, pair := range m.GetLabel() {
			if pair.GetName() == label {
				return label, pair.GetValue()
			}
		}
	}
	return "", ""
}

func seriesOf(f *dto.MetricFamily, m *dto.Metric) string {
	pairs := make([]string, 0, len(m.GetLabel()))
	for _, pair := range m.GetLabel() {
		pairs = append(pairs, fmt.Sprintf("%q=%q", pair.GetName(), pair.GetValue()))
	}
	slices.Sort(pairs)
	return f.GetName() + "{" + strings.Join(pairs, ",") + "}"
}
