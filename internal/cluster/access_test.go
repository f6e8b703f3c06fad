package cluster

import (
	"io"
	"net/http"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestWhoAmI(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		review := &authenticationv1.SelfSubjectReview{}
		a.answer = func(*http.Request, bool) (*http.Response, error) { return answer(http.StatusCreated, review), nil }
		if got := c.WhoAmI(t.Context()); got != "unknown" {
			t.Errorf("nobody is %q", got)
		}
		review.Status.UserInfo.Username = "jane@example.com"
		if got := c.WhoAmI(t.Context()); got != "jane@example.com" {
			t.Errorf("jane is %q", got)
		}
		a.answer = refusing("selfsubjectreviews")
		if got := c.WhoAmI(t.Context()); got != "unknown" {
			t.Errorf("who may not ask is %q", got)
		}
	})
}

// The server's word is advice: where there is none, the write itself decides.
func TestMayScale(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		var asked authorizationv1.ResourceAttributes
		allowed := true
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			review := decoded(t, body).(*authorizationv1.SelfSubjectAccessReview)
			asked = *review.Spec.ResourceAttributes
			review.Status.Allowed = allowed
			return answer(http.StatusCreated, review), nil
		}
		if !c.MayScale(t.Context(), ns, "auth-v1") {
			t.Error("allowed, and may not")
		}
		want := authorizationv1.ResourceAttributes{Namespace: ns, Verb: "patch", Group: "apps", Resource: "deployments", Subresource: "scale", Name: "auth-v1"}
		if asked != want {
			t.Errorf("asked for %+v", asked)
		}
		allowed = false
		if c.MayScale(t.Context(), ns, "auth-v1") {
			t.Error("not allowed, and may")
		}
		a.answer = refusing("selfsubjectaccessreviews")
		if !c.MayScale(t.Context(), ns, "auth-v1") {
			t.Error("the question was refused, and that is taken for the answer")
		}
	})
}

func TestAnnounce(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		var got *corev1.Event
		a.answer = func(r *http.Request, effective bool) (*http.Response, error) {
			if !effective && strings.HasSuffix(r.URL.Path, "/events") {
				body, _ := io.ReadAll(r.Body)
				got = decoded(t, body).(*corev1.Event)
				return answer(http.StatusCreated, got), nil
			}
			return nil, nil
		}
		if err := c.Announce(t.Context(), ns, canary.Service{Name: "auth", UID: "u"}, "Normal", "CanaryDone", "3/1 to 2/2"); err != nil {
			t.Fatal(err)
		}
		on := got.InvolvedObject
		if on.Kind != "Service" || on.Name != "auth" || on.UID != "u" || on.Namespace != ns || got.GenerateName != "auth." || got.Message != "3/1 to 2/2" || got.FirstTimestamp.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}
