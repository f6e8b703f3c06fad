package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/pki"
)

// KubeconfigAs writes a kubeconfig of a user who has one Role, given as NAMESPACE/ROLE, and nothing else, and returns its path.
func (c *Cluster) KubeconfigAs(ctx context.Context, role string) (string, error) {
	namespace, name, ok := strings.Cut(role, "/")
	if !ok || namespace == "" || name == "" || strings.ContainsAny(name, `/\`) {
		return "", fmt.Errorf("--as-role %q: want NAMESPACE/ROLE", role)
	}
	s, err := c.running()
	if err != nil {
		return "", err
	}
	client, err := c.client(s)
	if err != nil {
		return "", err
	}
	granted, err := client.RbacV1().Roles(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", fmt.Errorf("no role %q in namespace %q", name, namespace)
	}
	if err != nil {
		return "", err
	}

	user := "sandbox:" + namespace + ":" + name
	_, err = client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "sandbox:" + name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return "", err
	}

	if err := heeded(ctx, client, granted, user); err != nil {
		return "", err
	}
	return c.kubeconfigOf(s, user, namespace, namespace+"--"+name)
}

// heeded waits until the API server grants the user what the Role does: it hears of bindings by a watch of its own.
func heeded(ctx context.Context, client kubernetes.Interface, role *rbacv1.Role, user string) error {
	if len(role.Rules) == 0 || len(role.Rules[0].Resources) == 0 {
		return nil
	}
	rule := role.Rules[0]
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: role.Namespace, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
		},
	}}
	if len(rule.ResourceNames) > 0 {
		review.Spec.ResourceAttributes.Name = rule.ResourceNames[0]
	}
	return wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	})
}

// KubeconfigOf writes a kubeconfig of a user who has no rights but those that somebody binds to this name, and returns its path.
func (c *Cluster) KubeconfigOf(user string) (string, error) {
	s, err := c.running()
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(user, `/\`) {
		return "", fmt.Errorf("--user %q: want a name without slashes", user)
	}
	return c.kubeconfigOf(s, user, metav1.NamespaceDefault, user)
}

func (c *Cluster) kubeconfigOf(s *state, user, namespace, name string) (string, error) {
	ca, err := pki.LoadCA(c.cert("ca"), c.key("ca"))
	if err != nil {
		return "", err
	}
	pair, err := ca.Client(user)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(c.path("users"), 0o700); err != nil {
		return "", err
	}
	file := c.path("users", name+".kubeconfig")
	return file, c.writeKubeconfig(file, s.Server, user, namespace, ca.Cert, pair)
}

// Kubeconfig returns the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() (string, error) {
	if _, err := c.running(); err != nil {
		return "", err
	}
	return c.KubeconfigPath(), nil
}
