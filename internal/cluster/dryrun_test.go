package cluster

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestDryRun(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		if err := l.DryRun(t.Context(), seenAt("auth-v2", 1), 2); err != nil || a.count("dryRun=All") != 1 || a.replicas("auth-v2") != 1 {
			t.Errorf("%v, %q", err, a.seen())
		}
		var conflict *canary.ConflictError
		if err := l.DryRun(t.Context(), seenAt("auth-v2", 3), 2); !errors.As(err, &conflict) {
			t.Errorf("%v", err)
		}
		a.answer = first(func(*api) (*http.Response, error) {
			return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "not on a Friday"), nil
		})(a)
		if err := l.DryRun(t.Context(), seenAt("auth-v2", 1), 2); !apierrors.IsInvalid(err) {
			t.Errorf("%v", err)
		}
	})
}

// Conflict names the other writer, as far as there is one.
func TestConflict(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		l := scaling(t, a, c)
		if err := l.Conflict(t.Context(), seenAt("auth-v2", 1)); err != nil {
			t.Errorf("nothing has changed, and %v", err)
		}
		d := deployment("auth-v2", 1)
		d.UID, d.ManagedFields = types.UID("another"), []metav1.ManagedFieldsEntry{{
			Manager: "argocd", Operation: metav1.ManagedFieldsOperationApply, Time: &metav1.Time{Time: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)},
			FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`),
		}}
		a.put("deployments", d)
		want := `deployment "auth-v2" was deleted and created again meanwhile by argocd (Apply) at 2026-01-01T12:00:00Z`
		if err := l.Conflict(t.Context(), seenAt("auth-v2", 1)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		a.answer = func(*http.Request, bool) (*http.Response, error) { return nil, errLost }
		if err := l.Conflict(t.Context(), seenAt("auth-v2", 1)); err == nil || !strings.Contains(err.Error(), "somebody else changed them") {
			t.Errorf("%v", err)
		}
	})
}
