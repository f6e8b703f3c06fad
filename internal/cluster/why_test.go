package cluster

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestToPod(t *testing.T) {
	p := pod("a")
	p.CreationTimestamp, p.DeletionTimestamp, p.Finalizers = metav1.NewTime(noon), &metav1.Time{Time: noon}, []string{"example.test/hold"}
	p.Spec = corev1.PodSpec{
		NodeName: "node-1", InitContainers: []corev1.Container{{Name: "init"}, {Name: "proxy", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)}},
		ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "lb"}}, SchedulingGates: []corev1.PodSchedulingGate{{Name: "hold"}},
	}
	p.Status = corev1.PodStatus{
		Phase:      corev1.PodRunning,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady", LastTransitionTime: metav1.NewTime(noon)}},
		InitContainerStatuses: []corev1.ContainerStatus{
			{Name: "init", Ready: true, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}},
			{Name: "proxy", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
		},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", RestartCount: 3, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off"}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, Message: "last words", FinishedAt: metav1.NewTime(noon)}},
		}, {
			Name: "other", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Signal: 11}},
		}},
	}
	identity := canary.Pod{
		Name: "a", UID: "uid-a", Labels: map[string]string{"app": "auth"}, Owned: true, Created: noon,
		Terminating: true, GoneBy: noon, Finalizers: []string{"example.test/hold"},
	}
	want := identity
	want.Phase, want.ReplicaSet, want.Node, want.ReadinessGates, want.SchedulingGates = "Running", "auth", "node-1", []string{"lb"}, []string{"hold"}
	want.Conditions = []canary.Condition{{Type: "Ready", Reason: "ContainersNotReady", Since: noon}}
	want.Containers = []canary.Container{
		{Name: "init", Init: true, Ready: true, Ended: &canary.Ended{Reason: "Completed"}}, {Name: "proxy", Running: true},
		{
			Name: "app", Restarts: 3, Waiting: &canary.Waiting{Reason: "CrashLoopBackOff", Message: "back-off"},
			Last: &canary.Ended{Reason: "OOMKilled", ExitCode: 137, Message: "last words"},
		},
		{Name: "other", Ended: &canary.Ended{ExitCode: 139}},
	}
	if diff := cmp.Diff(want, toPod(p)); diff != "" {
		t.Errorf("whole, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(identity, toPod(&metav1.PartialObjectMetadata{ObjectMeta: p.ObjectMeta})); diff != "" {
		t.Errorf("its metadata, -want +got:\n%s", diff)
	}
	p.OwnerReferences[0].Kind = "Job"
	if got := toPod(p); got.Owned || got.ReplicaSet != "" {
		t.Error("a Job's pod is taken for a Deployment's")
	}
}

// sized is a ReplicaSet of a Deployment, of which 2 pods are there and 1 is ready.
func sized(name, owner string, replicas int32) *appsv1.ReplicaSet {
	d := deployment(owner, replicas)
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: d.Spec.Selector.MatchLabels, OwnerReferences: []metav1.OwnerReference{
			{Kind: "Deployment", UID: types.UID("uid-" + owner), Controller: ptr(true)},
		}},
		Spec:   appsv1.ReplicaSetSpec{Replicas: &replicas},
		Status: appsv1.ReplicaSetStatus{Replicas: 2, ReadyReplicas: 1},
	}
}

func TestToReplicaSet(t *testing.T) {
	rs := sized("auth-v1-x", "auth-v1", 3)
	want := canary.ReplicaSet{Name: "auth-v1-x", Deployment: "uid-auth-v1", Replicas: 3, Pods: 2, ReadyPods: 1}
	if got, ok := toReplicaSet(rs); got != want || !ok {
		t.Errorf("%+v, %t", got, ok)
	}
	rs.Spec.Replicas = nil
	if got, _ := toReplicaSet(rs); got.Replicas != 1 {
		t.Errorf("the default is %d", got.Replicas)
	}
	rs.OwnerReferences = nil
	if _, ok := toReplicaSet(rs); ok {
		t.Error("one without an owner counts")
	}
}

