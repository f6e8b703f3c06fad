package analysis

import (
	"cmp"
	"fmt"
	"strings"
)

// preset is by which metrics requests are counted.
type preset struct {
	requests string   // a counter
	matchers string   // further ones, with a comma before
	codes    []string // labels of the counter that may have the status
	failed   func(code string) bool
	buckets  string  // of a histogram
	second   float64 // what a second is in its buckets
}

const defaultPreset = "http"

// presets are by the usual names: those of OpenMetrics clients for HTTP, of go-grpc-middleware and its kin, and of Istio's sidecars.
// https://istio.io/latest/docs/reference/config/metrics/, https://github.com/grpc-ecosystem/go-grpc-middleware
var presets = map[string]preset{
	"http": {
		requests: "http_requests_total", codes: []string{"code", "status", "status_code"}, failed: failedHTTP,
		buckets: "http_request_duration_seconds_bucket", second: 1,
	},
	"grpc": {
		requests: "grpc_server_handled_total", codes: []string{"grpc_code"}, failed: failedGRPC,
		buckets: "grpc_server_handling_seconds_bucket", second: 1,
	},
	"istio": {
		requests: "istio_requests_total", matchers: `,reporter="destination"`, codes: []string{"response_code"}, failed: failedIstio,
		buckets: "istio_request_duration_milliseconds_bucket", second: 1000,
	},
	"none": {},
}

// failedHTTP holds 5xx, and 5XX as some libraries count, for errors.
func failedHTTP(code string) bool { return code != "" && code[0] == '5' }

// failedIstio knows 0 too: the connection ended without an answer.
func failedIstio(code string) bool { return code == "0" || failedHTTP(code) }

// failedGRPC takes the codes that HTTP's 5xx stand for, by the mapping of gRPC gateways.
func failedGRPC(code string) bool {
	switch code {
	case "Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss":
		return true
	}
	return false
}

// presetQueries is a preset with the names of a Prometheus' labels.
type presetQueries struct {
	preset
	pod, namespace string
}

// preset is that of the settings, or without any the default.
func (s *Settings) preset() presetQueries {
	if s == nil {
		s = &Settings{}
	}
	return presetQueries{presets[cmp.Or(s.Preset, defaultPreset)], cmp.Or(s.PodLabel, "pod"), cmp.Or(s.NamespaceLabel, "namespace")}
}

// queries ask for the requests of pods by status, and for how long they took.
func (p *presetQueries) queries(v Values) (requests, times string, err error) {
	t, err := ParseTemplate(fmt.Sprintf(`%s="{{.Namespace}}",%s=~"{{.Pods}}"`, p.namespace, p.pod))
	if err != nil {
		return "", "", err
	}
	selector, err := t.Render(v)
	pods, window := selector+p.matchers, promDuration(v.Window)
	requests = fmt.Sprintf("sum by (%s) (increase(%s{%s}[%s]))", strings.Join(p.codes, ","), p.requests, pods, window)
	return requests, fmt.Sprintf("sum by (le) (increase(%s{%s}[%s]))", p.buckets, pods, window), err
}

// Asked is a query as it is asked.
type Asked struct{ Check, Text string }

// Presets are the queries of the preset for a version; none with the preset none. Settings may be nil.
func (s *Settings) Presets(v Values) ([]Asked, error) {
	p := s.preset()
	if p.requests == "" {
		return nil, nil
	}
	requests, times, err := p.queries(v)
	if err != nil {
		return nil, err
	}
	return []Asked{{"requests", requests}, {"latency", times}}, nil
}
