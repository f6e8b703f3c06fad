package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestToDeployment(t *testing.T) {
	d := deployment("auth-v1", 3)
	d.Generation, d.Spec.Paused, d.CreationTimestamp = 7, true, metav1.NewTime(noon)
	d.Spec.Template.Spec.Containers = []corev1.Container{
		{Image: "auth:v1", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("64Mi")}}},
		{Image: "proxy:1", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("1")}}},
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: 6, Replicas: 4, UpdatedReplicas: 1, ReadyReplicas: 3,
		Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "quota", LastTransitionTime: metav1.NewTime(noon),
		}},
	}
	labels := map[string]string{"app": "auth", "version": "auth-v1"}
	got := toDeployment(d)
	if !got.Selector.Matches(labels) || got.Selector.Matches(map[string]string{"app": "auth"}) {
		t.Error("the selector does not match as it should")
	}
	if got.SpecHash == 0 || got.Template == nil {
		t.Error("nothing is known of the template")
	}
	got.Selector, got.SpecHash, got.Template = nil, 0, nil
	want := canary.Deployment{
		Name: "auth-v1", UID: "uid-auth-v1", Created: noon, PodLabels: labels, MatchLabels: labels, Images: []string{"auth:v1", "proxy:1"},
		Requests: canary.Resources{MilliCPU: 1100, MemoryBytes: 64 << 20}, Replicas: 3, Paused: true, Generation: 7, Observed: 6,
		Pods: 4, UpdatedPods: 1, ReadyPods: 3, Failure: &canary.Failure{Reason: "FailedCreate", Message: "quota", Since: noon},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	d.Spec.Replicas, d.Status.Conditions[0].Status = nil, corev1.ConditionFalse
	if got := toDeployment(d); got.Replicas != 1 || got.Failure != nil {
		t.Errorf("%d replicas where none are named, failure %v", got.Replicas, got.Failure)
	}
}

func TestWriter(t *testing.T) {
	d := deployment("auth-v1", 3)
	entry := func(manager, subresource, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: "Update", Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	of := `{"f:spec":{"f:replicas":{}}}`
	d.ManagedFields = []metav1.ManagedFieldsEntry{
		entry("labels", "", `{"f:metadata":{"f:labels":{"f:replicas":{}}}}`), entry("kubectl", "scale", of),
		entry("kube-controller-manager", "status", `{"f:status":{"f:replicas":{}}}`), {Manager: "nothing"},
	}
	if got, want := toDeployment(d).Writer, (canary.Writer{Manager: "kubectl", Operation: "Update", Subresource: "scale"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	applied := entry("argocd-controller", "", of)
	applied.Time = &metav1.Time{Time: noon}
	d.ManagedFields = append(d.ManagedFields, applied)
	if got, want := toDeployment(d).Writer, (canary.Writer{Manager: "argocd-controller", Operation: "Update", At: noon}); got != want {
		t.Errorf("of two: got %+v, want %+v", got, want)
	}
}

func TestMarks(t *testing.T) {
	d := deployment("auth-v1", 3)
	yes := true
	d.OwnerReferences = []metav1.OwnerReference{{Kind: "List", Name: "no"}, {Kind: "Canary", Name: "auth", Controller: &yes}}
	d.Labels = map[string]string{"helm.toolkit.fluxcd.io/name": "shop", "app": "auth"}
	d.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:ns/auth", "a": "b"}
	got := toDeployment(d)
	want := map[string]string{"helm.toolkit.fluxcd.io/name": "shop", "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:ns/auth"}
	if diff := cmp.Diff(want, got.Marks); diff != "" || got.Owner != "Canary/auth" {
		t.Errorf("owner %q, -want +got:\n%s", got.Owner, diff)
	}
}

func TestMatcher(t *testing.T) {
	in := func(key string, op metav1.LabelSelectorOperator, values ...string) metav1.LabelSelectorRequirement {
		return metav1.LabelSelectorRequirement{Key: key, Operator: op, Values: values}
	}
	for _, c := range []struct {
		selector *metav1.LabelSelector
		labels   map[string]string
		want     bool
	}{
		{&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{in("v", metav1.LabelSelectorOpIn, "1", "2")}}, map[string]string{"v": "2"}, true},
		{&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{in("v", metav1.LabelSelectorOpIn, "1", "2")}}, map[string]string{"v": "3"}, false},
		{&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{in("v", metav1.LabelSelectorOpNotIn, "1")}}, map[string]string{"v": "1"}, false},
		{&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{in("v", metav1.LabelSelectorOpExists)}}, nil, false},
		{
			&metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}, MatchExpressions: []metav1.LabelSelectorRequirement{in("v", metav1.LabelSelectorOpDoesNotExist)}},
			map[string]string{"app": "a"}, true,
		},
		{&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{in("v", "Near", "1")}}, map[string]string{"v": "1"}, false}, // unreadable
		{nil, map[string]string{"v": "1"}, false},
	} {
		if got := matcher(c.selector).Matches(c.labels); got != c.want {
			t.Errorf("%v matches %v: %t", c.selector, c.labels, got)
		}
	}
	// The pods of a Deployment are listed by its selector as text.
	if got := fmt.Sprint(matcher(&metav1.LabelSelector{MatchLabels: map[string]string{"app": "a", "v": "1"}})); got != "app=a,v=1" {
		t.Errorf("as text: %s", got)
	}
}

