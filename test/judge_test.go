package test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestJudge keeps the watcher honest: what it counts, and when.
func TestJudge(t *testing.T) {
	yes, no := true, false
	set := &appsv1.ReplicaSet{ObjectMeta: owned("set", "Deployment", "auth-v1")}
	other := &appsv1.ReplicaSet{ObjectMeta: owned("other", "Deployment", "auth-v0")}
	pod := func(name, owner string, change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: owned(name, "ReplicaSet", owner)}
		if change != nil {
			change(p)
		}
		return p
	}
	going := func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }
	failed := func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }
	slice := func(name, service string, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{discoveryv1.LabelServiceName: service}},
			Endpoints:  endpoints,
		}
	}
	endpoint := func(name string, ready, terminating *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{
			Conditions: discoveryv1.EndpointConditions{Ready: ready, Terminating: terminating},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", UID: types.UID(name)},
		}
	}
	base := []metav1.Object{set, other, pod("a", "set", nil), pod("b", "set", nil), pod("c", "set", nil)}
	tests := []struct {
		name        string
		objects     []metav1.Object // after the base, each at a version of its own
		least, most int
	}{
		{"nil is ready", []metav1.Object{slice("s", "auth", endpoint("a", nil, nil), endpoint("b", &yes, &no))}, 2, 3},
		{"not ready, terminating", []metav1.Object{slice("s", "auth", endpoint("a", &no, nil), endpoint("b", &yes, &yes), endpoint("c", nil, nil))}, 1, 3},
		{"twice in two slices is one", []metav1.Object{slice("s", "auth", endpoint("a", nil, nil)), slice("s6", "auth", endpoint("a", nil, nil))}, 1, 3},
		{"another Service", []metav1.Object{slice("s", "chat", endpoint("a", nil, nil))}, 0, 3},
		{"another Deployment", []metav1.Object{pod("o", "other", nil), slice("s", "auth", endpoint("o", nil, nil), endpoint("a", nil, nil))}, 1, 3},
		{"a pod that is told to stop", []metav1.Object{pod("a", "set", going), slice("s", "auth", endpoint("a", nil, nil), endpoint("b", nil, nil))}, 1, 2},
		{"a pod that has failed", []metav1.Object{pod("a", "set", failed), slice("s", "auth", endpoint("b", nil, nil))}, 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var events []event
			for _, o := range append(base[:len(base):len(base)], tt.objects...) {
				events = append(events, event{version: uint64(len(events) + 1), object: o})
			}
			last := events[len(events)-1].version
			b := &bound{service: "auth", deployments: []string{"auth-v1", "auth-v2"}, floor: tt.least, ceiling: tt.most, from: last, to: last}
			v := b.judge(events)
			if v.least != tt.least || v.most != tt.most || v.moments != 1 || len(v.violations) != 0 {
				t.Errorf("%v, want ready %d, pods %d at one moment", v, tt.least, tt.most)
			}
			b.floor++
			if v := b.judge(events); len(v.violations) != 1 {
				t.Errorf("a broken floor was not noticed: %v", v)
			}
			b.floor, b.ceiling = 0, tt.most-1
			if v := b.judge(events); len(v.violations) != 1 {
				t.Errorf("a broken ceiling was not noticed: %v", v)
			}
		})
	}
}

// TestJudgeSeesMoments checks that a dip between two good moments counts, and one outside the bound does not.
func TestJudgeSeesMoments(t *testing.T) {
	set := &appsv1.ReplicaSet{ObjectMeta: owned("set", "Deployment", "auth-v1")}
	pod := &corev1.Pod{ObjectMeta: owned("a", "ReplicaSet", "set")}
	slice := func(ready bool) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: "s", UID: "s", Labels: map[string]string{discoveryv1.LabelServiceName: "auth"}},
			Endpoints:  []discoveryv1.Endpoint{{Conditions: discoveryv1.EndpointConditions{Ready: &ready}, TargetRef: &corev1.ObjectReference{Kind: "Pod", UID: "a"}}},
		}
	}
	events := []event{
		{version: 1, object: set}, {version: 2, object: pod}, {version: 3, object: slice(true)},
		{version: 5, object: slice(false)}, {version: 7, object: slice(true)}, {version: 9, object: pod, deleted: true},
	}
	for _, tt := range []struct {
		from, to     uint64
		moments, bad int
	}{
		{4, 8, 3, 1}, {3, 4, 1, 0}, {5, 6, 1, 1}, {6, 8, 2, 1}, {7, 8, 1, 0}, {8, 9, 2, 1}, {20, 20, 1, 1},
	} {
		b := &bound{service: "auth", deployments: []string{"auth-v1"}, floor: 1, ceiling: 1, from: tt.from, to: tt.to}
		if v := b.judge(events); v.moments != tt.moments || len(v.violations) != tt.bad {
			t.Errorf("from %d to %d: %v, want %d moments, %d of them bad", tt.from, tt.to, v, tt.moments, tt.bad)
		}
	}
}

func owned(name, kind, owner string) metav1.ObjectMeta {
	controller := true
	return metav1.ObjectMeta{
		Name: name, UID: types.UID(name),
		OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner, UID: types.UID(owner), Controller: &controller}},
	}
}
