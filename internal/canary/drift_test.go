package canary

import (
	"strings"
	"testing"
	"time"
)

// Who has made a release drift is named, with what makes them leave it alone; of two, the one who was later.
func TestDrifter(t *testing.T) {
	scaled := func(by Writer) func(*Deployment) { return func(d *Deployment) { d.Writer = by } }
	apply := Writer{Manager: "kubectl-client-side-apply", Operation: "Update", At: noon}
	helm := Writer{Manager: "helm", Operation: "Update", At: noon.Add(time.Hour)}
	hpa := Writer{Manager: "kube-controller-manager", Operation: "Update", Subresource: "scale"}
	for _, tc := range []struct {
		name           string
		now            Split
		stable, canary Writer
		want, next     string
		since          time.Time
	}{
		{"one side", Split{5, 1}, apply, helm, "and kubectl apply has made them 5/1; drop `replicas`", "apply edit-last-applied deployment/auth-v1", noon},
		{"both sides, the later", Split{5, 2}, apply, helm, "and Helm has made them 5/2; ", "canary rollback auth", helm.At},
		{"an autoscaler", Split{3, 2}, helm, hpa, "and HorizontalPodAutoscaler two has made them 3/2; ", "delete hpa two", time.Time{}},
		{"nobody knows", Split{5, 1}, Writer{}, Writer{}, "and somebody else has made them 5/1", "canary rollback auth", time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := auth(tc.now.Stable, tc.now.Canary).record("auth", recorded(3, 2500, Split{3, 1}))
			s.Autoscalers = []Autoscaler{{Name: "two", Deployment: "auth-v2"}}
			scaled(tc.stable)(&s.Deployments[0])
			scaled(tc.canary)(&s.Deployments[1])
			r := one(s, Options{})
			all := Troubles(r, s, noon, 0)
			if len(all) != 1 || !strings.Contains(all[0].Message, tc.want) || all[0].Next[0] != tc.next || !all[0].Since.Equal(tc.since) {
				t.Errorf("got %+v, want %q", all, tc.want)
			}
			if _, err := r.Aim(Ask{Weight: 5000, Surge: Percent(25)}, true); err == nil || !strings.Contains(err.Error(), strings.Split(tc.want, ";")[0]+": say how many") {
				t.Errorf("got %v", err)
			}
		})
	}
	if r := one(auth(3, 1).record("auth", recorded(3, 2500, Split{3, 1})), Options{}); r.Drifter.Name != "" {
		t.Errorf("it has not drifted: %+v", r.Drifter)
	}
}

// What was undone and stands at rest has a baseline: the serving side's.
func TestAimAfterUndone(t *testing.T) {
	rec := recorded(3, 5000, Split{2, 2})
	rec.Changes = []Change{{Outcome: Undone}}
	got, err := between(3, 0).withRecord(rec).Aim(Ask{Weight: 5000, Surge: Percent(25)}, true)
	if err != nil || got.Split != (Split{2, 2}) {
		t.Errorf("got %+v, %v", got, err)
	}
}
