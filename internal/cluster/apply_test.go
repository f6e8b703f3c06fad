package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// applied is what the server was sent.
type applied struct {
	path, query string
	replicas    any
	version     string
}

// applies lets the server take what is applied where its version is the present one, as the real one does; the script
// deploy-races holds that to it.
func (a *api) applies(sent *[]applied, before func(n int)) {
	a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
		if !isPatch(r) || effective {
			return nil, nil //nolint:nilnil // as it is
		}
		body, _ := io.ReadAll(r.Body)
		var o unstructured.Unstructured
		if err := json.Unmarshal(body, &o.Object); err != nil {
			a.t.Error(err)
		}
		n, _, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "replicas")
		*sent = append(*sent, applied{r.URL.Path, r.URL.RawQuery, n, o.GetResourceVersion()})
		if before != nil {
			before(len(*sent))
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		live, there := a.objects["deployments/"+o.GetName()].(*appsv1.Deployment)
		if v := o.GetResourceVersion(); v != "" && (!there || v != live.ResourceVersion) {
			return failure(http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified"), nil
		}
		o.SetResourceVersion("900")
		return answer(http.StatusOK, o.Object), nil
	}
}

func manifest(kind, name string, replicas int64) Manifest {
	group, version := "apps", "v1"
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": ns},
		"spec": map[string]any{"replicas": replicas},
	}}
	return Manifest{Resource: schema.GroupVersionResource{Group: group, Version: version, Resource: strings.ToLower(kind) + "s"}, Object: o}
}

func TestApply(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		var sent []applied
		a.applies(&sent, nil)
		a.put("deployments", deployment("auth-v2", 2))
		got, err := c.Apply(t.Context(), manifest("Deployment", "auth-v2", 1), ApplyOptions{Force: true, DryRun: true})
		if err != nil || got.ResourceVersion != "900" || len(sent) != 1 {
			t.Fatalf("%+v, %v, %+v", got, err, sent)
		}
		s := sent[0]
		if s.path != "/apis/apps/v1/namespaces/"+ns+"/deployments/auth-v2" || s.replicas != 1.0 || s.version != "" {
			t.Errorf("%+v", s)
		}
		for _, want := range []string{"dryRun=All", "fieldManager=kubectl-canary", "fieldValidation=Strict", "force=true"} {
			if !strings.Contains(s.query, want) {
				t.Errorf("%s is not in %s", want, s.query)
			}
		}
	})
}

func TestApplyPaths(t *testing.T) {
	o := manifest("Namespace", "messenger", 0).Object
	o.SetNamespace("")
	if got := strings.Join(pathOf(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, o), "/"); got != "api/v1/namespaces/messenger" {
		t.Error(got)
	}
	o.SetNamespace("x")
	if got := strings.Join(pathOf(schema.GroupVersionResource{Group: "g.io", Version: "v2", Resource: "things"}, o), "/"); got != "apis/g.io/v2/namespaces/x/things/messenger" {
		t.Error(got)
	}
}

// A Deployment that is kept gets the replicas that it has, even those that somebody sets between reading and applying.
func TestApplyKeepsReplicas(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		var sent []applied
		a.applies(&sent, func(n int) {
			if n == 1 {
				a.by("kubectl", 5)
			}
		})
		a.put("deployments", deployment("auth-v2", 2))
		if _, err := c.Apply(t.Context(), manifest("Deployment", "auth-v2", 1), ApplyOptions{Keep: true}); err != nil {
			t.Fatal(err)
		}
		if len(sent) != 2 || sent[0].replicas != 2.0 || sent[1].replicas != 5.0 || sent[1].version == "" {
			t.Errorf("%+v", sent)
		}
	})
}

// The server says first that others manage the replicas by now: that is the same.
func TestApplyKeepsReplicasOfOthers(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.put("deployments", deployment("auth-v2", 2))
		n := 0
		a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
			if !isPatch(r) || effective {
				return nil, nil //nolint:nilnil // as it is
			}
			if n++; n == 1 {
				return managed(".spec.replicas"), nil
			}
			return answer(http.StatusOK, map[string]any{"metadata": map[string]any{"resourceVersion": "900"}}), nil
		}
		if _, err := c.Apply(t.Context(), manifest("Deployment", "auth-v2", 1), ApplyOptions{Keep: true}); err != nil || n != 2 {
			t.Errorf("%v after %d", err, n)
		}
	})
}

// managed is the server's answer where a field is another's.
func managed(field string) *http.Response {
	return answer(http.StatusConflict, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: http.StatusConflict, Reason: metav1.StatusReasonConflict,
		Message: "Apply failed with 1 conflict", Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Field: field}}},
	})
}

// One that changes all the time is given up.
func TestApplyToWhatChanges(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		var sent []applied
		a.applies(&sent, func(n int) { a.by("kubectl", int32(n)) })
		a.put("deployments", deployment("auth-v2", 2))
		_, err := c.Apply(t.Context(), manifest("Deployment", "auth-v2", 1), ApplyOptions{Keep: true})
		if !apierrors.IsConflict(err) || len(sent) != outdatedTries+1 {
			t.Errorf("%v after %d", err, len(sent))
		}
	})
}

// What is not there is created as the manifest has it.
func TestApplyKeepsNothingOfWhatIsGone(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		var sent []applied
		a.applies(&sent, nil)
		if _, err := c.Apply(t.Context(), manifest("Deployment", "auth-v2", 1), ApplyOptions{Keep: true}); err != nil {
			t.Fatal(err)
		}
		if len(sent) != 1 || sent[0].replicas != 1.0 || sent[0].version != "" {
			t.Errorf("%+v", sent)
		}
	})
}

// A lost answer is settled by applying again; a field of another manager, and a signal, end it.
func TestApplyEnds(t *testing.T) {
	for name, c := range map[string]struct {
		first func() (*http.Response, error)
		want  int // requests
		ok    bool
	}{
		"lost":    {func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, 2, true},
		"managed": {func() (*http.Response, error) { return managed(".spec.replicas"), nil }, 1, false},
		"invalid": {func() (*http.Response, error) {
			return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "no"), nil
		}, 1, false},
	} {
		in(t, func(t *testing.T, a *api, client *Client) {
			client.Persist(0)
			n := 0
			a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
				if n++; n == 1 {
					return c.first()
				}
				return answer(http.StatusOK, map[string]any{"metadata": map[string]any{"resourceVersion": "900"}}), nil
			}
			_, err := client.Apply(t.Context(), manifest("Deployment", "auth-v2", 1), ApplyOptions{})
			if (err == nil) != c.ok || n != c.want || ManagedByOthers(err) != (name == "managed") {
				t.Errorf("%s: %v after %d requests", name, err, n)
			}
		})
	}
	in(t, func(t *testing.T, a *api, client *Client) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("interrupted"))
		if _, err := client.Apply(ctx, manifest("Deployment", "auth-v2", 1), ApplyOptions{}); err == nil || err.Error() != "interrupted" || len(a.seen()) > 0 {
			t.Errorf("%v, %q", err, a.seen())
		}
	})
}
