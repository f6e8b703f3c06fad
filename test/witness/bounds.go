package witness

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Bound is what must hold of a release at every moment between two resource versions (docs/design.md §5).
type Bound struct {
	Service        string
	Deployments    []string // the two that are moved; further versions do not count
	Floor, Ceiling int      // ready endpoints at least, pods that are not terminating at most
	From, To       uint64   // To is 0 while the bound is open
}

// Behind names the Deployments whose pods a Service selects.
func Behind(ctx context.Context, client kubernetes.Interface, namespace, service string) ([]string, error) {
	s, err := client.CoreV1().Services(namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	all, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range all.Items {
		if labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
			names = append(names, d.Name)
		}
	}
	return names, nil
}

// Verdict is what a bound has seen.
type Verdict struct {
	*Bound
	Moments     int      // that it has looked at
	Least, Most int      // ready endpoints, and pods
	Violations  []string // each with what led to it
}

func (v Verdict) String() string {
	s := fmt.Sprintf("%s: ready %d or more (want %d), pods %d or fewer (want %d), in %d moments", v.Service, v.Least, v.Floor, v.Most, v.Ceiling, v.Moments)
	return strings.Join(append([]string{s}, v.Violations...), "\n")
}

// Judge plays the events again, and looks at every state within the bound.
func (b *Bound) Judge(events []Event) Verdict {
	w := world{
		slices: map[types.UID]*discoveryv1.EndpointSlice{}, pods: map[types.UID]*corev1.Pod{},
		sets: map[types.UID]*appsv1.ReplicaSet{}, deployments: map[types.UID]*appsv1.Deployment{},
	}
	v := Verdict{Bound: b, Least: -1}
	var trace []string
	for i, e := range events {
		w.take(e)
		if next := i + 1; e.Version > b.To || next < len(events) && events[next].Version <= b.From {
			continue // not yet, or no longer
		}
		ready, pods := w.ready(b), w.alive(b)
		v.Moments++
		if v.Least < 0 || ready < v.Least {
			v.Least = ready
		}
		v.Most = max(v.Most, pods)
		line := fmt.Sprintf("    %d: %s %s%s: %d ready, %d pods, replicas %s", e.Version, e.Kind, e.Object.GetName(), gone(e), ready, pods, w.replicas(b))
		if trace = append(trace, line); len(trace) > 8 {
			trace = trace[1:]
		}
		if (ready < b.Floor || pods > b.Ceiling) && len(v.Violations) < 3 {
			v.Violations = append(v.Violations, fmt.Sprintf("  BROKEN: %d ready, %d pods; the last events:\n%s", ready, pods, strings.Join(trace, "\n")))
		}
	}
	if v.Moments == 0 {
		v.Violations = append(v.Violations, "  BROKEN: nothing was seen")
	}
	return v
}

func gone(e Event) string {
	if e.Deleted {
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

func (w *world) take(e Event) {
	switch o := e.Object.(type) {
	case *discoveryv1.EndpointSlice:
		put(w.slices, o, e.Deleted)
	case *corev1.Pod:
		put(w.pods, o, e.Deleted)
	case *appsv1.ReplicaSet:
		put(w.sets, o, e.Deleted)
	case *appsv1.Deployment:
		put(w.deployments, o, e.Deleted)
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
func (w *world) ready(b *Bound) int {
	n := map[types.UID]bool{}
	for _, slice := range w.slices {
		if slice.Labels[discoveryv1.LabelServiceName] != b.Service {
			continue
		}
		for uid := range ReadyPods(slice) {
			if p := w.pods[uid]; p != nil && p.DeletionTimestamp == nil && w.moves(b, p) {
				n[uid] = true
			}
		}
	}
	return len(n)
}

// ReadyPods are the pods whose endpoints are ready: that is so unless it is said otherwise.
func ReadyPods(slice *discoveryv1.EndpointSlice) map[types.UID]bool {
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
func (w *world) alive(b *Bound) int {
	n := 0
	for _, p := range w.pods {
		if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded && w.moves(b, p) {
			n++
		}
	}
	return n
}

// moves says whether a pod is of a Deployment of the bound, by way of its ReplicaSet.
func (w *world) moves(b *Bound, p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	if owner == nil || owner.Kind != "ReplicaSet" {
		return false
	}
	set := w.sets[owner.UID]
	if set == nil {
		return false
	}
	deployment := metav1.GetControllerOf(set)
	return deployment != nil && deployment.Kind == "Deployment" && slices.Contains(b.Deployments, deployment.Name)
}

func (w *world) replicas(b *Bound) string {
	var all []string
	for _, d := range w.deployments {
		if slices.Contains(b.Deployments, d.Name) {
			all = append(all, fmt.Sprintf("%s %d", d.Name, *d.Spec.Replicas))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
