package canary

import "strings"

// Permission is one thing that a user may do, or not.
type Permission struct {
	Verb     string
	Group    string
	Resource string // with a subresource: "deployments/scale"
	Cluster  bool   // in all namespaces; else in the one that is examined
}

func (p Permission) String() string { return p.Verb + " " + p.Resource }

// Kind is the resource without a subresource, and the subresource.
func (p Permission) Kind() (resource, subresource string) {
	resource, subresource, _ = strings.Cut(p.Resource, "/")
	return resource, subresource
}

// What only an examination reads, and only where the user may.
var (
	ListBudgets = Permission{Verb: "list", Group: "policy", Resource: "poddisruptionbudgets"}
	ListClaims  = Permission{Verb: "list", Resource: "persistentvolumeclaims"}
	ListNodes   = Permission{Verb: "list", Resource: "nodes", Cluster: true}
	ListAllPods = Permission{Verb: "list", Resource: "pods", Cluster: true}
)

// What only looks at how versions do, and only where the user may.
var (
	AskPods      = Permission{Verb: "get", Resource: "pods/proxy"}
	ListPodUsage = Permission{Verb: "list", Group: "metrics.k8s.io", Resource: "pods"}
)
