package faults

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

const operator = "operator"

// split is the replicas of a release.
type split struct{ stable, canary int }

func (s split) String() string { return fmt.Sprintf("%d/%d", s.stable, s.canary) }

// scene is a namespace with services of the messenger, an operator who has the Role of manifests/rbac.yaml, and a proxy before
// the API server.
type scene struct {
	testing.TB
	namespace string
	services  []string
	home      string
	proxy     *proxy
	history   *witness.History
}

// newScene makes a scene whose pods are ready. Without services it has auth and chat.
func newScene(t testing.TB, o messenger.Options) *scene {
	t.Helper()
	if o.Services == nil {
		o.Services = []string{"auth", "chat"}
	}
	s := &scene{TB: t, namespace: "faults-" + strings.ToLower(rand.Text()[:10]), services: o.Services, home: t.TempDir()}
	ctx := t.Context()
	s.must(messenger.CreateNamespace(ctx, cluster.client, s.namespace))
	t.Cleanup(func() {
		_ = cluster.client.CoreV1().Namespaces().Delete(context.Background(), s.namespace, metav1.DeleteOptions{})
	})
	s.must(s.bind(ctx, operator, func(rule rbacv1.PolicyRule) bool { return true }))
	s.must(messenger.Deploy(ctx, cluster.client, s.namespace, root, o))
	s.ready()
	var err error
	s.history, err = witness.Watch(cluster.client, s.namespace)
	s.must(err)
	t.Cleanup(s.history.End)
	s.proxy = newProxy(t, operator)
	s.proxy.kubeconfig(t, s.kubeconfig(), s.namespace)
	return s
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) kubeconfig() string { return filepath.Join(s.home, "kubeconfig") }

// bind gives a user the rules of the operator's Role that are granted.
func (s *scene) bind(ctx context.Context, user string, granted func(rbacv1.PolicyRule) bool) error {
	data, err := os.ReadFile(filepath.Join(root, "manifests", "rbac.yaml"))
	if err != nil {
		return err
	}
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		role := &rbacv1.Role{}
		if err := yaml.UnmarshalStrict([]byte(document), role); err != nil {
			return err
		}
		if role.Name != "kubectl-canary-operator" {
			continue
		}
		role.Name = user
		role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return !granted(r) })
		if _, err := cluster.client.RbacV1().Roles(s.namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
			return err
		}
		_, err := cluster.client.RbacV1().RoleBindings(s.namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: user},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}, metav1.CreateOptions{})
		return err
	}
	return fmt.Errorf("manifests/rbac.yaml has no Role kubectl-canary-operator")
}

func (s *scene) ready() {
	s.Helper()
	s.must(patience.Until(func() error { return messenger.Ready(s.Context(), cluster.client, s.namespace) }))
}

// scale sets replicas, as somebody else would.
func (s *scene) scale(deployment string, n int) {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, n)
	_, err := cluster.client.AppsV1().Deployments(s.namespace).Patch(context.Background(), deployment, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "somebody"}, "scale")
	if err != nil {
		s.Error(err)
	}
}

// splits are the replicas of all releases.
func (s *scene) splits() map[string]split {
	s.Helper()
	all, err := cluster.client.AppsV1().Deployments(s.namespace).List(context.Background(), metav1.ListOptions{})
	s.must(err)
	splits := map[string]split{}
	for _, d := range all.Items {
		service, version, _ := strings.Cut(d.Name, "-")
		at := splits[service]
		switch version {
		case "v1":
			at.stable = int(*d.Spec.Replicas)
		case "v2":
			at.canary = int(*d.Spec.Replicas)
		}
		splits[service] = at
	}
	return splits
}

// reset puts all releases back to a split and forgets what was recorded. It returns when all is at rest.
func (s *scene) reset(to split) {
	s.Helper()
	for _, service := range s.services {
		s.scale(service+"-v1", to.stable)
		s.scale(service+"-v2", to.canary)
	}
	s.must(cluster.client.CoordinationV1().Leases(s.namespace).DeleteCollection(s.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	s.ready()
}

// present is the resource version of now.
func (s *scene) present() uint64 {
	s.Helper()
	version, err := witness.Present(context.Background(), cluster.client, s.namespace)
	s.must(err)
	return version
}

// judge looks at what was since a version: whether there were enough ready endpoints and not too many pods, of every release.
func (s *scene) judge(since uint64, floor, ceiling int) (verdicts []witness.Verdict) {
	s.Helper()
	now := s.present()
	events, err := s.history.Sorted(context.Background())
	s.must(err)
	for _, service := range s.services {
		b := &witness.Bound{Service: service, Deployments: []string{service + "-v1", service + "-v2"}, Floor: floor, Ceiling: ceiling, From: since, To: now}
		verdicts = append(verdicts, b.Judge(events))
	}
	return verdicts
}

// bounded fails the test where a bound was broken since a version.
func (s *scene) bounded(since uint64, floor, ceiling int) {
	s.Helper()
	for _, v := range s.judge(since, floor, ceiling) {
		if len(v.Violations) > 0 {
			s.Errorf("%s", v)
		}
	}
}

// expireLocks lets the locks of whoever was killed run out now, instead of in half a minute.
func (s *scene) expireLocks() {
	s.Helper()
	ctx := context.Background()
	leases := cluster.client.CoordinationV1().Leases(s.namespace)
	all, err := leases.List(ctx, metav1.ListOptions{})
	s.must(err)
	for _, l := range all.Items {
		if l.Spec.RenewTime == nil {
			continue
		}
		l.Spec.RenewTime.Time = l.Spec.RenewTime.Add(-2 * patience.Limit)
		_, err := leases.Update(ctx, &l, metav1.UpdateOptions{})
		s.must(err)
	}
}
