package test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

const (
	admin      = "admin"
	rolePrefix = "kubectl-canary-" // of the Roles; what follows is the user who has it in every namespace
)

// canaryAs is the user who runs the plugin where a script does not say otherwise.
func canaryAs() string { return cmp.Or(os.Getenv("CANARY_AS"), "operator") }

// addUsers makes the users for the Roles of manifests/rbac.yaml and rbac-metrics.yaml.
func (s *sandbox) addUsers() error {
	s.users = map[string]string{admin: s.kubeconfig}
	roles, err := readRoles()
	if err != nil {
		return err
	}
	for _, role := range roles {
		user := userOf(role)
		if s.users[user], err = s.kubeconfigOf("--user", user); err != nil {
			return err
		}
	}
	if as := canaryAs(); s.users[as] == "" {
		return fmt.Errorf("CANARY_AS=%s: no such user", as)
	}
	return nil
}

func userOf(role *rbacv1.Role) string { return strings.TrimPrefix(role.Name, rolePrefix) }

func readRoles() ([]*rbacv1.Role, error) {
	var roles []*rbacv1.Role
	data, err := os.ReadFile(filepath.Join(root, "manifests", "rbac.yaml"))
	if err != nil {
		return nil, err
	}
	metrics, err := os.ReadFile(filepath.Join(root, "manifests", "rbac-metrics.yaml"))
	if err != nil {
		return nil, err
	}
	data = slices.Concat(data, []byte("\n---\n"), metrics)
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		role := &rbacv1.Role{}
		if err := yaml.UnmarshalStrict([]byte(document), role); err != nil {
			return nil, err
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// beside are the users who have another Role too: who drains moves, and who looks at metrics looks at the rest.
var beside = map[string]string{"operator": "drainer", "viewer": "metrics"}

// bindRoles creates the Roles in a namespace and gives each to its user. It returns when the API server heeds them.
func bindRoles(namespace string) error {
	ctx := context.Background()
	roles, err := readRoles()
	if err != nil {
		return err
	}
	for _, role := range roles {
		if _, err := cluster.client.RbacV1().Roles(namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
			return err
		}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: userOf(role)},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: userOf(role)}},
		}
		if other := beside[userOf(role)]; other != "" {
			binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: other})
		}
		if _, err := cluster.client.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for _, role := range roles {
		if err := patience.Until(func() error { return mayList(ctx, userOf(role), namespace) }); err != nil {
			return err
		}
	}
	return nil
}

func mayList(ctx context.Context, user, namespace string) error {
	review, err := cluster.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "list", Resource: "services"},
		},
	}, metav1.CreateOptions{})
	if err == nil && !review.Status.Allowed {
		err = fmt.Errorf("%s may not list services in namespace %s yet", user, namespace)
	}
	return err
}
