package plugin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Where anything speaks against one release, none is written to. A rollback is told of it and goes.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(a *api)
		want    string
		code    int
		force   bool // goes on with --force
		back    bool // a rollback goes on
	}{
		{"paused", func(a *api) {
			d := a.deployment("chat-v2")
			d.Spec.Paused = true
			a.put("deployments", d)
		}, "chat: Deployment chat-v2 is paused", 1, true, true},
		{"mid-rollout", func(a *api) {
			d := a.deployment("chat-v2")
			d.Status.UpdatedReplicas = 0
			a.put("deployments", d)
		}, "chat: Deployment chat-v2 is rolling out a new template", 1, true, true},
		{"autoscaled", func(a *api) {
			a.put("horizontalpodautoscalers", &autoscalingv2.HorizontalPodAutoscaler{
				ObjectMeta: metav1.ObjectMeta{Name: "chat"},
				Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 9, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "chat-v1"}},
			})
		}, "chat: HorizontalPodAutoscaler chat scales Deployment chat-v1", 1, true, true},
		{"endpoints of pods that are not ready", func(a *api) {
			svc := a.objects["services/chat"].(*corev1.Service).DeepCopy()
			svc.Spec.PublishNotReadyAddresses = true
			a.put("services", svc)
		}, "chat: Service chat publishes the addresses of pods that are not ready", 1, true, true},
		{"overlapping selectors", func(a *api) {
			d := a.deployment("chat-v2")
			d.Spec.Selector.MatchLabels = map[string]string{"version": "v2"}
			a.put("deployments", d)
		}, "auth, chat: the selector of Deployment chat-v2 matches the pods of Deployment auth-v2 too", 1, true, true},
		{"the same pods", func(a *api) {
			d := a.deployment("chat-v2")
			d.Spec.Template.Spec.Containers[0].Image = "chat:v1"
			a.put("deployments", d)
		}, "chat: both versions run the same", 1, true, true},
		{"driven by another", func(a *api) {
			d := a.deployment("chat-v2")
			d.Labels = map[string]string{"rollouts.kruise.io/canary-deployment": "chat-v1"}
			a.put("deployments", d)
		}, "chat: OpenKruise drives Deployment chat-v2", 1, true, true},
		{"locked", func(a *api) {
			holder, seconds, now := "joe@desk/x", int32(30), metav1.NewMicroTime(time.Now())
			a.put("leases", &coordinationv1.Lease{
				ObjectMeta: metav1.ObjectMeta{Name: "kubectl-canary.chat", Labels: map[string]string{"app.kubernetes.io/managed-by": "kubectl-canary"}},
				Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
			})
		}, `chat: release "chat" is being moved by joe@desk/x`, 6, false, true},
		{"both at 0", func(a *api) {
			for _, name := range []string{"chat-v1", "chat-v2"} {
				d := a.deployment(name)
				*d.Spec.Replicas = 0
				a.put("deployments", d)
				a.serves(d, 0)
			}
		}, "chat: both versions are at 0 replicas: say how many", 1, false, false},
		{"two Deployments of a version", func(a *api) {
			d := a.deployment("chat-v2")
			d.Name, d.UID = "chat-v2b", "another"
			a.put("deployments", d)
		}, "chat: version v2 (label version) is carried by two Deployments: chat-v2, chat-v2b", 1, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, line := range []string{"shift --to 50", "promote", "promote --force", "rollback"} {
				in(t, func(t *testing.T, a *api) {
					a.release("auth", 3, 1)
					a.release("chat", 3, 1)
					c.prepare(a)
					code, _, errOut := a.do(line)
					if strings.Contains(errOut, "would undo a move, and stop at 0") {
						t.Errorf("%s: not said of its target:\n%s", line, errOut)
					}
					if c.force && strings.Contains(line, "--force") || c.back && line == "rollback" {
						if code != 0 || !strings.Contains(errOut, "Warning: "+c.want) && c.name != "locked" {
							t.Errorf("%s: %d\n%s", line, code, errOut)
						}
						return
					}
					if code != c.code || len(a.writes()) > 0 || !strings.HasPrefix(errOut, "error: "+c.want) {
						t.Errorf("%s: %d, writes %q\n%s", line, code, a.writes(), errOut)
					}
				})
			}
		})
	}
}

