package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestScalePatch(t *testing.T) {
	for _, c := range []struct {
		from, to int
		want     string
	}{
		{3, 2, `[{"op":"test","path":"/metadata/uid","value":"u"},{"op":"test","path":"/spec/replicas","value":3},{"op":"replace","path":"/spec/replicas","value":2}]`},
		{3, 0, `[{"op":"test","path":"/metadata/uid","value":"u"},{"op":"test","path":"/spec/replicas","value":3},{"op":"replace","path":"/spec/replicas","value":0}]`},
		// Scale leaves a zero out: there is nothing to replace.
		{0, 2, `[{"op":"test","path":"/metadata/uid","value":"u"},{"op":"test","path":"/spec/replicas","value":null},{"op":"add","path":"/spec/replicas","value":2}]`},
	} {
		got, err := scalePatch("u", c.from, c.to)
		if err != nil || string(got) != c.want {
			t.Errorf("from %d to %d: %s (%v)\nwant %s", c.from, c.to, got, err, c.want)
		}
	}
}

// scaling is auth-v2 at 1, which a plan wants at 2.
func scaling(t *testing.T, a *api, c *Client) *Live {
	a.put("deployments", deployment("auth-v2", 1))
	return read(t, c, Want{})
}

func (a *api) replicas(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return int(*a.objects["deployments/"+name].(*appsv1.Deployment).Spec.Replicas)
}

