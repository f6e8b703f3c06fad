package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Place is a page of pods, as a user names it: PATH or PATH:PORT, where PORT is a number or the name of a container's port.
type Place struct {
	Path string // begins with a slash; empty where it is left to the pods
	Port string // empty where it is left to the pods and their Service
}

// ParsePlace reads PATH[:PORT]; PATH may have a query.
func ParsePlace(s string) (Place, error) {
	p := Place{Path: s}
	if at := strings.LastIndex(s, ":"); at >= 0 {
		p = Place{s[:at], s[at+1:]}
		if p.Port == "" {
			return p, fmt.Errorf("invalid page %q: no port after the colon", s)
		}
	}
	if n, err := strconv.Atoi(p.Port); err == nil && (n < 1 || n > 65535) || strings.ContainsAny(p.Port, "/?") {
		return p, fmt.Errorf("invalid page %q: %q is no port", s, p.Port)
	}
	if _, err := url.ParseRequestURI(p.Path); err != nil || !strings.HasPrefix(p.Path, "/") {
		return p, fmt.Errorf("invalid page %q: want PATH or PATH:PORT, such as /health:8080", s)
	}
	return p, nil
}

func (p Place) String() string {
	if p.Port == "" {
		return p.Path
	}
	return p.Path + ":" + p.Port
}

// scrapePorts are the names by which containers call the port of their metrics.
var scrapePorts = []string{"metrics", "http-metrics", "prometheus"}

// ofMetrics fills in what a user has not said of where a pod has its metrics: the annotations prometheus.io/scheme, port and path, a
// container's port that is called metrics, http-metrics or prometheus, and else as for a probe; the path is /metrics.
func (p Place) ofMetrics(pod *canary.Pod, services []canary.Service) (target, path string, err error) {
	path = cmp.Or(p.Path, pod.Scrape["path"], "/metrics")
	if p.Port == "" {
		p.Port = pod.Scrape["port"]
	}
	for _, name := range scrapePorts {
		if n, ok := portNamed(pod, name); ok && p.Port == "" {
			p.Port = strconv.Itoa(n)
		}
	}
	target, err = p.target(pod, services)
	if err == nil && pod.Scrape["scheme"] == "https" {
		target = "https:" + target
	}
	return target, path, err
}

// target is the pod and the port to ask, as the API names them: the port that was named, else the one that its Service sends
// requests to, else the first that its containers name.
func (p Place) target(pod *canary.Pod, services []canary.Service) (string, error) {
	var asked []string
	if p.Port != "" {
		asked = []string{p.Port}
	} else {
		for _, s := range services {
			if s.TargetPort != "" {
				asked = append(asked, s.TargetPort)
			}
		}
	}
	for _, port := range asked {
		n, err := strconv.Atoi(port)
		if err != nil {
			var ok bool
			if n, ok = portNamed(pod, port); !ok {
				continue
			}
		}
		return fmt.Sprintf("%s:%d", pod.Name, n), nil
	}
	switch {
	case p.Port != "":
		return "", fmt.Errorf("no container has a port %q", p.Port)
	case len(pod.Ports) > 0:
		return fmt.Sprintf("%s:%d", pod.Name, pod.Ports[0].Number), nil
	}
	return "", errNoPort
}

func portNamed(pod *canary.Pod, name string) (int, bool) {
	for _, port := range pod.Ports {
		if port.Name == name {
			return port.Number, true
		}
	}
	return 0, false
}

var errNoPort = errors.New("neither the Service nor a container names a port")
