package test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// bound is what must hold of a release at every moment between two resource versions (docs/design.md §5).
type bound struct {
	service        string
	deployments    []string // the two that are moved; further versions do not count
	floor, ceiling int
	from, to       uint64 // to is 0 while the bound is open
}

// bounds SERVICE FLOOR CEILING [DEPLOYMENT...]: from now on at least FLOOR endpoints are ready, and at most CEILING pods
// exist that are not terminating, of these Deployments; of all that the Service selects if none is given. It replaces the
// bound of the Service before.
func cmdBounds(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: bounds SERVICE FLOOR CEILING [DEPLOYMENT...]")
	}
	s := of(ts)
	s.record(ts)
	b := &bound{service: args[0], deployments: args[3:], from: presentVersion(ts, s.namespace)}
	var err error
	b.floor, err = strconv.Atoi(args[1])
	ts.Check(err)
	b.ceiling, err = strconv.Atoi(args[2])
	ts.Check(err)
	if len(b.deployments) == 0 {
		b.deployments = behind(ts, s.namespace, b.service)
	}
	for _, old := range s.bounds {
		if old.service == b.service && old.to == 0 {
			old.to = b.from
		}
	}
	s.bounds = append(s.bounds, b)
}

// behind names the Deployments whose pods a Service selects.
func behind(ts *testscript.TestScript, namespace, service string) []string {
	s, err := cluster.client.CoreV1().Services(namespace).Get(context.Background(), service, metav1.GetOptions{})
	ts.Check(err)
	all, err := cluster.client.AppsV1().Deployments(namespace).List(context.Background(), metav1.ListOptions{})
	ts.Check(err)
	var names []string
	for _, d := range all.Items {
		if labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			names = append(names, d.Name)
		}
	}
	return names
}

// bounds-held: the bounds were kept at every moment until now, and end.
func cmdBoundsHeld(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if len(args) != 0 || len(s.bounds) == 0 {
		ts.Fatalf("usage: bounds, and later bounds-held")
	}
	now := presentVersion(ts, s.namespace)
	events, err := s.history.sorted(context.Background())
	ts.Check(err)
	broken := false
	for _, b := range s.bounds {
		if b.to == 0 {
			b.to = now
		}
		verdict := b.judge(events)
		ts.Logf("%s", verdict)
		broken = broken || len(verdict.violations) > 0
	}
	s.bounds = nil
	if broken {
		ts.Fatalf("a bound was broken")
	}
}

// verdict is what a bound has seen.
type verdict struct {
	*bound
	moments     int
	least, most int
	violations  []string // each with what led to it
}

func (v verdict) String() string {
	s := fmt.Sprintf("%s: ready %d or more (want %d), pods %d or fewer (want %d), in %d moments", v.service, v.least, v.floor, v.most, v.ceiling, v.moments)
	return strings.Join(append([]string{s}, v.violations...), "\n")
}

// judge plays the events again, and looks at every state within the bound.
func (b *bound) judge(events []event) verdict {
	w := world{
		slices: map[types.UID]*discoveryv1.EndpointSlice{}, pods: map[types.UID]*corev1.Pod{},
		sets: map[types.UID]*appsv1.ReplicaSet{}, deployments: map[types.UID]*appsv1.Deployment{},
	}
	v := verdict{bound: b, least: -1}
	var trace []string
	for i, e := range events {
		w.take(e)
		if next := i + 1; e.version > b.to || next < len(events) && events[next].version <= b.from {
			continue // not yet, or no longer
		}
		ready, pods := w.ready(b), w.alive(b)
		v.moments++
		if v.least < 0 || ready < v.least {
			v.least = ready
		}
		v.most = max(v.most, pods)
		line := fmt.Sprintf("    %d: %s %s%s: %d ready, %d pods, replicas %s", e.version, e.kind, e.object.GetName(), gone(e), ready, pods, w.replicas(b))
		if trace = append(trace, line); len(trace) > 8 {
			trace = trace[1:]
		}
		if (ready < b.floor || pods > b.ceiling) && len(v.violations) < 3 {
			v.violations = append(v.violations, fmt.Sprintf("  BROKEN: %d ready, %d pods; the last events:\n%s", ready, pods, strings.Join(trace, "\n")))
		}
	}
	if v.moments == 0 {
		v.violations = append(v.violations, "  BROKEN: nothing was seen")
	}
	return v
}

func gone(e event) string {
	if e.deleted {
		return " (gone)"
	}
	return ""
}

// world is the state of a namespace at one moment.
type world struct {
	slices      map[types.UID]*discoveryv1.EndpointSlice
	pods        map[types.UID]*corev1.Pod
	sets        map[types.UID]*appsv1.ReplicaSet
	deployments map[types.UID]*appsv1.Deployment
}

func (w *world) take(e event) {
	switch o := e.object.(type) {
	case *discoveryv1.EndpointSlice:
		put(w.slices, o, e.deleted)
	case *corev1.Pod:
		put(w.pods, o, e.deleted)
	case *appsv1.ReplicaSet:
		put(w.sets, o, e.deleted)
	case *appsv1.Deployment:
		put(w.deployments, o, e.deleted)
	}
}

func put[T metav1.Object](all map[types.UID]T, o T, deleted bool) {
	if deleted {
		delete(all, o.GetUID())
		return
	}
	all[o.GetUID()] = o
}

// ready counts the endpoints of the bound that are ready, each pod once. A pod that is already told to stop counts no
// more, though the endpoints do not show it for a moment.
func (w *world) ready(b *bound) int {
	n := map[types.UID]bool{}
	for _, slice := range w.slices {
		if slice.Labels[discoveryv1.LabelServiceName] != b.service {
			continue
		}
		for uid := range readyPods(slice) {
			if p := w.pods[uid]; p != nil && p.DeletionTimestamp == nil && w.moves(b, p) {
				n[uid] = true
			}
		}
	}
	return len(n)
}

// readyPods are the pods whose endpoints are ready: that is so unless it is said otherwise.
func readyPods(slice *discoveryv1.EndpointSlice) map[types.UID]bool {
	pods := map[types.UID]bool{}
	for _, e := range slice.Endpoints {
		ready := e.Conditions.Ready == nil || *e.Conditions.Ready
		terminating := e.Conditions.Terminating != nil && *e.Conditions.Terminating
		if ready && !terminating && e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
			pods[e.TargetRef.UID] = true
		}
	}
	return pods
}

// alive counts the pods of the bound that exist and are not terminating.
func (w *world) alive(b *bound) int {
	n := 0
	for _, p := range w.pods {
		if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded && w.moves(b, p) {
			n++
		}
	}
	return n
}

// moves says whether a pod is of a Deployment of the bound, by way of its ReplicaSet.
func (w *world) moves(b *bound, p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	if owner == nil || owner.Kind != "ReplicaSet" {
		return false
	}
	set := w.sets[owner.UID]
	if set == nil {
		return false
	}
	deployment := metav1.GetControllerOf(set)
	return deployment != nil && deployment.Kind == "Deployment" && slices.Contains(b.deployments, deployment.Name)
}

func (w *world) replicas(b *bound) string {
	var all []string
	for _, d := range w.deployments {
		if slices.Contains(b.deployments, d.Name) {
			all = append(all, fmt.Sprintf("%s %d", d.Name, *d.Spec.Replicas))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
