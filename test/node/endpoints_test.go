package node

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"sync"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// endpoints watches how many endpoints of a Service are ready. It shares no code with the plugin.
type endpoints struct {
	cmd   *exec.Cmd
	first chan struct{} // closed when the first were seen
	ended chan struct{}

	mu    sync.Mutex
	ready map[string]int // by EndpointSlice
	least int
}

func watchEndpoints(t testing.TB, namespace, service string) *endpoints {
	t.Helper()
	e := &endpoints{ready: map[string]int{}, first: make(chan struct{}), ended: make(chan struct{})}
	e.cmd = cluster.command(t.Context(), "kubectl", "get", "endpointslices", "-n", namespace, "-l", discoveryv1.LabelServiceName+"="+service, "--watch", "-o", "json")
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.stop() })
	go e.follow(t, out)
	<-e.first
	return e
}

func (e *endpoints) follow(t testing.TB, out io.Reader) {
	defer close(e.ended)
	for slices := json.NewDecoder(out); ; {
		var s discoveryv1.EndpointSlice
		err := slices.Decode(&s)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("watching endpoints: %v", err)
			return
		}
		e.see(&s)
	}
}

func (e *endpoints) see(s *discoveryv1.EndpointSlice) {
	n := 0
	for _, p := range s.Endpoints {
		if p.Conditions.Ready == nil || *p.Conditions.Ready {
			n++
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	none := len(e.ready) == 0
	e.ready[s.Name] = n
	all := 0
	for _, n := range e.ready {
		all += n
	}
	if none {
		e.least = all
		close(e.first)
	}
	e.least = min(e.least, all)
}

// stop returns the fewest there were.
func (e *endpoints) stop() (least int) {
	_ = e.cmd.Process.Kill()
	<-e.ended
	_ = e.cmd.Wait()
	return e.least
}
