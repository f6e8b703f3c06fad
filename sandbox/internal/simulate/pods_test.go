package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLives plays a pod's life for each fault: the first container after each stage, its restarts, and the delay of the stage.
func TestLives(t *testing.T) {
	tests := []struct {
		name        string
		annotations map[string]string
		want        string // stage:container/restarts@delay; the last is followed by … when more would come
		phase       corev1.PodPhase
	}{
		{"plain", nil, "create:ContainerCreating/0@0s start:Running/0@50ms ready:Ready/0@1s", corev1.PodRunning},
		{"slow", annotate(ReadyAfter, "1m2.5s"), "create:ContainerCreating/0@0s start:Running/0@50ms ready:Ready/0@1m2.5s", corev1.PodRunning},
		{"never-ready", annotate(Fault, "never-ready"), "create:ContainerCreating/0@0s start-unready:Running/0@50ms others-ready:Running/0@1s", corev1.PodRunning},
		{"crash-loop", annotate(Fault, "crash-loop"), "create:ContainerCreating/0@0s start:Running/0@50ms crash:Error/0@500ms restart-at-once:Running/1@500ms " +
			"crash:Error/1@500ms back-off:CrashLoopBackOff/1@500ms restart:Running/2@1s crash:Error/2@500ms back-off:CrashLoopBackOff/2@500ms restart:Running/3@1s …", corev1.PodRunning},
		{"crash-every", annotate(Fault, "crash-loop", CrashEvery, "400ms"), "create:ContainerCreating/0@0s start:Running/0@50ms crash:Error/0@100ms restart-at-once:Running/1@100ms " +
			"crash:Error/1@100ms back-off:CrashLoopBackOff/1@100ms restart:Running/2@200ms …", corev1.PodRunning},
		{"oom", annotate(Fault, "oom"), "create:ContainerCreating/0@0s start:Running/0@50ms crash:OOMKilled/0@500ms restart-at-once:Running/1@500ms " +
			"crash:OOMKilled/1@500ms back-off:CrashLoopBackOff/1@500ms …", corev1.PodRunning},
		{"image-pull", annotate(Fault, "image-pull"), "create:ContainerCreating/0@0s pull:ErrImagePull/0@200ms pull-back-off:ImagePullBackOff/0@1s", corev1.PodPending},
		{"invalid-image", annotate(Fault, "invalid-image"), "create:ContainerCreating/0@0s stuck:InvalidImageName/0@200ms", corev1.PodPending},
		{"image-never-pull", annotate(Fault, "image-never-pull"), "create:ContainerCreating/0@0s stuck:ErrImageNeverPull/0@200ms", corev1.PodPending},
		{"config-error", annotate(Fault, "config-error"), "create:ContainerCreating/0@0s stuck:CreateContainerConfigError/0@200ms", corev1.PodPending},
		{"create-error", annotate(Fault, "create-error"), "create:ContainerCreating/0@0s stuck:CreateContainerError/0@200ms", corev1.PodPending},
		{"run-error", annotate(Fault, "run-error"), "create:ContainerCreating/0@0s stuck:RunContainerError/0@200ms", corev1.PodPending},
		{"init-config-error without one", annotate(Fault, "init-config-error"), "create:ContainerCreating/0@0s stuck:CreateContainerConfigError/0@200ms", corev1.PodPending},
		{"unknown", annotate(Fault, "typo"), "create:ContainerCreating/0@0s stuck:CreateContainerConfigError/0@200ms", corev1.PodPending},
		{"flap", annotate(Fault, "flap", FlapDown, "4s"), "create:ContainerCreating/0@0s start:Running/0@50ms ready:Ready/0@1s unready:Running/0@3s …", corev1.PodRunning},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := play(t, tt.annotations)
			for i, want := range strings.Fields(tt.want) {
				if want == "…" {
					break
				}
				stage, delay := p.next()
				if stage == "" {
					t.Fatalf("step %d: nothing happens, want %s", i, want)
				}
				got := fmt.Sprintf("%s:%s/%d@%v", stage, p.first(), p.pod.Status.ContainerStatuses[0].RestartCount, delay)
				if got != want {
					t.Fatalf("step %d: %s, want %s", i, got, want)
				}
			}
			if p.pod.Status.Phase != tt.phase {
				t.Errorf("phase %s, want %s", p.pod.Status.Phase, tt.phase)
			}
			if stage, _ := p.next(); stage != "" && !strings.HasSuffix(tt.want, "…") {
				t.Errorf("then %s, want nothing", stage)
			}
			if side := p.pod.Status.ContainerStatuses[1]; tt.name != "plain" && !side.Ready {
				t.Error("the fault has spread to the second container")
			}
		})
	}
}

