package analysis

import (
	"cmp"
	"fmt"
	"strings"
)

// preset is by which metrics requests are counted: of several that there are, the first that tells the status, else the first.
type preset struct {
	requests []string // counters, or histograms
	latency  []string // histograms
	matchers string   // further ones, with a comma before
	codes    []string // labels that may have the status
	failed   func(label, status string) bool
}

const defaultPreset = "http"

// presets are by the names that pods' own pages are read by, and by those of Istio's sidecars.
// https://istio.io/latest/docs/reference/config/metrics/, https://github.com/grpc-ecosystem/go-grpc-middleware
var presets = map[string]preset{
	"http": {requests: requestNames, latency: latencyNames, codes: httpStatusLabels, failed: failed},
	"grpc": {requests: grpcRequests, latency: grpcLatency, codes: grpcStatusLabels, failed: failed},
	"istio": {
		requests: []string{"istio_requests_total"}, latency: []string{"istio_request_duration_milliseconds"},
		matchers: `,reporter="destination"`, codes: []string{"response_code"}, failed: failedIstio,
	},
	"none": {},
}

// failedIstio knows 0 too: the connection ended without an answer.
func failedIstio(label, status string) bool { return status == "0" || failed(label, status) }

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
	ask := func(names, by []string, series func(name string) string) string {
		all := make([]string, len(names))
		for i, name := range names {
			all[i] = fmt.Sprintf("sum by (%s) (increase(%s{%s}[%s]))", strings.Join(by, ","), series(name), pods, window)
			if len(names) > 1 {
				all[i] = fmt.Sprintf(`label_replace(%s, "%s", "%s", "", "")`, all[i], metricLabel, name)
			}
		}
		return strings.Join(all, "\nor ")
	}
	return ask(p.requests, p.codes, counterOf), ask(p.latency, []string{"le"}, func(name string) string { return name + "_bucket" }), err
}

// Asked is a query as it is asked.
type Asked struct{ Check, Text string }

// Presets are the queries of the preset for a version; none with the preset none. Settings may be nil.
func (s *Settings) Presets(v Values) ([]Asked, error) {
	p := s.preset()
	if len(p.requests) == 0 {
		return nil, nil
	}
	requests, times, err := p.queries(v)
	if err != nil {
		return nil, err
	}
	return []Asked{{"requests", requests}, {"latency", times}}, nil
}
