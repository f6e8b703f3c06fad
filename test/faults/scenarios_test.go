package faults

import (
	"strconv"
	"testing"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
)

// scenario replays on two Deployments what the end-to-end tests of Argo Rollouts and Flagger play on their own kinds.
type scenario struct {
	theirs string // the names of their tests
	ours   string // what is done here
	end    string // where auth ends, stable/canary
	world  messenger.Options
	start  split // 3/1 unless given
	play   func(s *scene)
}

func annotated(deployment, key, value string) messenger.Options {
	return messenger.Options{Annotations: map[string]map[string]string{deployment: {key: value}}}
}

func scenarios() []scenario {
	return []scenario{
		{
			theirs: "TestRolloutScalingWhenPaused", ours: "`shift --to 25` with baselines of 1, 8 and 4", end: "3/1", start: split{1, 0},
			play: func(s *scene) {
				s.does(0, split{1, 1}, "shift", "--to", "25", "--replicas", "1")
				s.does(0, split{6, 2}, "shift", "--to", "25", "--replicas", "8")
				s.does(0, split{3, 1}, "shift", "--to", "25", "--replicas", "4")
			},
		},
		{
			theirs: "TestReduceWeightAndHonorMaxUnavailable", ours: "`rollback` from promoted: v2 is untouched until v1 serves", end: "3/0", start: split{0, 3},
			world: annotated("auth-v1", "ready-after", "4s"),
			play: func(s *scene) {
				s.keeps(3, 6, func() {
					p := s.start("kubectl", "canary", "rollback", "--settle", "0s")
					s.until(p, "raised v1 0 → 3")
					time.Sleep(time.Second)
					if at := s.splits()["auth"]; at != (split{3, 3}) {
						s.Errorf("at %s while v1 starts", at)
					}
					if e := s.end(p); e.code != 0 {
						s.Errorf("%s", e)
					}
				})
			},
		},
		{
			theirs: "TestCanaryDynamicStableScale, …AbortScaleDownDelay, …RollbackToStable", ours: "25 %, 75 % and `rollback` of 4 pods", end: "4/0", start: split{4, 0},
			play: func(s *scene) {
				s.keeps(4, 8, func() {
					s.does(0, split{3, 1}, "shift", "--to", "25", "--replicas", "4")
					s.does(0, split{1, 3}, "shift", "--to", "75")
					s.does(0, split{4, 0}, "rollback")
				})
			},
		},
		{
			theirs: "TestCanaryScaleDownOnAbortNoTrafficRouting", ours: "`rollback` at 25 %", end: "3/0",
			play: func(s *scene) { s.keeps(3, 4, func() { s.does(0, split{3, 0}, "rollback") }) },
		},
		{
			theirs: "TestCanaryProgressDeadlineExceededWithPause", ours: "a canary too slow for `--timeout 2s`, held; the same again with time", end: "2/2",
			world: annotated("auth-v2", "ready-after", "8s"),
			play: func(s *scene) {
				s.keeps(4, 5, func() {
					s.does(124, split{3, 2}, "shift", "--to", "50", "--timeout", "2s", "--on-failure", "hold")
					s.does(0, split{2, 2}, "shift", "--to", "50")
				})
			},
		},
		{
			theirs: "TestRolloutGoodToBadUpdate; PromotionPrimaryNotReady, PromotionFailedAfterTrafficShift", ours: "`promote --timeout 4s` of a canary that crashes, twice", end: "3/1",
			world: annotated("auth-v2", "fault", "crash-loop"),
			play: func(s *scene) {
				s.keeps(3, 4, func() {
					s.does(124, before, "promote", "--timeout", "4s")
					s.does(124, before, "promote", "--timeout", "4s")
				})
			},
		},
		{
			theirs: "TestRolloutBadToGoodUpdate", ours: "`promote` where stable crashes and the canary does not", end: "0/3",
			world: annotated("auth-v1", "fault", "crash-loop"),
			play:  func(s *scene) { s.keeps(1, 4, func() { s.does(0, split{0, 3}, "promote", "--replicas", "3") }) },
		},
		{
			theirs: "TestRolloutBadToBadUpdate", ours: "`shift` where both versions crash: the sick pods of v1 go, and the end is told", end: "2/2",
			world: messenger.Options{Annotations: map[string]map[string]string{"auth-v1": {"fault": "crash-loop"}, "auth-v2": {"fault": "crash-loop"}}},
			play:  func(s *scene) { s.does(1, planned, "shift", "--to", "50") },
		},
		{
			theirs: "TestRolloutBadToGoodSetWeightUpdate", ours: "a sick canary is mended, then 50 % and `promote`", end: "0/3",
			world: annotated("auth-v2", "fault", "never-ready"),
			play: func(s *scene) {
				s.does(124, before, "shift", "--to", "50", "--timeout", "3s")
				s.heal("auth-v2")
				s.keeps(3, 5, func() {
					s.does(0, split{2, 2}, "shift", "--to", "50")
					s.does(0, split{0, 3}, "promote")
				})
			},
		},
		{
			theirs: "TestRolloutAbortRetryPromote", ours: "one pod: 50 %, `rollback`, 50 %, `promote`; the Events in order", end: "0/1", start: split{1, 0},
			play: func(s *scene) {
				s.keeps(1, 2, func() {
					s.does(0, split{1, 1}, "shift", "--to", "50")
					s.does(0, split{1, 0}, "rollback")
					s.does(0, split{1, 1}, "shift", "--to", "50")
					s.does(0, split{0, 1}, "promote")
				})
				s.told("shift --to 50: 1/0 to 1/1", "rollback: 1/1 to 1/0", "shift --to 50: 1/0 to 1/1", "promote: 1/1 to 0/1")
			},
		},
		{
			theirs: "TestCanaryPromoteFull", ours: "`promote` from 50 %, and after a `rollback`", end: "0/3",
			play: func(s *scene) {
				s.keeps(3, 6, func() {
					s.does(0, planned, "shift", "--to", "50")
					s.does(0, split{0, 3}, "promote")
					s.does(0, split{3, 0}, "rollback")
					s.does(0, split{0, 3}, "promote")
				})
			},
		},
		{
			theirs: "TestRolloutScalingDuringUpdate, TestRolloutWithMaxSurgeScalingDuringUpdate", ours: "stable is scaled to 6 while a shift waits: exit 6; then the shift of 8", end: "6/2",
			world: annotated("auth-v2", "ready-after", "4s"),
			play: func(s *scene) {
				p := s.start("kubectl", "canary", "shift", "--to", "50", "--settle", "0s")
				s.until(p, "raised v2 1 → 2")
				s.scale("auth-v1", 6)
				if e := s.end(p); e.code != 6 || s.splits()["auth"] != (split{6, 1}) {
					s.Errorf("at %s: %s", s.splits()["auth"], e)
				}
				s.ready()
				s.keeps(7, 9, func() { s.does(0, split{6, 2}, "shift", "--to", "25", "--replicas", "8") })
			},
		},
		{
			theirs: "TestSpecAndReplicaChangeSameTime", ours: "refused while the template is rolled out, and done afterwards", end: "2/2",
			play: func(s *scene) {
				s.rollOut("auth-v2")
				s.does(1, before, "shift", "--to", "50")
				s.heal("auth-v2")
				s.does(0, planned, "shift", "--to", "50")
			},
		},
		{
			theirs: "NewRevisionReset", ours: "the canary's template is changed while a shift waits for it", end: "2/2",
			world: annotated("auth-v2", "ready-after", "4s"),
			play: func(s *scene) {
				s.keeps(3, 6, func() {
					p := s.start("kubectl", "canary", "shift", "--to", "50", "--settle", "0s")
					s.until(p, "raised v2 1 → 2")
					s.change("auth-v2", map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{"revision": "2"}}}})
					if e := s.end(p); e.code != 0 {
						s.Errorf("%s", e)
					}
				})
				s.ready()
			},
		},
		{
			theirs: "TestRolloutPDBRestart", ours: "a PodDisruptionBudget of all pods: a scale-down asks none", end: "0/3",
			play: func(s *scene) {
				all := intstr.FromString("100%")
				_, err := cluster.client.PolicyV1().PodDisruptionBudgets(s.namespace).Create(s.Context(), &policyv1.PodDisruptionBudget{
					ObjectMeta: metav1.ObjectMeta{Name: "auth"},
					Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &all, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "auth"}}},
				}, metav1.CreateOptions{})
				s.must(err)
				s.keeps(3, 5, func() { s.does(0, split{0, 3}, "promote") })
			},
		},
		{
			theirs: "TestKubectlWaitForPaused, …Completed", ours: "`kubectl canary wait --for weight=50`, begun before the shift", end: "2/2",
			play: func(s *scene) {
				p := s.start("kubectl", "canary", "wait", "auth", "--for", "weight=50", "--timeout", "60s")
				s.does(0, planned, "shift", "--to", "50")
				if e := s.end(p); e.code != 0 {
					s.Errorf("%s", e)
				}
			},
		},
	}
}

// TestScenarios plays all scenarios.
func TestScenarios(t *testing.T) {
	for i, c := range scenarios() {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			t.Parallel()
			say("scenario %d: %s", i+1, c.ours)
			c.world.Services = []string{"auth"}
			c.world.Replicas = map[string]int32{"auth-v1": int32(before.stable), "auth-v2": int32(before.canary)}
			if c.start != (split{}) {
				c.world.Replicas = map[string]int32{"auth-v1": int32(c.start.stable), "auth-v2": int32(c.start.canary)}
			}
			s := newScene(t, c.world)
			c.play(s)
			if got := s.splits()["auth"].String(); got != c.end {
				t.Errorf("%s ends at %s, want %s", c.ours, got, c.end)
			}
			report.add(c.ours)
		})
	}
}

func scenarioRows() rows {
	t := rows{block: "scenarios", head: []string{"their test", "tried", "here", "ends at"}}
	for _, c := range scenarios() {
		t.names = append(t.names, c.ours)
		t.cells = append(t.cells, []string{c.theirs, c.ours, c.end})
	}
	return t
}