func TestCrashLoopStatus(t *testing.T) {
	p := play(t, annotate(Fault, "oom"))
	p.until("back-off")
	s := p.pod.Status.ContainerStatuses[0]
	last := s.LastTerminationState.Terminated
	if last == nil || last.ExitCode != 137 || last.Reason != "OOMKilled" || last.StartedAt.IsZero() || last.FinishedAt.IsZero() || last.ContainerID == "" {
		t.Errorf("lastState = %+v", last)
	}
	if *s.Started || s.Ready || !strings.Contains(s.State.Waiting.Message, "restarting failed container=app pod=p_n(u)") {
		t.Errorf("status = %+v", s)
	}
	if c := p.condition(corev1.PodReady); c.Status != corev1.ConditionFalse || c.Reason != "ContainersNotReady" || c.Message != "containers with unready status: [app]" {
		t.Errorf("Ready = %+v", c)
	}
	before := s.ContainerID
	p.until("restart")
	if s := p.pod.Status.ContainerStatuses[0]; s.ContainerID == before || s.LastTerminationState.Terminated == nil || s.ImageID == "" {
		t.Errorf("after the restart: %+v", s)
	}
}

func TestReadyPodLooksLikeAKubelets(t *testing.T) {
	p := play(t, nil, func(pod *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		pod.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "init:1"}, {Name: "proxy", Image: "proxy:1", RestartPolicy: &always}}
	})
	p.until("create")
	if p.first() != "PodInitializing" || p.condition(corev1.PodInitialized).Reason != "ContainersNotInitialized" {
		t.Errorf("%s, Initialized = %+v", p.first(), p.condition(corev1.PodInitialized))
	}
	ready := p.condition(corev1.PodReady).LastTransitionTime
	p.pod.Status.Conditions[3].LastTransitionTime = metav1.Time{}
	p.until("start")
	p.until("ready")
	st := p.pod.Status
	if st.PodIP != "10.244.0.1" || st.HostIP != "127.0.0.1" || len(st.PodIPs) != 1 || st.StartTime == nil || st.ObservedGeneration != 1 {
		t.Errorf("status = %+v", st)
	}
	for _, kind := range []corev1.PodConditionType{"PodReadyToStartContainers", corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady, corev1.PodScheduled} {
		if c := p.condition(kind); c.Status != corev1.ConditionTrue || c.Reason != "" || c.Message != "" {
			t.Errorf("%+v", c)
		}
	}
	if now := p.condition(corev1.PodReady).LastTransitionTime; now.Before(&ready) || now.IsZero() {
		t.Errorf("Ready since %v", now)
	}
	if in := st.InitContainerStatuses; len(in) != 2 || in[0].State.Terminated.Reason != "Completed" || !in[0].Ready || in[1].State.Running == nil || !*in[1].Started {
		t.Errorf("init containers = %+v", in)
	}
}

func TestMountFails(t *testing.T) {
	p := play(t, annotate(Fault, "mount"))
	p.until("create-unmounted")
	p.until("")
	if p.first() != "ContainerCreating" || p.pod.Status.Phase != corev1.PodPending {
		t.Errorf("%s, %s", p.first(), p.pod.Status.Phase)
	}
}

// The containers wait for as long as the first init container fails, and start when it does no more.
func TestInitContainerFails(t *testing.T) {
	init := func(pod *corev1.Pod) {
		pod.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "init:1"}, {Name: "second", Image: "init:1"}}
	}
	check := func(p *player, reason string, restarts int32) {
		t.Helper()
		in := p.pod.Status.InitContainerStatuses
		if in[0].State.Waiting == nil || in[0].State.Waiting.Reason != reason || in[0].RestartCount != restarts || in[0].Ready {
			t.Errorf("init container = %+v", in[0])
		}
		if in[1].State.Waiting.Reason != "PodInitializing" || p.first() != "PodInitializing" || p.condition(corev1.PodInitialized).Status != corev1.ConditionFalse {
			t.Errorf("those that wait for it: %+v, %s", in[1], p.first())
		}
	}
	p := play(t, annotate(Fault, "init-config-error"), init)
	p.until("init-stuck")
	check(p, "CreateContainerConfigError", 0)
	p.until("")

	p = play(t, annotate(Fault, "init-crash-loop"), init)
	for restarts := range int32(3) {
		p.until("init-stuck")
		check(p, "CrashLoopBackOff", restarts+1)
		if last := p.pod.Status.InitContainerStatuses[0].LastTerminationState.Terminated; last == nil || last.ExitCode != 1 {
			t.Errorf("its last end: %+v", last)
		}
	}
	p.pod.Annotations = nil
	p.until("ready")
	if in := p.pod.Status.InitContainerStatuses[0]; in.State.Terminated == nil || !in.Ready || in.RestartCount != 3 {
		t.Errorf("in the end: %+v", in)
	}
}

func TestTransitionTimes(t *testing.T) {
	p := play(t, annotate(Fault, "flap"))
	p.until("ready")
	long := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
	for i := range p.pod.Status.Conditions {
		p.pod.Status.Conditions[i].LastTransitionTime = long
	}
	p.until("unready")
	if c := p.condition(corev1.PodInitialized); !c.LastTransitionTime.Equal(&long) {
		t.Errorf("what did not change got a new time: %+v", c)
	}
	if c := p.condition(corev1.PodReady); c.LastTransitionTime.Equal(&long) || c.Status != corev1.ConditionFalse {
		t.Errorf("what changed kept its time: %+v", c)
	}
}

