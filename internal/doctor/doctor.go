// Package doctor finds what would make a canary here fail, lie or surprise. It is pure: it looks at what was read, and asks
// nobody. The errors of a release are those by which the core refuses a move; what only surprises is found here.
package doctor

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// The codes of findings that the core does not have. They are part of the JSON contract; docs/doctor.md says what each means.
const (
	CodeMutableTag    = "MutableTag"
	CodeNoReadiness   = "NoReadinessProbe"
	CodeProbes        = "ProbesDiffer"
	CodeResources     = "ResourcesDiffer"
	CodeBudget        = "PodDisruptionBudget"
	CodeAffinity      = "SessionAffinity"
	CodeTrafficPolicy = "TrafficPolicyLocal"
	CodeTopology      = "TopologyHints"
	CodeHeadless      = "Headless"
	CodeRecreate      = "Recreate"
	CodeReadWriteOnce = "ReadWriteOnce"
	CodeTooFew        = "TooFewReplicas"
	CodeReplicasOwned = "ReplicasOwned"
	CodeNotAllowed    = "NotAllowed"
	CodeNodesFull     = "NodesFull"
	CodeNotExamined   = "NotExamined"
)

// Pipe stands between two commands of a pipeline in Finding.Next: each needs the user's connection flags.
const Pipe = " | kubectl "

// Finding is a Problem of a release; with an empty name of the namespace, or of a Service that is no release.
type Finding struct {
	Release string
	canary.Problem
}

// Objects is what is looked at beyond the snapshot.
type Objects struct {
	Services    []*corev1.Service
	Deployments []*appsv1.Deployment
	Slices      []*discoveryv1.EndpointSlice
	Pods        []*corev1.Pod
	// What the user may not list is not there; Allowed says so.
	Budgets []*policyv1.PodDisruptionBudget
	Claims  []*corev1.PersistentVolumeClaim
	Nodes   []*corev1.Node
	AllPods []*corev1.Pod // of all namespaces, but those that have ended
	Allowed map[canary.Permission]bool
	User    string
}

// Patient is what is examined, and for what.
type Patient struct {
	Snapshot *canary.Snapshot
	Objects
	Releases   []canary.Release
	NamedRoles bool            // the user has named both versions
	Weights    []canary.Weight // that the user means to ask for
	Ask        canary.Ask      // with which; its weight does not count
}

// Examine returns what it finds: by release, the namespace last; then by severity and code.
func Examine(p *Patient) []Finding {
	var found []Finding
	for i := range p.Releases {
		e := p.examination(&p.Releases[i])
		for _, problem := range e.problems() {
			found = append(found, Finding{p.Releases[i].Name, problem})
		}
	}
	found = append(found, p.headroom()...)
	for _, problem := range slices.Concat(p.notAllowed(), p.notExamined()) {
		found = append(found, Finding{"", problem})
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(last(a.Release, b.Release), cmp.Compare(rank(a.Severity), rank(b.Severity)),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Object, b.Object))
	})
	return found
}

// last orders names, with the empty one at the end.
func last(a, b string) int {
	if (a == "") != (b == "") {
		return -cmp.Compare(a, b)
	}
	return cmp.Compare(a, b)
}

func rank(s canary.Severity) int {
	return slices.Index([]canary.Severity{canary.Error, canary.Warning, canary.Info}, s)
}

// examination is one release, and the whole objects that it consists of.
type examination struct {
	*Patient
	release  *canary.Release
	services []*corev1.Service
	sides    []*side // stable, canary, others
}

// side is a version.
type side struct {
	*canary.Version
	object *appsv1.Deployment
	pods   []*corev1.Pod
}

func (s *side) spec() *corev1.PodSpec { return &s.object.Spec.Template.Spec }

func (p *Patient) examination(r *canary.Release) *examination {
	e := &examination{Patient: p, release: r}
	for _, svc := range p.Services {
		if slices.Contains(r.Objects("service"), svc.Name) {
			e.services = append(e.services, svc)
		}
	}
	for _, v := range r.Versions() {
		s := &side{Version: v}
		for _, d := range p.Deployments {
			if d.Name == v.Deployment.Name {
				s.object = d
			}
		}
		if s.object == nil {
			continue
		}
		of := map[string]bool{}
		for _, pod := range canary.PodsOf(p.Snapshot, v) {
			of[pod.UID] = true
		}
		for _, pod := range p.Pods {
			if of[string(pod.UID)] {
				s.pods = append(s.pods, pod)
			}
		}
		e.sides = append(e.sides, s)
	}
	return e
}

func (e *examination) problems() []canary.Problem {
	found := e.refusals()
	if e.release.Stable == nil {
		return found
	}
	for _, check := range []func(*examination) []canary.Problem{
		(*examination).affinity, (*examination).trafficPolicy, (*examination).topology, (*examination).headless,
		(*examination).images, (*examination).tags, (*examination).probes, (*examination).resources,
		(*examination).drain, (*examination).recreate, (*examination).volumes,
		(*examination).budgets, (*examination).weights, (*examination).owners, (*examination).room,
	} {
		found = append(found, check(e)...)
	}
	return found
}

func warning(code, object, message string, next ...string) canary.Problem {
	return canary.Problem{Code: code, Severity: canary.Warning, Object: object, Message: message, Next: next}
}

// patch is the command that changes an object by a patch of one kind: merge, json or strategic.
func patch(object, kind string, change any) string {
	b, err := json.Marshal(change)
	if err != nil {
		return "edit " + object // there is nothing that JSON cannot write
	}
	resource, name, _ := strings.Cut(object, "/")
	return "patch " + strings.ToLower(resource) + " " + name + " --type=" + kind + " -p " + quote(string(b))
}

// change is one operation of a JSON patch.
type change struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

type object = map[string]any

var plain = regexp.MustCompile(`^[-_./:=@%,+a-zA-Z0-9]+$`)

// quote makes a word one for a POSIX shell.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// pointer escapes a key for the path of a JSON patch.
func pointer(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }
