package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// app answers for one version of a service.
type app struct {
	config
	ready    time.Time
	draining atomic.Bool
	requests atomic.Uint64
}

func newApp(c config, ready time.Time) *app { return &app{config: c, ready: ready} }

// handler has the service at every path but those of the probes and of Prometheus, which are never slow, never fail by ERROR_RATE, and are not counted.
func (a *app) handler() http.Handler {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total", Help: "Requests answered.",
	}, []string{"code", "version"}).MustCurryWith(prometheus.Labels{"version": a.version})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "Seconds from a request to its answer.",
		Buckets: prometheus.ExponentialBucketsRange(0.001, 10, 121), // each 8 % wider: what is read off them is held to 10 %
	}, []string{"version"})
	for _, code := range []string{"200", "500"} {
		counter.WithLabelValues(code) // a share of errors has a value before the first error
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(counter, duration)

	mux := http.NewServeMux()
	mux.Handle("/", promhttp.InstrumentHandlerDuration(duration.MustCurryWith(prometheus.Labels{"version": a.version}),
		promhttp.InstrumentHandlerCounter(counter, http.HandlerFunc(a.serve))))
	mux.HandleFunc("/health", a.health)
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", a.version)
		if a.draining.Load() {
			w.Header().Set("Connection", "close") // said with an answer, so that nobody is writing to the connection that is closed
		}
		mux.ServeHTTP(w, r)
	})
}

func (a *app) serve(w http.ResponseWriter, r *http.Request) {
	n := a.requests.Add(1)
	select {
	case <-time.After(a.latency):
	case <-r.Context().Done():
	}
	if a.fails(n) {
		w.WriteHeader(http.StatusInternalServerError)
	}
	fmt.Fprintln(w, a.version)
}

// fails tells whether the nth request, from 1, is one of those that ERROR_RATE lets fail: they are evenly spread.
func (a *app) fails(n uint64) bool {
	return n*a.errors/million > (n-1)*a.errors/million
}

func (a *app) health(w http.ResponseWriter, _ *http.Request) {
	switch {
	case a.draining.Load():
		http.Error(w, "draining", http.StatusServiceUnavailable)
	case time.Now().Before(a.ready):
		http.Error(w, "starting", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}
