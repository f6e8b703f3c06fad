package plugin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// scaledBy is somebody else who scales.
func (a *api) scaledBy(manager, deployment string, to int32) {
	d := a.deployment(deployment)
	d.Spec.Replicas = &to
	d.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager: manager, Operation: "Update", Subresource: "scale", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`),
	}}
	a.put("deployments", d)
	a.controllers(deployment)
}

// What somebody else changes just after a move is told, with the fix and the ways on, and recorded; status names them.
func TestUndone(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		time.AfterFunc(5*time.Second, func() { a.scaledBy("my-tool", "auth-v1", 3) })
		code, out, errOut := a.do("shift --to 50 -o json --reason because")
		var list struct {
			Items []struct {
				Name, Phase, Outcome string
				Problems             []struct{ Code, Object, Message string }
			}
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		auth, chat := list.Items[0], list.Items[1]
		if code != 6 || auth.Outcome != "Undone" || auth.Phase != "Drifted" || chat.Outcome != "Done" || len(chat.Problems) > 0 {
			t.Errorf("%d, %+v", code, list)
		}
		if len(auth.Problems) != 1 || auth.Problems[0].Code != "Conflict" || auth.Problems[0].Object != "Deployment/auth-v1" || !strings.HasSuffix(auth.Problems[0].Message, "; let it leave spec.replicas of the Deployment alone") {
			t.Errorf("%+v", auth.Problems)
		}
		contains(t, "stderr", errOut, "auth: watching for 3s that nobody changes it back\n",
			`error: replicas of deployment "auth-v1" were changed from 2 to 3 meanwhile by my-tool (Update, subresource scale), seen at 2000-01-01T00:00:05Z`+
				"\n  fix: let it leave spec.replicas of the Deployment alone\n"+
				"auth: done, and then changed to v1 3, v2 2 (was 3/1, asked 2/2)\nchat: done, at v1 2, v2 2 (was 3/1, asked 2/2)\n",
			"to go on:      kubectl canary shift --to 50 --replicas 3 -n messenger --server http://api\n")
		_, record := a.record("auth")
		if last := record.Last(); last.Outcome != canary.Undone || record.Set.String() != "2/2" || last.After.String() != "3/2" || last.Seconds < 5 {
			t.Errorf("recorded %+v", record)
		}
		if e := a.told[0]; e.Reason == "CanaryUndone" != (e.InvolvedObject.Name == "auth") {
			t.Errorf("told %+v", e)
		}
		_, out, _ = a.do("status")
		contains(t, "status", out, "auth: replicas of auth were set to 2/2 (stable/canary), and my-tool has made them 3/2; let it ")
	})
}

// Of releases with other baselines each has a command of its own to go on.
func TestUndoneOfSeveral(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 6, 1)
		time.AfterFunc(5*time.Second, func() { a.scaledBy("my-tool", "chat-v1", 6) })
		code, _, errOut := a.do("shift --to 50 -l tier=backend --timeout 1m")
		if code != 6 || strings.Count(errOut, "to go on:") != 1 {
			t.Errorf("%d\n%s", code, errOut)
		}
		contains(t, "stderr", errOut, "to go on:      kubectl canary shift chat --timeout 1m0s --to 50 --replicas 6 -n messenger")
	})
}

// A signal while it is watched says that all is done, and exits as any other.
func TestInterruptWhileItSettles(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		ctx, interrupt := interruptible(t)
		time.AfterFunc(5*time.Second, interrupt)
		code, out, errOut := a.run(ctx, "shift --to 50 -n "+ns)
		if code != 130 || !strings.Contains(out, "auth shifted: 25% → 50%") || strings.Contains(errOut, "to go on") {
			t.Errorf("%d\n%s%s", code, out, errOut)
		}
		contains(t, "stderr", errOut, "error: interrupted, after all was done\n")
		if _, record := a.record("auth"); record.Last().Outcome != canary.Done || record.Move != nil {
			t.Errorf("recorded %+v", record)
		}
	})
}
