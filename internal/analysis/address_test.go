package analysis

import (
	"testing"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestParsePlace(t *testing.T) {
	for in, want := range map[string]Place{
		"/health": {Path: "/health"}, "/health:8080": {"/health", "8080"}, "/a/b?x=y:http": {"/a/b?x=y", "http"}, "/": {Path: "/"},
	} {
		if got, err := ParsePlace(in); err != nil || got != want || got.String() != in {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "health", ":8080", "/health:", "/health:0", "/health:65536", "/a:b/c", "http://x/", "/a b%"} {
		if got, err := ParsePlace(in); err == nil {
			t.Errorf("%q: %+v", in, got)
		}
	}
}

func TestTarget(t *testing.T) {
	services := []canary.Service{{Name: "none"}, {TargetPort: "web"}, {TargetPort: "9999"}}
	web := canary.Pod{Name: "p", Ports: []canary.Port{{Name: "admin", Number: 8000}, {Name: "web", Number: 8080}}}
	marked, metrics := web, web
	marked.Scrape = map[string]string{"port": "9102", "path": "/m?x=1", "scheme": "https"}
	metrics.Ports = append(metrics.Ports[:2:2], canary.Port{Name: "http-metrics", Number: 9100})
	for name, c := range map[string]struct {
		at           Place
		pod          canary.Pod
		services     []canary.Service
		probe        string
		target, path string // of metrics
	}{
		"Service":     {Place{}, web, services, "p:8080", "p:8080", "/metrics"},
		"container":   {Place{}, web, nil, "p:8000", "p:8000", "/metrics"},
		"number":      {Place{"/x", "70"}, web, services, "p:70", "p:70", "/x"},
		"name":        {Place{"/x", "admin"}, web, services, "p:8000", "p:8000", "/x"},
		"annotations": {Place{}, marked, services, "p:8080", "https:p:9102", "/m?x=1"},
		"said":        {Place{"/x", "70"}, marked, services, "p:70", "https:p:70", "/x"},
		"its name":    {Place{}, metrics, services, "p:8080", "p:9100", "/metrics"},
		"other names": {Place{}, canary.Pod{Name: "p"}, services, "p:9999", "p:9999", "/metrics"},
		"none":        {Place{}, canary.Pod{Name: "p"}, nil, "", "", ""},
		"no such":     {Place{"/x", "https"}, web, services, "", "", ""},
	} {
		probe, probeErr := c.at.target(&c.pod, c.services)
		target, path, err := c.at.ofMetrics(&c.pod, c.services)
		if probe != c.probe || target != c.target || err == nil && path != c.path || (err != nil) != (c.target == "") || (probeErr != nil) != (c.probe == "") {
			t.Errorf("%s: probes %q, %v; metrics %q %q, %v", name, probe, probeErr, target, path, err)
		}
	}
}
