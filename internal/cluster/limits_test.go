package cluster

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func quota(name, hard, used string) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ResourceQuotaSpec{Hard: list("pods", "99")},
		Status: corev1.ResourceQuotaStatus{Hard: list("pods", hard), Used: list("pods", used)},
	}
}

// What counts is what the API server has taken in, not what is asked for.
func TestToQuota(t *testing.T) {
	q := quota("q", "5", "3")
	q.Spec.Scopes = []corev1.ResourceQuotaScope{"NotBestEffort"}
	q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{{ScopeName: "PriorityClass", Operator: "In", Values: []string{"high"}}}}
	want := canary.Quota{
		Name: "q", Hard: canary.Amounts{"pods": 5000}, Used: canary.Amounts{"pods": 3000},
		Scopes: []canary.QuotaScope{{Name: "NotBestEffort", Operator: "Exists"}, {Name: "PriorityClass", Operator: "In", Values: []string{"high"}}},
	}
	if diff := cmp.Diff(want, toQuota(q)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestToLimitRange(t *testing.T) {
	l := &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "l"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
		{Type: "Container", Min: list("cpu", "1"), Max: list("cpu", "2"), MaxLimitRequestRatio: list("cpu", "1500m"), Default: list("cpu", "2"), DefaultRequest: list("cpu", "1")},
		{Type: "PersistentVolumeClaim", Min: list("storage", "1")},
		{Type: "Pod", Max: list("memory", "1Ki")},
	}}}
	none := canary.Amounts{}
	want := canary.LimitRange{Name: "l", Items: []canary.LimitRangeItem{
		{Min: canary.Amounts{"cpu": 1000}, Max: canary.Amounts{"cpu": 2000}, Ratio: canary.Amounts{"cpu": 1500}, Default: canary.Amounts{"cpu": 2000}, DefaultRequest: canary.Amounts{"cpu": 1000}},
		{Pod: true, Min: none, Max: canary.Amounts{"memory": 1024000}, Ratio: none, Default: none, DefaultRequest: none},
	}}
	if diff := cmp.Diff(want, toLimitRange(l)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Quotas and limit ranges are read when they are wanted, and again when asked; who may not see them does without.
func TestReadLimits(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.put("resourcequotas", quota("b", "5", "3"))
		a.put("resourcequotas", quota("a", "5", "3"))
		a.put("limitranges", &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "l"}})
		if s := read(t, c, Want{}).Snapshot(); len(s.Quotas)+len(s.LimitRanges) > 0 || a.count("resourcequotas")+a.count("limitranges") > 0 {
			t.Errorf("read though nobody wants it: %+v", s.Quotas)
		}
		l := read(t, c, Want{Limits: true})
		if s := l.Snapshot(); len(s.Quotas) != 2 || s.Quotas[0].Name != "a" || s.Quotas[0].Used["pods"] != 3000 || len(s.LimitRanges) != 1 {
			t.Errorf("%+v, %+v", s.Quotas, s.LimitRanges)
		}
		a.put("resourcequotas", quota("a", "5", "4"))
		if err := l.ReadLimits(t.Context()); err != nil || l.Snapshot().Quotas[0].Used["pods"] != 4000 {
			t.Errorf("%v, %+v", err, l.Snapshot().Quotas)
		}
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/resourcequotas") {
				return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), nil
			}
			return nil, nil
		}
		if l.LimitsHidden() {
			t.Error("hidden, though both were read")
		}
		l = read(t, c, Want{Limits: true})
		if s := l.Snapshot(); len(s.Quotas) != 0 || len(s.LimitRanges) != 1 || !l.LimitsHidden() {
			t.Errorf("forbidden: %+v, %+v", s.Quotas, s.LimitRanges)
		}
	})
}
