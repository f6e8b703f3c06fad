package doctor

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// equals is a selector of matchLabels only.
type equals map[string]string

func (e equals) Matches(labels map[string]string) bool {
	return fmt.Sprint(shared(e, labels)) == fmt.Sprint(map[string]string(e))
}

// auth is a release that stands well, with the replicas of v1 and v2, on one node with room for ten pods.
func auth(stable, second int) *Patient {
	p := &Patient{
		Snapshot: &canary.Snapshot{Namespace: "messenger", Services: []canary.Service{{Name: "auth", Selector: map[string]string{"app": "auth"}}}},
		Weights:  []canary.Weight{2500, 5000, 7500, canary.Full},
		Ask:      canary.Ask{Surge: canary.Percent(25), Tolerance: 100},
	}
	p.Services = []*corev1.Service{{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "auth"}}}}
	p.Allowed, p.User = map[canary.Permission]bool{}, "jane"
	for _, permission := range Permissions() {
		p.Allowed[permission] = true
	}
	p.deploy("v1", stable)
	p.deploy("v2", second)
	p.Nodes = []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
		corev1.ResourceCPU: apiresource.MustParse("1"), corev1.ResourcePods: apiresource.MustParse("100"),
	}}}}
	return p
}

// deploy adds a version whose pods request a tenth of the node each.
func (p *Patient) deploy(version string, replicas int) {
	name, labels := "auth-"+version, map[string]string{"app": "auth", "version": version}
	container := corev1.Container{
		Name: "auth", Image: "auth-service:" + version,
		ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/health"}}},
		Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}},
		Resources:      corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse("100m")}},
	}
	n := int32(replicas)
	object := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{container}}},
	}}
	p.Deployments = append(p.Deployments, object)
	p.Snapshot.Deployments = append(p.Snapshot.Deployments, canary.Deployment{
		Name: name, PodLabels: labels, MatchLabels: labels, Selector: equals(labels), Images: []string{container.Image},
		Replicas: replicas, Pods: replicas, UpdatedPods: replicas, ReadyPods: replicas,
	})
	for i := range replicas {
		id := fmt.Sprintf("%s-%d", name, i)
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: id, UID: types.UID(id), Namespace: "messenger", Labels: labels}, Spec: object.Spec.Template.Spec}
		pod.Spec.NodeName = "one"
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "auth", ImageID: "example.test/auth@sha256:" + version}}
		p.Pods, p.AllPods = append(p.Pods, pod), append(p.AllPods, pod)
		p.Snapshot.Pods = append(p.Snapshot.Pods, canary.Pod{Name: id, UID: id, Labels: labels, Owned: true})
		p.Snapshot.Endpoints = append(p.Snapshot.Endpoints, canary.Endpoint{Service: "auth", PodUID: id, Ready: true})
	}
}

// template is the pods' of a version.
func (p *Patient) template(version string) *corev1.PodSpec {
	for _, d := range p.Deployments {
		if strings.HasSuffix(d.Name, version) {
			return &d.Spec.Template.Spec
		}
	}
	return nil
}

// found is what Examine finds, in lines.
func found(t *testing.T, p *Patient) []string {
	t.Helper()
	p.Releases = canary.Discover(p.Snapshot, canary.Options{All: true})
	var lines []string
	for _, f := range Examine(p) {
		lines = append(lines, fmt.Sprintf("%s %s %s %s: %s | %s", f.Release, f.Severity, f.Code, f.Object, f.Message, strings.Join(f.Next, "; ")))
	}
	return lines
}