func TestReadinessGates(t *testing.T) {
	p := play(t, nil, func(pod *corev1.Pod) {
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/lb"}}
	})
	p.until("ready")
	if c := p.condition(corev1.PodReady); c.Status != corev1.ConditionFalse || c.Reason != "ReadinessGatesNotReady" || !strings.Contains(c.Message, "does not exist") {
		t.Errorf("without the condition: %+v", c)
	}
	if c := p.condition(corev1.ContainersReady); c.Status != corev1.ConditionTrue {
		t.Errorf("%+v", c)
	}
	p.until("")

	p.pod.Status.Conditions = append(p.pod.Status.Conditions, corev1.PodCondition{Type: "example.com/lb", Status: corev1.ConditionTrue})
	p.until("gates")
	if c := p.condition(corev1.PodReady); c.Status != corev1.ConditionTrue || c.Reason != "" {
		t.Errorf("with it: %+v", c)
	}
	p.until("")

	p.pod.Status.Conditions[len(p.pod.Status.Conditions)-1].Status = corev1.ConditionFalse
	p.until("gates")
	if c := p.condition(corev1.PodReady); c.Status != corev1.ConditionFalse || !strings.Contains(c.Message, `is not "True", but False`) {
		t.Errorf("with it false: %+v", c)
	}
	if p.pod.Status.ContainerStatuses[0].State.Running == nil || !p.pod.Status.ContainerStatuses[0].Ready {
		t.Errorf("a gate has changed the container: %+v", p.pod.Status.ContainerStatuses[0])
	}
}

// TestDelete deletes a pod after each stage of each fault.
func TestDelete(t *testing.T) {
	for _, fault := range append([]string{""}, Faults...) {
		for steps := range 7 {
			p := play(t, annotate(Fault, fault))
			for range steps {
				p.next()
			}
			now, grace := metav1.NewTime(time.Now().Add(30*time.Second)), int64(30)
			p.pod.DeletionTimestamp, p.pod.DeletionGracePeriodSeconds = &now, &grace
			if stage, delay := p.next(); stage != "delete" || delay != time.Second || !p.gone {
				t.Fatalf("%s after %d stages: %s in %v", fault, steps, stage, delay)
			}
		}
	}
	for _, tt := range []struct {
		after    string
		grace    time.Duration
		min, max time.Duration
	}{
		{"5s", 30 * time.Second, 5 * time.Second, 5 * time.Second},
		{"60s", 30 * time.Second, 28 * time.Second, 30 * time.Second}, // a kubelet kills at the end of the grace period
		{"5s", time.Second, -time.Second, time.Second},
	} {
		p := play(t, annotate(TerminateAfter, tt.after))
		p.until("ready")
		end, grace := metav1.NewTime(time.Now().Add(tt.grace)), int64(tt.grace.Seconds())
		p.pod.DeletionTimestamp, p.pod.DeletionGracePeriodSeconds = &end, &grace
		if _, delay := p.next(); delay < tt.min || delay > tt.max {
			t.Errorf("terminate-after %s, grace %v: %v", tt.after, tt.grace, delay)
		}
	}
}

// TestChangesOfMind sets and takes away a fault while the pod lives.
func TestChangesOfMind(t *testing.T) {
	p := play(t, nil)
	p.until("ready")
	for _, fault := range []string{"never-ready", "crash-loop", "flap"} {
		p.pod.Annotations = annotate(Fault, fault)
		stage, _ := p.next()
		if c := p.condition(corev1.PodReady); c.Status != corev1.ConditionFalse {
			t.Errorf("%s (stage %s): %+v", fault, stage, c)
		}
		p.pod.Annotations = nil
		p.until("ready")
		if c := p.condition(corev1.PodReady); c.Status != corev1.ConditionTrue {
			t.Errorf("%s taken away: %+v", fault, c)
		}
	}
	p = play(t, annotate(Fault, "image-pull"))
	p.until("pull-back-off")
	p.pod.Annotations = nil
	p.until("ready")
}

func TestJobs(t *testing.T) {
	job := func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "j"}}
	}
	p := play(t, nil, job)
	p.until("complete")
	if s := p.pod.Status; s.Phase != corev1.PodSucceeded || s.ContainerStatuses[0].State.Terminated.Reason != "Completed" || p.condition(corev1.PodReady).Reason != "PodCompleted" {
		t.Errorf("%+v", s)
	}
	p.until("")
	p = play(t, annotate(Fault, "crash-loop"), job)
	p.until("crash")
	if s := p.pod.Status; s.Phase != corev1.PodFailed || s.ContainerStatuses[0].State.Terminated.ExitCode != 1 {
		t.Errorf("%+v", s)
	}
	p.until("")
}
