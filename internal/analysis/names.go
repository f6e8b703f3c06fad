package analysis

import (
	"slices"
	"strings"
)

// Names says in which metrics pods count their requests, and how long these took. An empty one stands for the usual names.
type Names struct {
	Requests string // a counter; a histogram or summary counts requests too
	Latency  string // a histogram, in seconds; in milliseconds where its name ends so
}

// The names that libraries and conventions use: client_golang, OpenTelemetry's http.server.request.duration, Micrometer (Spring Boot),
// prometheus-net, Rack, express-prom-bundle, and go-grpc-middleware. Of several that a pod has, the first counts.
var (
	requestNames = []string{
		"http_requests_total", "http_server_requests_total", "http_requests_received_total",
		"http_server_requests_seconds", "http_server_request_duration_seconds", "http_request_duration_seconds",
	}
	latencyNames = []string{"http_server_requests_seconds", "http_server_request_duration_seconds", "http_request_duration_seconds"}
	grpcRequests = []string{"grpc_server_handled_total"}
	grpcLatency  = []string{"grpc_server_handling_seconds"}
)

// The labels that hold the status of an answer.
var (
	httpStatusLabels = []string{"code", "status", "status_code", "http_status", "http_status_code", "http_response_status_code", "response_code"}
	grpcStatusLabels = []string{grpcCode}
	statusLabels     = slices.Concat(httpStatusLabels, grpcStatusLabels)
)

const grpcCode = "grpc_code"

// counterOf is the series that counts requests: that of a histogram or summary ends in _count.
func counterOf(name string) string {
	if strings.HasSuffix(name, "_total") {
		return name
	}
	return name + "_count"
}

// grpcFailures are the codes that are a server's fault, by OpenTelemetry's conventions for server spans.
var grpcFailures = []string{"Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss"}

// failed says whether a status is an error of the server: 5xx, written out or not, or a code of gRPC.
func failed(label, status string) bool {
	if label == grpcCode {
		return slices.Contains(grpcFailures, status)
	}
	return len(status) == 3 && status[0] == '5' && (strings.EqualFold(status, "5xx") || strings.Trim(status, "0123456789") == "")
}

// seconds is the unit of a metric's values in seconds.
func seconds(name string) float64 {
	if strings.HasSuffix(name, "_milliseconds") || strings.HasSuffix(name, "_ms") {
		return 1e-3
	}
	return 1
}
