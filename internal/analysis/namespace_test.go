package analysis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const ns = "messenger"

// namespace is a namespace with the release auth, whose pods answer as they are told to.
type namespace struct {
	mu       sync.Mutex
	pods     []canary.Pod
	pages    map[string]string // of metrics, by pod
	answers  map[string]answer // to probes, by pod; 200 without
	used     []canary.Used
	warnings []canary.Happening
	barred   []canary.Permission
	failing  map[string]error // by what is asked: usage, events, or a target

	asked []string // targets and paths, in order
	lists []string // selectors of usage
}

type answer struct {
	status int
	after  time.Duration
	err    error
}

// in runs a test on a clock of its own.
func in(t *testing.T, test func(t *testing.T, w *namespace)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &namespace{pages: map[string]string{}, answers: map[string]answer{}, failing: map[string]error{}}
		for _, name := range []string{"auth-v1-a", "auth-v1-b", "auth-v1-c", "auth-v2-a"} {
			w.add(name)
		}
		test(t, w)
	})
}

func (w *namespace) add(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pods = append(w.pods, canary.Pod{
		Name: name, UID: "uid-" + name, Owned: true, Phase: "Running", Labels: labelsOf(name),
		Conditions: []canary.Condition{{Type: "Ready", Status: true}}, Containers: []canary.Container{{Name: "app", Ready: true}},
		Ports: []canary.Port{{Name: "http", Number: 8001}},
	})
	w.pages[name] = counts(0, 0, 0)
}

func labelsOf(pod string) map[string]string {
	return map[string]string{"app": "auth", "version": pod[5:7]}
}

func (w *namespace) remove(name string) {
	for i := range w.pods {
		if w.pods[i].Name == name {
			w.pods = append(w.pods[:i:i], w.pods[i+1:]...)
			return
		}
	}
}

func (w *namespace) pod(name string) *canary.Pod {
	for i := range w.pods {
		if w.pods[i].Name == name {
			return &w.pods[i]
		}
	}
	return nil
}

// counts is a page of a pod that has answered so many, of which some failed and some were slow.
func counts(requests, errors, slow int) string {
	return fmt.Sprintf(`# TYPE http_requests_total counter
http_requests_total{code="200"} %d
http_requests_total{code="500"} %d
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} %d
http_request_duration_seconds_bucket{le="1"} %d
http_request_duration_seconds_bucket{le="+Inf"} %d
http_request_duration_seconds_sum 1
http_request_duration_seconds_count %d
`, requests-errors, errors, requests-slow, requests, requests, requests)
}

type matcher map[string]string

func (m matcher) Matches(labels map[string]string) bool {
	for k, v := range m {
		if labels[k] != v {
			return false
		}
	}
	return true
}

func (m matcher) String() string { return "version=" + m["version"] }

// snapshot is the namespace as it is, and its one release.
func (w *namespace) snapshot(t *testing.T) ([]canary.Release, *canary.Snapshot) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &canary.Snapshot{Namespace: ns, Services: []canary.Service{{Name: "auth", Selector: map[string]string{"app": "auth"}}}, Leases: map[string]canary.Lease{}}
	s.Pods = append(s.Pods, w.pods...)
	for _, version := range []string{"v1", "v2"} {
		labels := labelsOf("auth-" + version)
		s.Deployments = append(s.Deployments, canary.Deployment{Name: "auth-" + version, PodLabels: labels, MatchLabels: labels, Selector: matcher(labels), Replicas: 1})
	}
	for _, p := range s.Pods {
		s.Endpoints = append(s.Endpoints, canary.Endpoint{Service: "auth", PodUID: p.UID, Ready: true})
	}
	all := canary.Discover(s, canary.Options{})
	if len(all) != 1 || all[0].Canary == nil {
		t.Fatalf("it has %v", all)
	}
	return all, s
}

func (w *namespace) begin(t *testing.T, s Sources) *Watcher {
	t.Helper()
	watcher := NewWatcher(w, s)
	releases, snapshot := w.snapshot(t)
	watcher.Begin(t.Context(), releases, snapshot)
	return watcher
}

func (w *namespace) see(t *testing.T, watcher *Watcher) {
	t.Helper()
	watcher.See(w.snapshot(t))
}

func (w *namespace) May(_ context.Context, _ string, p canary.Permission) bool {
	for _, b := range w.barred {
		if b == p {
			return false
		}
	}
	return true
}

func (w *namespace) AskPod(ctx context.Context, namespace, target, path string, most int64) (int, []byte, error) {
	w.mu.Lock()
	w.asked = append(w.asked, target+path)
	name, _, _ := strings.Cut(strings.TrimPrefix(target, "https:"), ":")
	page, a, err := w.pages[name], w.answers[name], w.failing[target]
	w.mu.Unlock()
	if namespace != ns {
		err = errors.New("no such namespace")
	}
	if err == nil && strings.HasPrefix(path, "/metrics") {
		return 200, []byte(page[:min(int64(len(page)), most)]), nil
	}
	select {
	case <-time.After(a.after):
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	}
	if a.status == 0 {
		a.status = 200
	}
	return a.status, nil, errors.Join(err, a.err)
}

func (w *namespace) PodUsage(_ context.Context, _, selector string) (some []canary.Used, err error) {
	w.lists = append(w.lists, selector)
	for _, used := range w.used {
		if selector == "" || selector == "version="+used.Pod[5:7] {
			some = append(some, used)
		}
	}
	return some, w.failing["usage"]
}

func (w *namespace) PodWarnings(context.Context, string) ([]canary.Happening, error) {
	return w.warnings, w.failing["events"]
}
