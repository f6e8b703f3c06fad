package cluster

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// chatty puts a second release beside the one of messenger, gives Deployments labels, and each a ReplicaSet.
func (a *api) chatty() {
	a.messenger()
	a.put("services", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "chat"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "chat"}}})
	for _, d := range []*appsv1.Deployment{deployment("v1", 2), deployment("v2", 1), deployment("chat-v1", 2), deployment("chat-v2", 1)} {
		if strings.HasPrefix(d.Name, "chat") {
			d.Spec.Template.Labels["app"] = "chat"
		}
		d.Labels = d.Spec.Template.Labels
		a.put("deployments", d)
		a.put("replicasets", replicaSet(d))
	}
	a.put("endpointslices", slice("chat-1", "chat"))
}

func replicaSet(d *appsv1.Deployment) *appsv1.ReplicaSet {
	yes := true
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Name: d.Name, Labels: d.Spec.Template.Labels,
		OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: d.Name, UID: d.UID, Controller: &yes}},
	}}
}

func ownLease(name string) *coordinationv1.Lease {
	holder := "joe"
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: leasePrefix + name, Labels: map[string]string{managedBy: FieldManager}},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder},
	}
}

// What is read by name shows the release as the whole namespace does, and of all else nothing.
func TestReadByName(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.chatty()
		a.put("leases", ownLease("auth"))
		a.put("leases", ownLease("chat"))
		l := read(t, c, Want{Names: []string{"auth"}})
		if got := len(a.seen()); got != 7 {
			t.Errorf("%d requests: %q", got, a.seen())
		}
		s := l.Snapshot()
		if stable, second := served(t, s); stable != 2 || second != 1 {
			t.Errorf("%d/%d serve", stable, second)
		}
		if len(s.Deployments) != 2 || len(s.Leases) != 1 || s.Leases["auth"].Holder != "joe" || len(s.Services) != 1 {
			t.Errorf("%+v", s)
		}
		if s := read(t, c, Want{Names: []string{"auth", "svc/chat"}}).Snapshot(); len(s.Deployments) != 4 || len(s.Leases) != 2 {
			t.Errorf("two names: %+v", s)
		}
	})
}

// The whole namespace is read where a selector does not show everything.
func TestReadByNameFallsBack(t *testing.T) {
	whole := "GET /apis/apps/v1/namespaces/messenger/deployments"
	for _, tc := range []struct {
		name  string
		setUp func(a *api)
		names []string
	}{
		{"no such Service", func(*api) {}, []string{"nope"}},
		{"a Deployment's name", func(*api) {}, []string{"deploy/v1"}},
		{"many names", func(*api) {}, strings.Fields(strings.Repeat("auth ", fewNames+1))},
		{"a Deployment without labels", func(a *api) { a.put("deployments", deployment("v2", 1)) }, []string{"auth"}},
		{"a Deployment without labels or pods", func(a *api) {
			d := deployment("v3", 0)
			a.put("deployments", d)
			a.put("replicasets", replicaSet(d))
		}, []string{"auth"}},
		{"many Services of the same pods", func(a *api) {
			for i := range maxTwins + 1 {
				a.put("services", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("auth-", i)}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "auth"}}})
			}
		}, []string{"auth"}},
		{"a Service that changes meanwhile", func(a *api) {
			a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/services/auth") {
					return answer(http.StatusOK, &corev1.Service{
						TypeMeta: metav1.TypeMeta{Kind: "Service", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "auth"},
						Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "auth", "version": "v1"}},
					}), nil
				}
				return nil, nil
			}
		}, []string{"auth"}},
		{"ReplicaSets forbidden", func(a *api) { a.answer = refusing("/replicasets") }, []string{"auth"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, c *Client) {
				a.chatty()
				tc.setUp(a)
				s := read(t, c, Want{Names: tc.names}).Snapshot()
				if last := a.seen(); len(s.Deployments) < 4 || a.count(whole) == 0 || strings.Contains(fmt.Sprint(last[len(last)-5:]), "labelSelector=app%3D") {
					t.Errorf("%d Deployments were read: %q", len(s.Deployments), last)
				}
			})
		})
	}
}

// Leases may be hidden, and one of that name may be somebody else's; errors are not.
func TestReadByNameWithoutLeases(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.chatty()
		foreign := ownLease("auth")
		foreign.Labels = nil
		a.put("leases", foreign)
		if s := read(t, c, Want{Names: []string{"auth"}}).Snapshot(); s.LeasesHidden || len(s.Leases) != 0 {
			t.Errorf("somebody else's: %+v", s.Leases)
		}
		a.answer = refusing("/leases")
		if s := read(t, c, Want{Names: []string{"auth"}}).Snapshot(); !s.LeasesHidden || len(s.Deployments) != 2 {
			t.Errorf("hidden: %+v", s)
		}
		for _, resource := range []string{"services", "replicasets", "leases"} {
			a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
				if strings.Contains(r.URL.Path, "/"+resource) {
					return failure(http.StatusBadRequest, metav1.StatusReasonBadRequest, "no"), nil
				}
				return nil, nil
			}
			if _, err := c.Read(t.Context(), ns, Want{Names: []string{"auth"}}); err == nil {
				t.Errorf("%s failed, and nothing was said", resource)
			}
		}
	})
}

// Any Service of a release finds the others: a pod serves when it is ready in all of them.
func TestReadByNameTwins(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.chatty()
		a.put("services", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "auth-grpc", UID: types.UID("grpc")}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "auth"}}})
		a.put("endpointslices", slice("grpc-1", "auth-grpc", "uid-v1-a"))
		found, err := canary.Find(read(t, c, Want{Names: []string{"auth-grpc"}}).Snapshot(), canary.Options{}, []string{"auth-grpc"})
		if err != nil || len(found) != 1 || found[0].Name != "auth" || found[0].Serving() != 1 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}
