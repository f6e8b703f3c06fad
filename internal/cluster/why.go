package cluster

import (
	"cmp"
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// ReadReplicaSets reads those of some Deployments, by namespace. What the user may not see stays unknown.
func (l *Live) ReadReplicaSets(ctx context.Context, of map[string][]canary.Deployment) error {
	_, err := hidden(readOf(ctx, l, of, l.client.replicaSets, &l.replicaSets))
	return err
}

// fewObjects is up to how many objects' Events are read one by one; a list of the whole namespace costs less than more of them.
const fewObjects = 4

// ReadEvents reads the Events of some objects, each Kind/name, by namespace. What the user may not see stays unknown.
func (l *Live) ReadEvents(ctx context.Context, of map[string][]string) error {
	group, ctx := errgroup.WithContext(ctx)
	for namespace, objects := range of {
		selectors := []string{""}
		if len(objects) <= fewObjects {
			selectors = selectors[:0]
			for _, object := range objects {
				kind, name, _ := strings.Cut(object, "/")
				selectors = append(selectors, fields.Set{"involvedObject.kind": kind, "involvedObject.name": name}.String())
			}
		}
		for _, selector := range selectors {
			group.Go(func() error {
				_, err := hidden(l.happenings.add(ctx, l.client.happenings(namespace, selector)))
				return err
			})
		}
	}
	return group.Wait()
}

// replicaSets reads them with their state.
func (c *Client) replicaSets(ns string) *feed[canary.ReplicaSet] {
	api := c.apps.ReplicaSets(ns)
	return &feed[canary.ReplicaSet]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (canary.ReplicaSet, bool) {
		return toReplicaSet(o.(*appsv1.ReplicaSet))
	}}
}

// toReplicaSet reports false for one that no Deployment owns.
func toReplicaSet(rs *appsv1.ReplicaSet) (canary.ReplicaSet, bool) {
	owner := metav1.GetControllerOf(rs)
	if owner == nil || owner.Kind != "Deployment" {
		return canary.ReplicaSet{}, false
	}
	out := canary.ReplicaSet{
		Name: rs.Name, Deployment: string(owner.UID), Replicas: 1, Pods: count(rs.Status.Replicas), ReadyPods: count(rs.Status.ReadyReplicas),
	}
	if rs.Spec.Replicas != nil {
		out.Replicas = count(*rs.Spec.Replicas)
	}
	return out, true
}

// happenings reads the Events that a field selector picks.
func (c *Client) happenings(ns, selector string) *feed[canary.Happening] {
	api := c.core.Events(ns)
	list := func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		o.FieldSelector = selector
		return api.List(ctx, o)
	}
	return &feed[canary.Happening]{list: list, convert: func(o runtime.Object) (canary.Happening, bool) {
		return toHappening(o.(*corev1.Event)), true
	}}
}

// toHappening reads both ways in which components count what happens again: the older count, and the newer series.
func toHappening(e *corev1.Event) canary.Happening {
	out := canary.Happening{
		Object:  e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name,
		Warning: e.Type == corev1.EventTypeWarning, Reason: e.Reason, Message: e.Message,
		Count: max(1, int(e.Count)),
	}
	times := []time.Time{e.LastTimestamp.Time, e.EventTime.Time, e.FirstTimestamp.Time, e.CreationTimestamp.Time}
	if e.Series != nil {
		out.Count = max(out.Count, int(e.Series.Count))
		times = append([]time.Time{e.Series.LastObservedTime.Time}, times...)
	}
	out.Last = cmp.Or(times...)
	return out
}