// by is somebody else who scales, in between.
func (a *api) by(manager string, replicas int32) {
	d := deployment("auth-v2", replicas)
	d.ManagedFields = []metav1.ManagedFieldsEntry{
		{Manager: "kube-controller-manager", Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(`{"f:status":{}}`)},
		{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: "scale", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`)},
	}
	a.put("deployments", d)
}

// isPatch picks the request under test; effective as in api.answer.
func isPatch(r *http.Request) bool { return r.Method == http.MethodPatch }

var errLost = io.ErrUnexpectedEOF

func TestScale(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   func(a *api) func(*http.Request, bool) (*http.Response, error)
		patches  int    // requests
		replicas int    // afterwards
		want     string // in the error; empty for success
	}{
		{name: "taken", patches: 1, replicas: 2},
		{
			name: "answer lost after it took effect", patches: 1, replicas: 2,
			answer: func(*api) func(*http.Request, bool) (*http.Response, error) {
				return func(r *http.Request, effective bool) (*http.Response, error) {
					if isPatch(r) && effective {
						return nil, errLost
					}
					return nil, nil
				}
			},
		},
		{name: "lost before it took effect", patches: 2, replicas: 2, answer: first(func(*api) (*http.Response, error) { return nil, errLost })},
		{
			name: "a server error that wrote nothing", patches: 2, replicas: 2,
			answer: first(func(*api) (*http.Response, error) {
				return failure(http.StatusInternalServerError, metav1.StatusReasonInternalError, "etcd"), nil
			}),
		},
		{
			name: "lost, and somebody else was faster", patches: 1, replicas: 7, want: `changed from 1 to 7 meanwhile by joe (Update, subresource scale)`,
			answer: first(func(a *api) (*http.Response, error) { a.by("joe", 7); return nil, errLost }),
		},
		{
			name: "lost, and slow to take effect", patches: 2, replicas: 2,
			answer: func(a *api) func(*http.Request, bool) (*http.Response, error) {
				n := 0
				return func(r *http.Request, effective bool) (*http.Response, error) {
					if !isPatch(r) || effective {
						return nil, nil
					}
					if n++; n == 1 {
						return nil, errLost
					}
					a.by(FieldManager, 2) // the first one, just before the second
					return nil, nil
				}
			},
		},
		{
			name: "a policy says no", patches: 1, replicas: 1, want: "not on a Friday",
			answer: first(func(*api) (*http.Response, error) {
				return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "not on a Friday"), nil
			}),
		},
		{
			name: "changed since the plan", patches: 1, replicas: 5, want: `replicas of deployment "auth-v2" were changed from 1 to 5 meanwhile by kubectl scale, as kubectl (Update, subresource scale), seen at 2000-01-01T00:00:00Z`,
			answer: first(func(a *api) (*http.Response, error) { a.by("kubectl", 5); return nil, nil }),
		},
		{
			name: "changed to what is wanted", patches: 1, replicas: 2, want: "changed from 1 to 2 meanwhile by kubectl",
			answer: first(func(a *api) (*http.Response, error) { a.by("kubectl", 2); return nil, nil }),
		},
		{
			name: "a conflict that is none", patches: 2, replicas: 2,
			answer: first(func(*api) (*http.Response, error) {
				return failure(http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified"), nil
			}),
		},
		{
			name: "forbidden", patches: 1, replicas: 1, want: "you may not",
			answer: first(func(*api) (*http.Response, error) {
				return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "you may not"), nil
			}),
		},
		{
			name: "replaced", patches: 1, replicas: 1, want: "was deleted and created again meanwhile",
			answer: first(func(a *api) (*http.Response, error) {
				d := deployment("auth-v2", 1)
				d.UID = "another"
				a.put("deployments", d)
				return nil, nil
			}),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, client *Client) {
				l := scaling(t, a, client)
				if c.answer != nil {
					a.answer = c.answer(a)
				}
				err := l.Scale(t.Context(), seenAt("auth-v2", 1), 2)
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if conflict := new(canary.ConflictError); errors.As(err, &conflict) != strings.Contains(c.want, "meanwhile") {
					t.Errorf("%T is a conflict, or should be one", err)
				}
				if n := a.count("PATCH"); n != c.patches {
					t.Errorf("%d patches, want %d", n, c.patches)
				}
				if n := a.replicas("auth-v2"); n != c.replicas {
					t.Errorf("left at %d, want %d", n, c.replicas)
				}
			})
		})
	}
}

// first answers the first patch, before it takes effect.
func first(answer func(*api) (*http.Response, error)) func(a *api) func(*http.Request, bool) (*http.Response, error) {
	return func(a *api) func(*http.Request, bool) (*http.Response, error) {
		done := false
		return func(r *http.Request, _ bool) (*http.Response, error) {
			if done || !isPatch(r) {
				return nil, nil
			}
			done = true
			return answer(a)
		}
	}
}

func TestScaleOfADeletedDeployment(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		a.remove("deployments", "auth-v2")
		var conflict *canary.ConflictError
		if err := l.Scale(t.Context(), seenAt("auth-v2", 1), 2); !errors.As(err, &conflict) || !conflict.Gone {
			t.Errorf("%v", err)
		}
	})
}

// A write that hangs is given up after a while, and then there is still time to read what became of it.
func TestScaleThatStalls(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
			if !isPatch(r) || !effective {
				return nil, nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		began := time.Now()
		if err := l.Scale(t.Context(), seenAt("auth-v2", 1), 2); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != writeTimeout {
			t.Errorf("took %s", took)
		}
	})
}

// What became of it cannot be told: the error says what failed, and that.
func TestScaleThatCannotBeSettled(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		a.answer = func(*http.Request, bool) (*http.Response, error) { return nil, errLost }
		err := l.Scale(t.Context(), seenAt("auth-v2", 1), 2)
		if !errors.Is(err, errLost) || !strings.Contains(err.Error(), "what became of it could not be read") {
			t.Errorf("%v", err)
		}
	})
}

// A signal stops what has not begun, and lets what has come to its end.
func TestScaleAndSignals(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		stop := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			cancel(stop)
			return nil, r.Context().Err()
		}
		if err := l.Scale(ctx, seenAt("auth-v2", 1), 2); err != nil || a.replicas("auth-v2") != 2 {
			t.Errorf("the write in flight: %v, at %d", err, a.replicas("auth-v2"))
		}
		if err := l.Scale(ctx, seenAt("auth-v2", 2), 3); !errors.Is(err, stop) || a.count("PATCH") != 1 {
			t.Errorf("the write after the signal: %v, %d patches", err, a.count("PATCH"))
		}
	})
}

// An autoscaler is named even where it has come since everything was read.
func TestConflictWithANewAutoscaler(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.by("kubectl", 1)
		l := read(t, c, Want{Autoscalers: true})
		a.by("kube-controller-manager", 5)
		a.put("horizontalpodautoscalers", &autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "new"},
			Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "auth-v2"}},
		})
		var conflict *canary.ConflictError
		if err := l.Scale(t.Context(), seenAt("auth-v2", 1), 2); !errors.As(err, &conflict) || conflict.Actor.Name != "HorizontalPodAutoscaler new" {
			t.Errorf("got %v", err)
		}
	})
}
