package analysis

import (
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

// countQuery asks for the requests of pods by status, and timeQuery for how long they took.
func (p *preset) countQuery(selector, window string) string {
	return fmt.Sprintf("sum by (%s) (increase(%s{%s%s}[%s]))", strings.Join(p.codes, ","), p.requests, selector, p.matchers, window)
}

func (p *preset) timeQuery(selector, window string) string {
	return fmt.Sprintf("sum by (le) (increase(%s{%s%s}[%s]))", p.buckets, selector, p.matchers, window)
}
