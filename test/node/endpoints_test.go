package node

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// endpoints watches which endpoints of a namespace's Services are ready. It shares no code with the plugin.
type endpoints struct {
	stop  func()
	first chan struct{} // closed when the first were seen

	mu    sync.Mutex
	ready map[string]map[string]versions // by Service and EndpointSlice
	least map[string]int                 // the fewest there were, by Service
}

// versions are the ready endpoints of each.
type versions struct{ v1, v2 int }

func watchEndpoints(t testing.TB, namespace string) *endpoints {
	t.Helper()
	e := &endpoints{ready: map[string]map[string]versions{}, least: map[string]int{}, first: make(chan struct{})}
	e.stop = watch(t, namespace, "endpointslices", e.see)
	<-e.first
	return e
}

func (e *endpoints) see(s *discoveryv1.EndpointSlice) {
	service := s.Labels[discoveryv1.LabelServiceName]
	var n versions
	for _, p := range s.Endpoints {
		switch {
		case p.Conditions.Ready != nil && !*p.Conditions.Ready:
		case strings.HasPrefix(p.TargetRef.Name, service+"-v1-"):
			n.v1++
		default:
			n.v2++
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ready) == 0 {
		close(e.first)
	}
	_, known := e.ready[service]
	if !known {
		e.ready[service] = map[string]versions{}
	}
	e.ready[service][s.Name] = n
	now := e.now(service)
	if all := now.v1 + now.v2; !known || all < e.least[service] {
		e.least[service] = all
	}
}

// now adds up a Service's EndpointSlices.
func (e *endpoints) now(service string) (sum versions) {
	for _, n := range e.ready[service] {
		sum.v1 += n.v1
		sum.v2 += n.v2
	}
	return sum
}

// until waits until every service of the messenger has these.
func (e *endpoints) until(t testing.TB, want versions) {
	t.Helper()
	missing := func() string {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, service := range services {
			if now := e.now(service); now != want {
				return fmt.Sprintf("%s has %+v, want %+v", service, now, want)
			}
		}
		return ""
	}
	for deadline := time.Now().Add(2 * time.Minute); missing() != ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(missing())
		}
	}
}