func happening(name, object string) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: object}, Type: "Warning", Reason: "Unhealthy", Message: "Readiness probe failed",
	}
}

// Components count in two ways, and the fields of the other are empty then.
func TestToHappening(t *testing.T) {
	want := canary.Happening{Object: "Pod/a", Warning: true, Reason: "Unhealthy", Message: "Readiness probe failed", Count: 1, Last: noon.Add(-time.Hour)}
	check := func(change func(*corev1.Event), count int, last time.Time) {
		t.Helper()
		e, want := happening("e", "a"), want
		change(e)
		want.Count, want.Last = count, last
		if diff := cmp.Diff(want, toHappening(e)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	check(func(*corev1.Event) {}, 1, noon.Add(-time.Hour))
	check(func(e *corev1.Event) { e.Count, e.LastTimestamp = 12, metav1.NewTime(noon) }, 12, noon)
	check(func(e *corev1.Event) { e.EventTime = metav1.NewMicroTime(noon) }, 1, noon)
	check(func(e *corev1.Event) {
		e.EventTime = metav1.NewMicroTime(noon.Add(-time.Minute))
		e.Series = &corev1.EventSeries{Count: 7, LastObservedTime: metav1.NewMicroTime(noon)}
	}, 7, noon)
	e := happening("e", "a")
	e.Type = "Normal"
	if toHappening(e).Warning {
		t.Error("a normal Event is a warning")
	}
}

// Of few objects each is asked for by its name, of many the namespace; what is hidden is left out.
func TestReadWhy(t *testing.T) {
	in(t, func(t *testing.T, a *api, c *Client) {
		a.put("replicasets", sized("auth-v1-x", "auth-v1", 3))
		a.put("replicasets", sized("auth-v2-x", "auth-v2", 3))
		a.put("events", happening("e", "a"))
		l := c.live(ns)
		sick := map[string][]canary.Deployment{ns: {toDeployment(deployment("auth-v2", 3))}}
		if err := l.ReadReplicaSets(t.Context(), sick); err != nil {
			t.Fatal(err)
		}
		for _, objects := range [][]string{nil, {"Pod/a", "ReplicaSet/rs"}, {"Pod/a", "Pod/b", "Pod/c", "Pod/d", "Pod/e"}} {
			if err := l.ReadEvents(t.Context(), map[string][]string{ns: objects}); err != nil {
				t.Fatal(err)
			}
		}
		var asked []string
		for _, request := range a.seen() {
			if _, what, ok := strings.Cut(request, "/events"); ok {
				asked = append(asked, what)
			}
		}
		slices.Sort(asked)
		const by = "?fieldSelector=involvedObject.kind%3D"
		want := []string{"", by + "Pod%2CinvolvedObject.name%3Da", by + "ReplicaSet%2CinvolvedObject.name%3Drs"}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("asked for, -want +got:\n%s", diff)
		}
		s := l.Snapshots()[0]
		if len(s.ReplicaSets) != 1 || s.ReplicaSets[0].Name != "auth-v2-x" || len(s.Happenings) != 1 || s.Happenings[0].Object != "Pod/a" {
			t.Errorf("read %+v and %+v", s.ReplicaSets, s.Happenings)
		}

		a.answer = func(*http.Request, bool) (*http.Response, error) {
			return failure(http.StatusForbidden, metav1.StatusReasonForbidden, "no"), nil
		}
		if err := errors.Join(l.ReadEvents(t.Context(), map[string][]string{ns: {"Pod/a"}}), l.ReadReplicaSets(t.Context(), sick)); err != nil {
			t.Errorf("what is hidden is an error: %v", err)
		}
		a.answer = func(*http.Request, bool) (*http.Response, error) {
			return failure(http.StatusInternalServerError, metav1.StatusReasonInternalError, "broken"), nil
		}
		if l.ReadEvents(t.Context(), map[string][]string{ns: {"Pod/a"}}) == nil || l.ReadReplicaSets(t.Context(), sick) == nil {
			t.Error("a server that is broken is no error")
		}
	})
}
