package doctor

import (
	"slices"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// feature is what some permissions are for.
type feature struct {
	needs    []canary.Permission
	severity canary.Severity
	lost     string // without them
	role     string // that has them
}

var (
	scale  = canary.Permission{Verb: "patch", Group: "apps", Resource: "deployments/scale"}
	leases = "coordination.k8s.io"
)

var features = []feature{
	{[]canary.Permission{
		scale, {Verb: "watch", Group: "apps", Resource: "deployments"},
		{Verb: "watch", Group: "discovery.k8s.io", Resource: "endpointslices"}, {Verb: "watch", Resource: "pods"},
	}, canary.Error, "shift, promote and rollback do not work", "kubectl-canary-operator"},
	{[]canary.Permission{
		{Verb: "get", Group: leases, Resource: "leases"}, {Verb: "list", Group: leases, Resource: "leases"},
		{Verb: "create", Group: leases, Resource: "leases"}, {Verb: "update", Group: leases, Resource: "leases"},
	}, canary.Warning, "no move is locked or recorded: two operators can meet, the baseline is a guess, and rollback --to-previous does not work", "kubectl-canary-operator"},
	{[]canary.Permission{{Verb: "get", Group: "apps", Resource: "deployments"}}, canary.Warning, "a conflict does not name who else has changed a Deployment", "kubectl-canary-operator"},
	{[]canary.Permission{{Verb: "create", Resource: "events"}}, canary.Warning, "`kubectl describe service` does not show the changes", "kubectl-canary-operator"},
	{[]canary.Permission{{Verb: "list", Group: "autoscaling", Resource: "horizontalpodautoscalers"}}, canary.Warning, "an autoscaler that would undo a move is not seen", "kubectl-canary-operator"},
	{[]canary.Permission{{Verb: "patch", Resource: "pods"}}, canary.Warning, "pods are stopped while they are still in the Service, and promote --bake and --keep do not work", "kubectl-canary-drainer"},
}

// unread is what is not looked at without the permissions.
var unread = []feature{
	{[]canary.Permission{{Verb: "list", Resource: "resourcequotas"}, {Verb: "list", Resource: "limitranges"}}, canary.Info, "quotas and limit ranges", "kubectl-canary-viewer"},
	{[]canary.Permission{canary.ListBudgets}, canary.Info, "PodDisruptionBudgets", "kubectl-canary-viewer"},
	{[]canary.Permission{canary.ListClaims}, canary.Info, "volumes", "kubectl-canary-viewer"},
	{[]canary.Permission{canary.ListNodes, canary.ListAllPods}, canary.Info, "whether nodes have room, and whether a Service's pods are in another namespace", "kubectl-canary-doctor"},
}

// Permissions are those that Examine wants to know about.
func Permissions() (all []canary.Permission) {
	for _, f := range slices.Concat(features, unread) {
		all = append(all, f.needs...)
	}
	return all
}

// lacking are the permissions of a feature that the user does not have.
func (p *Patient) lacking(f feature) (all []string) {
	for _, need := range f.needs {
		if !p.Allowed[need] {
			all = append(all, need.String())
		}
	}
	return all
}

func (p *Patient) notAllowed() (found []canary.Problem) {
	drains := false
	for _, r := range p.Releases {
		drains = drains || r.Stable != nil && r.Drain != ""
	}
	for _, f := range features {
		lacking := p.lacking(f)
		if len(lacking) == 0 || f.needs[0].Resource == "pods" && !drains {
			continue
		}
		found = append(found, canary.Problem{
			Code: CodeNotAllowed, Severity: f.severity, Object: "Namespace/" + p.Snapshot.Namespace,
			Message: p.User + " may not " + strings.Join(lacking, ", ") + " in namespace " + p.Snapshot.Namespace + ": " + f.lost,
			Next:    []string{p.grant("rolebinding", "role", f.role)},
		})
	}
	return found
}

func (p *Patient) notExamined() (found []canary.Problem) {
	for _, f := range unread {
		lacking := p.lacking(f)
		if len(lacking) == 0 {
			continue
		}
		where, bind := "", p.grant("rolebinding", "role", f.role)
		if f.needs[0].Cluster {
			where, bind = " in all namespaces", p.grant("clusterrolebinding", "clusterrole", f.role)
		}
		found = append(found, canary.Problem{
			Code: CodeNotExamined, Severity: canary.Info, Object: "Namespace/" + p.Snapshot.Namespace,
			Message: "not looked at: " + f.lost + "; " + p.User + " may not " + strings.Join(lacking, ", ") + where,
			Next:    []string{bind},
		})
	}
	return found
}

// grant binds one of the Roles of manifests/rbac.yaml to the user.
func (p *Patient) grant(binding, kind, role string) string {
	user, flag := p.User, "--user="
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		user, flag = account, "--serviceaccount="
	}
	return "create " + binding + " " + role + "-" + bindingName(user) + " --" + kind + "=" + role + " " + flag + quote(user)
}

// bindingName makes a user's name part of a name that most people can read.
func bindingName(user string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(user)), "-")
}