func ptr[T any](v T) *T { return &v }

func TestToEndpoints(t *testing.T) {
	aPod := &corev1.ObjectReference{Kind: "Pod", UID: "p1"}
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelServiceName: "auth"}},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.0.0.1"}, TargetRef: aPod},
			{Addresses: []string{"fd00::1"}, TargetRef: aPod, Conditions: discoveryv1.EndpointConditions{Ready: ptr(true)}}, // the other family
			{Addresses: []string{"10.0.0.2"}, TargetRef: aPod, Conditions: discoveryv1.EndpointConditions{Ready: ptr(false), Terminating: ptr(true)}},
			{Addresses: []string{"10.0.0.3"}}, // written by hand
			{Addresses: []string{"10.0.0.4"}, TargetRef: &corev1.ObjectReference{Kind: "Node", UID: "n1"}},
			{},
		},
	}
	want := []canary.Endpoint{
		{Service: "auth", PodUID: "p1", Address: "10.0.0.1", Ready: true}, // nil is ready
		{Service: "auth", PodUID: "p1", Address: "fd00::1", Ready: true},
		{Service: "auth", PodUID: "p1", Address: "10.0.0.2", Terminating: true},
		{Service: "auth", Address: "10.0.0.3", Ready: true},
		{Service: "auth", Address: "10.0.0.4", Ready: true},
		{Service: "auth", Ready: true},
	}
	if diff := cmp.Diff(want, toEndpoints(s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A pod in both address families has two endpoints and serves once; docs/design.md §5 counts by pod UID.
func TestDualStack(t *testing.T) {
	p := pod("auth-v1-a")
	p.Labels = map[string]string{"app": "auth", "version": "auth-v1"}
	s := &canary.Snapshot{
		Services:    []canary.Service{{Name: "auth", Selector: map[string]string{"app": "auth"}}},
		Deployments: []canary.Deployment{toDeployment(deployment("auth-v1", 1)), toDeployment(deployment("auth-v2", 0))},
		Pods:        []canary.Pod{toPod(p)},
		Endpoints:   append(toEndpoints(slice("four", "auth", "uid-auth-v1-a")), toEndpoints(slice("six", "auth", "uid-auth-v1-a"))...),
	}
	if found := canary.Discover(s, canary.Options{}); len(found) != 1 || found[0].Serving() != 1 {
		t.Errorf("%+v", found)
	}
}

func TestToAutoscaler(t *testing.T) {
	h := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "auth"},
		Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 9, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "auth-v1"}},
	}
	if got, ok := toAutoscaler(h); !ok || got != (canary.Autoscaler{Name: "auth", Deployment: "auth-v1", Min: 1, Max: 9}) {
		t.Errorf("%+v, %t", got, ok)
	}
	h.Spec.MinReplicas = ptr(int32(4))
	if got, _ := toAutoscaler(h); got.Min != 4 {
		t.Errorf("%+v", got)
	}
	h.Spec.ScaleTargetRef.Kind = "StatefulSet"
	if _, ok := toAutoscaler(h); ok {
		t.Error("one of a StatefulSet counts")
	}
}

func TestToService(t *testing.T) {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "auth", UID: "u", Labels: map[string]string{"team": "a"}, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "auth"}},
	}
	want := canary.Service{Name: "auth", UID: "u", Labels: map[string]string{"team": "a"}, Selector: map[string]string{"app": "auth"}}
	if diff := cmp.Diff(want, toService(s)); diff != "" {
		t.Error(diff)
	}
	yes := true
	s.Spec.PublishNotReadyAddresses = true
	s.Annotations = map[string]string{"argo-rollouts.argoproj.io/managed-by-rollouts": "web", "a": "b"}
	s.OwnerReferences = []metav1.OwnerReference{{Kind: "Canary", Name: "auth", Controller: &yes}}
	want.NotReady, want.Marks, want.Owner = true, map[string]string{"argo-rollouts.argoproj.io/managed-by-rollouts": "web"}, "Canary/auth"
	if diff := cmp.Diff(want, toService(s)); diff != "" {
		t.Error(diff)
	}
	s.Spec.Type = corev1.ServiceTypeExternalName
	if !toService(s).ExternalName {
		t.Error("not an ExternalName")
	}
}
