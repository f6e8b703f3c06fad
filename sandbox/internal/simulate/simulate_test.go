package simulate

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"
)

// player plays the stages on one pod, without a cluster and without waiting.
type player struct {
	t      *testing.T
	stages lifecycle.Lifecycle
	pod    *corev1.Pod
	gone   bool
}

func play(t *testing.T, annotations map[string]string, change ...func(*corev1.Pod)) *player {
	t.Helper()
	data, err := Config("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kwok.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := config.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	stages := slices.DeleteFunc(config.FilterWithType[*internalversion.Stage](objects), func(s *internalversion.Stage) bool {
		return s.Spec.ResourceRef.Kind != "Pod"
	})
	if len(stages) != len(podStages) {
		t.Fatalf("kwok reads %d stages of pods, want %d", len(stages), len(podStages))
	}
	lc, err := lifecycle.NewLifecycle(stages)
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: "u", Generation: 1, Annotations: annotations},
		Spec: corev1.PodSpec{
			NodeName:      "node-1",
			RestartPolicy: corev1.RestartPolicyAlways,
			Containers:    []corev1.Container{{Name: "app", Image: "app:1"}, {Name: "side", Image: "side:1"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}},
	}
	for _, f := range change {
		f(pod)
	}
	return &player{t: t, stages: lc, pod: pod}
}

// next plays the next stage and returns its name and its delay; "" when nothing more happens.
func (p *player) next() (string, time.Duration) {
	p.t.Helper()
	ctx := context.Background()
	event := &lifecycle.Event{Labels: p.pod.Labels, Annotations: p.pod.Annotations, Data: p.pod}
	all, err := p.stages.ListAllPossible(ctx, event)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(all) == 0 {
		return "", 0
	}
	if len(all) > 1 {
		p.t.Fatalf("two stages for one pod: %s, %s", all[0].Name(), all[1].Name())
	}
	delay, _, err := all[0].Delay(ctx, event, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	renderer := gotpl.NewRenderer(gotpl.FuncMap{
		"NodeIPWith": func(string) string { return "127.0.0.1" },
		"PodIPWith":  func(string, bool, string, string, string) string { return "10.244.0.1" },
	})
	_, err = all[0].DoSteps(0, nil, p.pod, renderer,
		func(*internalversion.StageEvent) error { return nil },
		func() error { p.gone = true; return nil },
		func(patch *lifecycle.Patch) error {
			if patch.Subresource != "status" {
				p.t.Fatalf("stage %s patches %q", all[0].Name(), patch.Subresource)
			}
			before, err := json.Marshal(p.pod)
			if err != nil {
				return err
			}
			after, err := strategicpatch.StrategicMergePatch(before, patch.Data, p.pod)
			if err != nil {
				return err
			}
			p.pod = &corev1.Pod{}
			return json.Unmarshal(after, p.pod)
		},
		nil)
	if err != nil {
		p.t.Fatalf("stage %s: %v", all[0].Name(), err)
	}
	return strings.TrimPrefix(all[0].Name(), "pod-"), delay
}

// until plays stages up to and with the one called name, or to the end for "".
func (p *player) until(name string) {
	p.t.Helper()
	var seen []string
	for range 20 {
		got, _ := p.next()
		if got == name {
			return
		}
		if got == "" {
			break
		}
		seen = append(seen, got)
	}
	p.t.Fatalf("no stage %q; there were %v", name, seen)
}

func (p *player) condition(kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range p.pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

// first describes the first container in a word, as `kubectl get pods` would.
func (p *player) first() string {
	s := p.pod.Status.ContainerStatuses[0]
	switch {
	case s.State.Waiting != nil:
		return s.State.Waiting.Reason
	case s.State.Terminated != nil:
		return s.State.Terminated.Reason
	case s.Ready:
		return "Ready"
	}
	return "Running"
}

func annotate(kv ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}
