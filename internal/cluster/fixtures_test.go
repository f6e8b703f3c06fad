package cluster

import (
	"context"
	"testing"
	"testing/synctest"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "auth", "version": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
		},
	}
}

func slice(name, service string, pods ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}}}
	for _, pod := range pods {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", UID: types.UID(pod)},
		})
	}
	return s
}

func pod(name string) *corev1.Pod {
	yes := true
	return &corev1.Pod{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"app": "auth"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "auth", Controller: &yes}},
	}}
}

// read reads the namespace, whatever there is in it.
func read(t *testing.T, c *Client, want Want) *Live {
	t.Helper()
	l, err := c.Read(t.Context(), ns, want)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// follow follows until the test ends, and waits for what it has started.
func follow(t *testing.T, l *Live) {
	ctx, cancel := context.WithCancel(t.Context())
	l.Follow(ctx, true)
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
}

// seenAt is a Deployment as a plan saw it.
func seenAt(name string, replicas int) canary.Deployment {
	return canary.Deployment{Name: name, UID: "uid-" + name, Replicas: replicas}
}
