package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	client, err := c.client()
	if err != nil {
		return "", err
	}
	_, err = client.RbacV1().Roles(namespace).Get(ctx, name, metav1.GetOptions{})
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

	return c.kubeconfigOf(s, user, namespace, namespace+"--"+name)
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
