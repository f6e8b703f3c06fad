package test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// checkRoles compares what the API server saw of the plugin with the Roles of manifests/rbac.yaml and rbac-metrics.yaml. What a Role lacks is an
// error at any time; what it grants and nothing has used is one when all scripts were played.
func (s *sandbox) checkRoles(everything bool) error {
	if !s.audited {
		fmt.Fprintln(os.Stderr, "SANDBOX_KUBECONFIG: manifests/rbac.yaml was not compared with what was used, since that cluster has no audit log of this run")
		return nil
	}
	roles, err := readRoles()
	if err != nil {
		return err
	}
	log, err := os.Open(filepath.Join(filepath.Dir(s.kubeconfig), "logs", "audit.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	used := map[string]*uses{}
	for _, role := range roles {
		used[userOf(role)] = &uses{granted: map[string]int{}, denied: map[string]int{}}
	}
	for lines := bufio.NewReader(log); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break // the end
		}
		var r auditedRequest
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if u := used[r.User.Username]; u != nil && strings.HasPrefix(r.UserAgent, "kubectl-canary/") {
			u.count(r)
		}
	}
	var errs []error
	for _, role := range roles {
		errs = append(errs, used[userOf(role)].compare(role, everything && canaryAs() != admin)...)
	}
	return errors.Join(errs...)
}

// auditedRequest is what counts here of an event of the audit log.
type auditedRequest struct {
	Verb, UserAgent string
	User            struct{ Username string }
	ObjectRef       struct{ APIGroup, Resource, Subresource string }
	Annotations     map[string]string
}

// uses counts requests by permission, such as "patch deployments.apps/scale".
type uses struct{ granted, denied map[string]int }

func (u *uses) count(r auditedRequest) {
	name := permission(r.Verb, r.ObjectRef.APIGroup, r.ObjectRef.Resource, r.ObjectRef.Subresource)
	switch {
	case r.Annotations["authorization.k8s.io/decision"] == "forbid":
		u.denied[name]++
	case strings.Contains(r.Annotations["authorization.k8s.io/reason"], `of Role "`+rolePrefix): // else it is what everybody may
		u.granted[name]++
	}
}

func permission(verb, group, resource, subresource string) string {
	if group != "" {
		resource += "." + group
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	return verb + " " + resource
}

// compare says what the Role lacks, and if all was used that could be, what it grants in vain.
func (u *uses) compare(role *rbacv1.Role, all bool) (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(u.denied)) {
		errs = append(errs, fmt.Errorf("manifests/rbac.yaml: Role %s does not grant `%s`: it was denied %d times", role.Name, name, u.denied[name]))
	}
	for _, name := range permissions(role) {
		if all && u.granted[name] == 0 {
			errs = append(errs, fmt.Errorf("manifests/rbac.yaml: Role %s grants `%s`, which nothing has used", role.Name, name))
		}
	}
	return errs
}

func permissions(role *rbacv1.Role) (names []string) {
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				resource, subresource, _ := strings.Cut(resource, "/")
				for _, verb := range rule.Verbs {
					names = append(names, permission(verb, group, resource, subresource))
				}
			}
		}
	}
	return names
}

// TestCompareRole keeps the comparison honest: TestMain makes it when all scripts are done.
func TestCompareRole(t *testing.T) {
	role := &rbacv1.Role{Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments/scale"}, Verbs: []string{"patch"}},
	}}
	role.Name = "r"
	event := func(verb, group, resource, subresource, decision, reason string) auditedRequest {
		r := auditedRequest{Verb: verb, Annotations: map[string]string{"authorization.k8s.io/decision": decision, "authorization.k8s.io/reason": reason}}
		r.ObjectRef.APIGroup, r.ObjectRef.Resource, r.ObjectRef.Subresource = group, resource, subresource
		return r
	}
	const ours = `RBAC: allowed by RoleBinding "b/ns" of Role "kubectl-canary-operator" to User "operator"`
	u := &uses{granted: map[string]int{}, denied: map[string]int{}}
	for _, r := range []auditedRequest{
		event("list", "", "pods", "", "allow", ours),
		event("list", "apps", "replicasets", "", "forbid", ""),
		event("list", "apps", "replicasets", "", "forbid", ""),
		event("create", "authorization.k8s.io", "selfsubjectaccessreviews", "", "allow", `RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole "system:basic-user" to Group "system:authenticated"`),
		event("watch", "", "pods", "", "allow", `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to User "operator"`),
	} {
		u.count(r)
	}
	const lacks = "manifests/rbac.yaml: Role r does not grant `list replicasets.apps`: it was denied 2 times"
	if got := errors.Join(u.compare(role, false)...); got == nil || got.Error() != lacks {
		t.Errorf("of some scripts: %v", got)
	}
	want := lacks + `
manifests/rbac.yaml: Role r grants ` + "`watch pods`" + `, which nothing has used
manifests/rbac.yaml: Role r grants ` + "`patch deployments.apps/scale`" + `, which nothing has used`
	if got := errors.Join(u.compare(role, true)...); got == nil || got.Error() != want {
		t.Errorf("of all:\n%v\nwant\n%s", got, want)
	}
}
