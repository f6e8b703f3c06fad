package cluster

import (
	"context"
	"errors"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func serving(name string) *corev1.Pod {
	p := pod(name)
	p.Labels["serving"] = "true"
	return p
}

func (a *api) pod(name string) *corev1.Pod {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.objects["pods/"+name].(*corev1.Pod)
}

func patches(a *api) int {
	n := 0
	for _, r := range a.requests {
		if r[:len(http.MethodPatch)] == http.MethodPatch {
			n++
		}
	}
	return n
}

// A drained pod has lost its label and is the cheapest to delete; relit it is as it was. What was written is seen before
// anybody looks again.
func TestDrainAndRelight(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.put("pods", serving("one"))
		l := read(t, c, Want{WholePods: true})
		follow(t, l)
		seen := func() (p canary.Pod) {
			err := l.Observe(t.Context(), func(s *canary.Snapshot) (bool, error) { p = s.Pods[0]; return true, nil })
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if err := l.Drain(t.Context(), seen(), "serving"); err != nil {
			t.Fatal(err)
		}
		if p := a.pod("one"); p.Labels["serving"] != "" || p.Labels["app"] != "auth" || p.Annotations[corev1.PodDeletionCost] != "-2147483648" {
			t.Errorf("drained: %v, %v", p.Labels, p.Annotations)
		}
		if p := seen(); !p.Cheapest || p.Labels["serving"] != "" {
			t.Errorf("drained, it is seen as %+v", p)
		}
		if err := l.Relight(t.Context(), seen(), "serving", "true"); err != nil {
			t.Fatal(err)
		}
		if p := a.pod("one"); p.Labels["serving"] != "true" || len(p.Annotations) > 0 {
			t.Errorf("relit: %v, %v", p.Labels, p.Annotations)
		}
		if p := seen(); p.Cheapest {
			t.Errorf("relit, it is seen as %+v", p)
		}
	})
}

func TestDrainOfAnotherPod(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.put("pods", serving("one"))
		l := read(t, c, Want{WholePods: true})
		for _, p := range []canary.Pod{{Name: "gone", UID: "uid-gone"}, {Name: "one", UID: "its predecessor's"}} {
			if err := l.Drain(t.Context(), p, "serving"); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		if p := a.pod("one"); p.Labels["serving"] != "true" {
			t.Error("the successor was drained")
		}
	})
}

func TestDrainFails(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, c := range []struct {
		name    string
		answer  func() (*http.Response, error)
		patches int
		fails   bool
	}{
		{"lost", func() (*http.Response, error) { return nil, errLost }, 2, false},
		{"refused", func() (*http.Response, error) {
			return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), nil
		}, 1, true},
		{"a policy says no", func() (*http.Response, error) {
			return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "no"), nil
		}, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, client *Client) {
				a.put("pods", serving("one"))
				l := read(t, client, Want{WholePods: true})
				first := true
				a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
					if !isPatch(r) || effective || !first {
						return nil, nil
					}
					first = false
					return c.answer()
				}
				err := l.Drain(t.Context(), canary.Pod{Name: "one", UID: "uid-one"}, "serving")
				if (err != nil) != c.fails || patches(a) != c.patches {
					t.Errorf("%v after %d patches", err, patches(a))
				}
			})
		})
	}
	in(t, func(t *testing.T, a *api, c *Client) {
		a.put("pods", serving("one"))
		ctx, cancel := context.WithCancelCause(t.Context())
		l := read(t, c, Want{WholePods: true})
		cancel(interrupted)
		if err := l.Drain(ctx, canary.Pod{Name: "one", UID: "uid-one"}, "serving"); !errors.Is(err, interrupted) || patches(a) > 0 {
			t.Errorf("after a signal: %v, %d patches", err, patches(a))
		}
	})
}
