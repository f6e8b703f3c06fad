package cluster

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// messenger is a namespace with one release: v1 with two pods, v2 with one, all of which serve.
func (a *api) messenger() {
	a.put("services", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "auth"}}})
	a.put("deployments", deployment("v1", 2))
	a.put("deployments", deployment("v2", 1))
	for name, version := range map[string]string{"v1-a": "v1", "v1-b": "v1", "v2-a": "v2"} {
		p := pod(name)
		p.Labels["version"] = version
		a.put("pods", p)
	}
	a.put("endpointslices", slice("auth-1", "auth", "uid-v1-a", "uid-v1-b", "uid-v2-a"))
	a.put("endpointslices", slice("orphan", "", "uid-v1-a"))
}

func served(t *testing.T, s *canary.Snapshot) (stable, second int) {
	t.Helper()
	found := canary.Discover(s, canary.Options{})
	if len(found) != 1 || found[0].Stable == nil {
		t.Fatalf("%+v", found)
	}
	return found[0].Stable.Serving, found[0].Canary.Serving
}

// refusing answers requests whose path contains a text with 403.
func refusing(text string) func(*http.Request, bool) (*http.Response, error) {
	return func(r *http.Request, _ bool) (*http.Response, error) {
		if strings.Contains(r.URL.Path, text) {
			return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "you may not"), nil
		}
		return nil, nil
	}
}

// One list for each kind, of pods only what tells them apart.
func TestRead(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		a.takenBy("joe")
		var accept string
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/pods") {
				accept = r.Header.Get("Accept")
			}
			return nil, nil
		}
		l := read(t, c, Want{})
		want := []string{
			"GET /api/v1/namespaces/messenger/pods", "GET /api/v1/namespaces/messenger/services", "GET /apis/apps/v1/namespaces/messenger/deployments",
			"GET /apis/coordination.k8s.io/v1/namespaces/messenger/leases?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dkubectl-canary",
			"GET /apis/discovery.k8s.io/v1/namespaces/messenger/endpointslices",
		}
		if got := slices.Sorted(slices.Values(a.seen())); !slices.Equal(got, want) {
			t.Errorf("asked for %q, want %q", got, want)
		}
		if !strings.Contains(accept, "as=PartialObjectMetadataList") {
			t.Errorf("pods are asked for as %s", accept)
		}
		s := l.Snapshot()
		if v1, v2 := served(t, s); v1 != 2 || v2 != 1 || s.Leases["auth"].Holder != "joe" || s.LeasesHidden {
			t.Errorf("%d and %d serve, %+v", v1, v2, s)
		}
		if l.Empty() || !l.AutoscalersHidden() {
			t.Errorf("empty %t, autoscalers hidden %t", l.Empty(), l.AutoscalersHidden())
		}
	})
}

// What one may do without, and what not.
func TestForbiddenReads(t *testing.T) {
	for resource, fatal := range map[string]bool{
		"services": true, "deployments": true, "endpointslices": true, "pods": true, "leases": false, "horizontalpodautoscalers": false,
	} {
		t.Run(resource, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, c *Client) {
				a.messenger()
				a.answer = refusing("/" + resource)
				l, err := c.Read(t.Context(), ns, Want{Autoscalers: true, WholePods: true})
				if apierrors.IsForbidden(err) != fatal {
					t.Fatal(err)
				}
				if !fatal && l.Snapshot().LeasesHidden != (resource == "leases") {
					t.Errorf("leases hidden: %t", l.Snapshot().LeasesHidden)
				}
				if !fatal && l.AutoscalersHidden() != (resource == "horizontalpodautoscalers") {
					t.Errorf("autoscalers hidden: %t", l.AutoscalersHidden())
				}
			})
		})
	}
}

func TestNamespaceError(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := read(t, c, Want{})
		if !l.Empty() {
			t.Error("not empty")
		}
		for code, want := range map[int]bool{http.StatusNotFound: true, http.StatusForbidden: false} {
			reason := map[int]metav1.StatusReason{http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusForbidden: metav1.StatusReasonForbidden}[code]
			a.answer = func(*http.Request, bool) (*http.Response, error) { return failure(code, reason, "no"), nil }
			if err := l.NamespaceError(t.Context()); (err != nil) != want {
				t.Errorf("%d: %v", code, err)
			}
		}
	})
}

// Refresh reads what decides a lower, once for all who ask at the same time, and not from before they asked.
func TestRefresh(t *testing.T) {
	a, c := serve(t)
	a.messenger()
	l := read(t, c, Want{})
	before := len(a.seen())
	gate := make(chan struct{})
	a.answer = func(*http.Request, bool) (*http.Response, error) { <-gate; return nil, nil }
	var all sync.WaitGroup
	all.Go(func() { _, _ = l.Refresh(t.Context()) })
	for len(a.seen()) < before+2 {
		time.Sleep(time.Millisecond)
	}
	a.put("endpointslices", slice("auth-1", "auth", "uid-v1-a", "uid-v2-a"))
	var asked atomic.Int32
	for range 20 {
		all.Go(func() {
			asked.Add(1)
			if s, err := l.Refresh(t.Context()); err != nil {
				t.Error(err)
			} else if v1, _ := served(t, s); v1 != 1 {
				t.Errorf("%d serve: that was before", v1)
			}
		})
	}
	for asked.Load() < 20 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	close(gate)
	all.Wait()
	if n := len(a.seen()) - before; n != 4 {
		t.Errorf("%d requests, want two reads of two lists each", n)
	}
}

func TestRefreshFails(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		l := read(t, c, Want{})
		a.answer = refusing("/deployments")
		if _, err := l.Refresh(t.Context()); !apierrors.IsForbidden(err) {
			t.Errorf("%v", err)
		}
	})
}

// Of a few sick Deployments only their own pods are read, of many all at once.
func TestReadPods(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.messenger()
		l := read(t, c, Want{})
		d := toDeployment(deployment("v2", 1))
		a.mu.Lock()
		a.objects["pods/v2-a"].(*corev1.Pod).Status.Phase = corev1.PodFailed
		a.mu.Unlock()
		if err := l.ReadPods(t.Context(), map[string][]canary.Deployment{ns: {d}}); err != nil {
			t.Fatal(err)
		}
		if n := a.count("/pods?labelSelector=app%3Dauth%2Cversion%3Dv2"); n != 1 {
			t.Errorf("asked %q", a.seen())
		}
		phases := map[string]string{}
		for _, p := range l.Snapshots()[0].Pods {
			phases[p.Name] = p.Phase
		}
		if len(phases) != 3 || phases["v2-a"] != "Failed" {
			t.Errorf("%v", phases)
		}
		if err := l.ReadPods(t.Context(), map[string][]canary.Deployment{ns: slices.Repeat([]canary.Deployment{d}, manyDeployments+1)}); err != nil {
			t.Fatal(err)
		}
		if n := a.count("/pods"); n != 3 {
			t.Errorf("%d reads of pods: %q", n, a.seen())
		}
	})
}
