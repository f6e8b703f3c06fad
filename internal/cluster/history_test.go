package cluster

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// The past is in the Leases, and in the plugin's own Events on Services.
func TestReadPast(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := leaseOf("auth")
		if err := held(l, "", noon, record()); err != nil {
			t.Fatal(err)
		}
		a.put("leases", l)
		a.put("events", &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: "auth.1"}, InvolvedObject: corev1.ObjectReference{Kind: "Service", Name: "auth"},
			Reason: "CanaryDone", Message: "m", LastTimestamp: metav1.NewTime(noon),
		})
		a.put("events", &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "auth.2"}, EventTime: metav1.NewMicroTime(noon.Add(time.Minute))})
		past, err := c.ReadPast(t.Context(), ns)
		if err != nil || past.EventsHidden || past.Leases["auth"].Record.Baseline != 3 || len(past.Notices) != 2 {
			t.Fatalf("%+v, %v", past, err)
		}
		want := canary.Notice{Release: "auth", Reason: "CanaryDone", Message: "m", At: noon}
		past.Notices[0].At = past.Notices[0].At.UTC()
		if past.Notices[0] != want {
			t.Errorf("got %+v", past.Notices[0])
		}
		if !past.Notices[1].At.Equal(noon.Add(time.Minute)) {
			t.Errorf("got %+v", past.Notices[1])
		}
		if a.count("fieldSelector=involvedObject.kind%3DService%2Csource%3Dkubectl-canary") != 1 {
			t.Errorf("asked for %q", a.seen())
		}
	})
}

// Events are best effort; without Leases there is nothing to tell.
func TestReadPastForbidden(t *testing.T) {
	for kind, fails := range map[string]bool{"/events": false, "/leases": true} {
		in(t, func(t *testing.T, a *api, c *Client) {
			a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, kind) {
					return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), nil
				}
				return nil, nil
			}
			past, err := c.ReadPast(t.Context(), ns)
			if apierrors.IsForbidden(err) != fails || past.EventsHidden == fails {
				t.Errorf("%s forbidden: %+v, %v", kind, past, err)
			}
		})
	}
}
