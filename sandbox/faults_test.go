package sandbox_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}, annotations: {%[2]s}}
    spec: {%[3]s containers: [{name: app, image: "example.test/app:1"}]}
---
`

// TestPods shows that pods of real Deployments behave as their annotations say.
func TestPods(t *testing.T) {
	tests := []struct {
		name, annotations, spec string
		want                    string // phase, state, ready; what `look` writes
		restarts                int32  // at least
	}{
		{"plain", ``, ``, "Running running ready", 0},
		{"never-ready", `fault: never-ready`, ``, "Running running", 0},
		{"crash-loop", `fault: crash-loop`, ``, "Running CrashLoopBackOff after Error 1", 2},
		{"oom", `fault: oom, crash-every: 1s`, ``, "Running CrashLoopBackOff after OOMKilled 137", 3},
		{"image-pull", `fault: image-pull`, ``, "Pending ImagePullBackOff", 0},
		{"invalid-image", `fault: invalid-image`, ``, "Pending InvalidImageName", 0},
		{"image-never-pull", `fault: image-never-pull`, ``, "Pending ErrImageNeverPull", 0},
		{"config-error", `fault: config-error`, ``, "Pending CreateContainerConfigError", 0},
		{"run-error", `fault: run-error`, ``, "Pending RunContainerError", 0},
		{"mount", `fault: mount`, ``, "Pending ContainerCreating", 0},
		{"init-crash-loop", `fault: init-crash-loop`, `initContainers: [{name: init, image: "example.test/init:1"}],`, "Pending PodInitializing", 0},
		{"flap", `fault: flap, flap-up: 1s, flap-down: 1s`, ``, "Running running ready", 0},
		{"typo", `fault: crashloop`, ``, "Pending CreateContainerConfigError", 0},
		{"slow", `ready-after: 4s, terminate-after: 6s`, ``, "Running running ready", 0},
		{"gated", ``, `readinessGates: [{conditionType: example.test/gate}],`, "Running running ReadinessGatesNotReady", 0},
		{"nowhere", ``, `nodeSelector: {no: where},`, "Pending Unschedulable", 0},
	}
	c := upCluster(t)
	var manifest strings.Builder
	for _, tt := range tests {
		var annotations []string
		for a := range strings.SplitSeq(tt.annotations, ", ") {
			if a != "" {
				annotations = append(annotations, "sandbox.kubectl-canary/"+a)
			}
		}
		fmt.Fprintf(&manifest, deployment, tt.name, strings.Join(annotations, ", "), tt.spec)
	}
	c.apply(manifest.String())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eventually(t, 30*time.Second, func() error {
				pod, err := c.onlyPod(tt.name)
				if err != nil {
					return err
				}
				if got := look(pod); got != tt.want {
					return fmt.Errorf("%s, want %s", got, tt.want)
				}
				if s := pod.Status.ContainerStatuses; len(s) > 0 && s[0].RestartCount < tt.restarts {
					return fmt.Errorf("%d restarts, want %d", s[0].RestartCount, tt.restarts)
				}
				return nil
			})
		})
	}

	t.Run("flap goes on", func(t *testing.T) {
		for _, want := range []string{"Running running", "Running running ready", "Running running"} {
			eventually(t, 10*time.Second, func() error {
				pod, err := c.onlyPod("flap")
				if err == nil && look(pod) != want {
					err = fmt.Errorf("%s, want %s", look(pod), want)
				}
				return err
			})
		}
	})
	t.Run("ready-after", func(t *testing.T) {
		pod, err := c.onlyPod("slow")
		if err != nil {
			t.Fatal(err)
		}
		took := condition(pod, corev1.PodReady).LastTransitionTime.Sub(pod.Status.ContainerStatuses[0].State.Running.StartedAt.Time)
		if took < 3*time.Second || took > 7*time.Second { // times are in whole seconds, and the machine may be busy
			t.Errorf("ready after %v, want about 4s", took)
		}
	})
	t.Run("readiness gate", func(t *testing.T) {
		pod, err := c.onlyPod("gated")
		if err != nil {
			t.Fatal(err)
		}
		c.kubectl("patch", "pod", pod.Name, "--subresource=status", "-p", `{"status":{"conditions":[{"type":"example.test/gate","status":"True"}]}}`)
		c.kubectl("wait", "--for=condition=Ready", "pod", pod.Name, "--timeout=10s")
	})
	t.Run("addresses", func(t *testing.T) {
		seen := map[string]string{}
		for _, pod := range c.pods("") {
			ip := pod.Status.PodIP
			if ip == "" {
				continue
			}
			if seen[ip] != "" || !strings.HasPrefix(ip, "10.244.") {
				t.Errorf("%s has %s, as %s", pod.Name, ip, seen[ip])
			}
			seen[ip] = pod.Name
		}
	})
	t.Run("deletion", func(t *testing.T) {
		c.kubectl("delete", "deployments", "--all", "--wait=false")
		eventually(t, 5*time.Second, func() error {
			var left []string
			for _, pod := range c.pods("app!=slow") {
				left = append(left, pod.Name)
			}
			if len(left) > 0 {
				return fmt.Errorf("left: %v", left)
			}
			return nil
		})
		if pods := c.pods("app=slow"); len(pods) != 1 || pods[0].DeletionTimestamp == nil {
			t.Errorf("the slow pod should be terminating: %d pods", len(pods))
		}
		eventually(t, 10*time.Second, func() error {
			if len(c.pods("")) > 0 {
				return errors.New("the slow pod is still there")
			}
			return nil
		})
	})
}

func (c *cluster) onlyPod(app string) (corev1.Pod, error) {
	pods := c.pods("app=" + app)
	if len(pods) != 1 {
		return corev1.Pod{}, fmt.Errorf("%d pods", len(pods))
	}
	return pods[0], nil
}

func condition(pod corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

// look sums up a pod: its phase, the state of its container and how that ended before, and whether the pod is ready.
func look(pod corev1.Pod) string {
	words := []string{string(pod.Status.Phase)}
	if c := condition(pod, corev1.PodScheduled); c.Status == corev1.ConditionFalse {
		return words[0] + " " + c.Reason
	}
	for _, s := range pod.Status.ContainerStatuses {
		switch {
		case s.State.Waiting != nil:
			words = append(words, s.State.Waiting.Reason)
		case s.State.Running != nil:
			words = append(words, "running")
		case s.State.Terminated != nil:
			words = append(words, s.State.Terminated.Reason)
		}
		if last := s.LastTerminationState.Terminated; last != nil {
			words = append(words, fmt.Sprintf("after %s %d", last.Reason, last.ExitCode))
		}
	}
	switch c := condition(pod, corev1.PodReady); {
	case c.Status == corev1.ConditionTrue:
		words = append(words, "ready")
	case c.Reason != "ContainersNotReady":
		words = append(words, c.Reason)
	}
	return strings.Join(words, " ")
}
