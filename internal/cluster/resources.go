package cluster

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

type lister = func(context.Context, metav1.ListOptions) (runtime.Object, error)

// listOf forgets the concrete type of a list.
func listOf[L runtime.Object](list func(context.Context, metav1.ListOptions) (L, error)) lister {
	return func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return list(ctx, o) }
}

// selecting adds a label selector to every list and watch of a feed.
func (f *feed[T]) selecting(selector string) *feed[T] {
	list, follow := f.list, f.watch
	f.list = func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		o.LabelSelector = selector
		return list(ctx, o)
	}
	f.watch = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.LabelSelector = selector
		return follow(ctx, o)
	}
	return f
}

func (c *Client) services(ns string) *feed[canary.Service] {
	api := c.core.Services(ns)
	return &feed[canary.Service]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (canary.Service, bool) {
		return toService(o.(*corev1.Service)), true
	}}
}

func (c *Client) deployments(ns string) *feed[canary.Deployment] {
	api := c.apps.Deployments(ns)
	return &feed[canary.Deployment]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (canary.Deployment, bool) {
		return toDeployment(o.(*appsv1.Deployment)), true
	}}
}

func (c *Client) endpoints(ns string) *feed[[]canary.Endpoint] {
	api := c.discovery.EndpointSlices(ns)
	return &feed[[]canary.Endpoint]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) ([]canary.Endpoint, bool) {
		s := o.(*discoveryv1.EndpointSlice)
		return toEndpoints(s), s.Labels[discoveryv1.LabelServiceName] != ""
	}}
}

// wholePods reads pods with their state.
func (c *Client) wholePods(ns string) *feed[canary.Pod] {
	api := c.core.Pods(ns)
	return &feed[canary.Pod]{list: listOf(api.List), watch: api.Watch, convert: convertPod}
}

// podNames reads only the pods' metadata: labels, owner, whether they are going.
func (c *Client) podNames(ns string) *feed[canary.Pod] {
	api := c.metadata.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(ns)
	return &feed[canary.Pod]{list: listOf(api.List), watch: api.Watch, convert: convertPod}
}

func convertPod(o runtime.Object) (canary.Pod, bool) {
	m, ok := o.(metav1.Object)
	if !ok {
		return canary.Pod{}, false
	}
	return toPod(m), true
}

func (c *Client) autoscalers(ns string) *feed[canary.Autoscaler] {
	api := c.autoscaling.HorizontalPodAutoscalers(ns)
	return &feed[canary.Autoscaler]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (canary.Autoscaler, bool) {
		return toAutoscaler(o.(*autoscalingv2.HorizontalPodAutoscaler))
	}}
}

// replicaSetOwners reads only the UIDs of the Deployments that own ReplicaSets.
func (c *Client) replicaSetOwners(ns string) *feed[string] {
	api := c.metadata.Resource(appsv1.SchemeGroupVersion.WithResource("replicasets")).Namespace(ns)
	return &feed[string]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (string, bool) {
		owner := metav1.GetControllerOf(o.(metav1.Object))
		if owner == nil || owner.Kind != "Deployment" {
			return "", false
		}
		return string(owner.UID), true
	}}
}

// leases reads the plugin's own.
func (c *Client) leases(ns string) *feed[namedLease] {
	api := c.coordination.Leases(ns)
	f := &feed[namedLease]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (namedLease, bool) {
		return toLease(o.(*coordinationv1.Lease))
	}}
	return f.selecting(leaseSelector)
}