// What leaves no room for the pods of a plan is told of once, of all releases that are to have them.
func TestNoRoom(t *testing.T) {
	pods := func(n string) corev1.ResourceList { return corev1.ResourceList{"pods": resource.MustParse(n)} }
	full := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}, Status: corev1.ResourceQuotaStatus{Hard: pods("9"), Used: pods("8")}}
	least := &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "l"}, Spec: corev1.LimitRangeSpec{
		Limits: []corev1.LimitRangeItem{{Type: "Pod", Min: corev1.ResourceList{"cpu": resource.MustParse("1")}}},
	}}
	for _, c := range []struct {
		line   string
		stable int32
		code   int
		want   []string // none: nothing is said
	}{
		{"shift --to 50", 3, 1, []string{
			"error: nothing was written, because:\n",
			"\n  auth: limit range l refuses pods of Deployment auth-v2: the pod has no request, and the least is 1 for cpu; --force goes on all the same\n    kubectl describe limits l -n messenger --server http://api\n",
			"\n  auth, chat: quota q: pods: 2 more needed at the worst moment (round 1: 10 pods), 1 left; --force goes on all the same\n    kubectl describe quota q -n messenger --server http://api\n",
		}},
		{"shift --to 50 --dry-run", 3, 1, []string{"\n  auth, chat: quota q: pods: 2 more"}},
		{"shift --to 50 --force", 3, 0, []string{"Warning: auth, chat: quota q: pods: 2 more needed at the worst moment (round 1: 10 pods), 1 left\n", "Warning: chat: limit range l refuses pods of Deployment chat-v2"}},
		{"promote --max-surge 1", 3, 0, []string{"Warning: auth, chat: quota q: pods: 4 more needed at the worst moment (round 2: 12 pods, with those that are stopped and may not be gone yet), 1 left\n"}},
		{"rollback", 1, 0, []string{"Warning: auth, chat: quota q: pods: 4 more needed at the worst moment (all at once: 8 pods), 1 left\n"}},
		{"rollback", 3, 0, nil},
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", c.stable, 1)
			a.release("chat", c.stable, 1)
			if c.line == "rollback" && c.stable == 1 {
				a.put("leases", lease("auth", 3))
				a.put("leases", lease("chat", 3))
			}
			a.put("resourcequotas", full.DeepCopy())
			if !strings.HasPrefix(c.line, "promote") {
				a.put("limitranges", least.DeepCopy())
			}
			code, _, errOut := a.do(c.line)
			if code != c.code || (code != 0) != (len(a.writes()) == 0) {
				t.Errorf("%s: %d, writes %q\n%s", c.line, code, a.writes(), errOut)
			}
			contains(t, c.line, errOut, c.want...)
			if c.want == nil && strings.Contains(errOut, "Warning") {
				t.Errorf("%s: %s", c.line, errOut)
			}
		})
	}
}

// lease remembers a baseline.
func lease(release string, baseline int) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Name: "kubectl-canary." + release, Labels: map[string]string{"app.kubernetes.io/managed-by": "kubectl-canary"},
		Annotations: map[string]string{"kubectl-canary/state": fmt.Sprintf(`{"schema":1,"stable":"v1","canary":"v2","baseline":%d,"desired":50,"target":{"stable":1,"canary":1},"set":{"stable":1,"canary":1}}`, baseline)},
	}}
}

// Two that are refused are both told of.
func TestAllRefusals(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		for _, name := range []string{"auth", "chat"} {
			a.release(name, 3, 1)
			d := a.deployment(name + "-v2")
			d.Spec.Paused = true
			a.put("deployments", d)
		}
		code, out, errOut := a.do("promote -o json")
		if code != 1 || strings.Count(out, `"outcome": "Refused"`) != 2 {
			t.Errorf("%d\n%s", code, out)
		}
		contains(t, "stderr", errOut, "error: nothing was written, because:\n  auth: Deployment auth-v2 is paused", "\n  chat: Deployment chat-v2 is paused", "--force")
	})
}

// Who may not write learns it before any write, or from the write itself: then what was written is put back.
func TestForbiddenWrites(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.refuse = func(r *http.Request) (metav1.StatusReason, string) {
			if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "chat") {
				return metav1.StatusReasonForbidden, "not chat"
			}
			return "", ""
		}
		code, _, errOut := a.do("shift --to 50")
		if code != 1 || a.split("auth") != "3/1" || a.split("chat") != "3/1" {
			t.Errorf("%d, %s and %s", code, a.split("auth"), a.split("chat"))
		}
		contains(t, "stderr", errOut, "Error from server (Forbidden): not chat\n")
	})
}

func TestDryRunOfTheServer(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		code, out, _ := a.do("shift --to 50 --dry-run=server")
		want := "deployment.apps/auth-v1 scaled (server dry run)\ndeployment.apps/auth-v2 scaled (server dry run)\n"
		if code != 0 || out != want || len(a.writes()) > 0 || a.split("auth") != "3/1" {
			t.Errorf("%d, %q, writes %q", code, out, a.writes())
		}
		a.refuse = forbid("PATCH")
		if code, _, errOut := a.do("shift --to 50 --dry-run=server"); code != 1 || !strings.HasPrefix(errOut, "Error from server (Forbidden): ") {
			t.Errorf("%d, %q", code, errOut)
		}
	})
}

// No release to write to is an error, unlike in `status`.
func TestMoveOfNothing(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		for _, line := range []string{"shift --to 50", "promote", "rollback"} {
			code, out, errOut := a.do(line)
			if code != 1 || out != "" || !strings.HasPrefix(errOut, `error: no release found in namespace "messenger"`) {
				t.Errorf("%s: %d, %q, %q", line, code, out, errOut)
			}
		}
		a.release("auth", 3, 1)
		if code, _, errOut := a.do("promote users"); code != 1 || !strings.Contains(errOut, `release "users" not found in namespace "messenger": it has auth`) {
			t.Errorf("%d, %q", code, errOut)
		}
	})
}
