package witness

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
			var events []Event
			for _, o := range append(base[:len(base):len(base)], tt.objects...) {
				events = append(events, Event{Version: uint64(len(events) + 1), Object: o})
			}
			last := events[len(events)-1].Version
			b := &Bound{Service: "auth", Deployments: []string{"auth-v1", "auth-v2"}, Floor: tt.least, Ceiling: tt.most, From: last, To: last}
			v := b.Judge(events)
			if v.Least != tt.least || v.Most != tt.most || v.Moments != 1 || len(v.Violations) != 0 {
				t.Errorf("%v, want ready %d, pods %d at one moment", v, tt.least, tt.most)
			}
			b.Floor++
			if v := b.Judge(events); len(v.Violations) != 1 {
				t.Errorf("a broken floor was not noticed: %v", v)
			}
			b.Floor, b.Ceiling = 0, tt.most-1
			if v := b.Judge(events); len(v.Violations) != 1 {
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
	events := []Event{
		{Version: 1, Object: set}, {Version: 2, Object: pod}, {Version: 3, Object: slice(true)},
		{Version: 5, Object: slice(false)}, {Version: 7, Object: slice(true)}, {Version: 9, Object: pod, Deleted: true},
	}
	for _, tt := range []struct {
		from, to     uint64
		moments, bad int
	}{
		{4, 8, 3, 1}, {3, 4, 1, 0}, {5, 6, 1, 1}, {6, 8, 2, 1}, {7, 8, 1, 0}, {8, 9, 2, 1}, {20, 20, 1, 1},
	} {
		b := &Bound{Service: "auth", Deployments: []string{"auth-v1"}, Floor: 1, Ceiling: 1, From: tt.from, To: tt.to}
		if v := b.Judge(events); v.Moments != tt.moments || len(v.Violations) != tt.bad {
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
