package plugin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// record is what is remembered of a release, and who holds its lock.
func (a *api) record(release string) (holder string, record canary.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l, ok := a.objects["leases/kubectl-canary."+release].(*coordinationv1.Lease)
	if !ok {
		return "", record
	}
	if l.Spec.HolderIdentity != nil {
		holder = *l.Spec.HolderIdentity
	}
	if err := json.Unmarshal([]byte(l.Annotations["kubectl-canary/state"]), &record); err != nil {
		a.t.Error(err)
	}
	return holder, record
}

// contains reports each text that is not in the output.
func contains(t *testing.T, what, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("%s does not say %q:\n%s", what, w, out)
		}
	}
}

// The whole life of a release, each step twice: the second time there is nothing to do, and nothing is written.
func TestLife(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		for _, step := range []struct{ line, split, out string }{
			{"shift --to 50 --reason because", "2/2", "auth shifted: 25% → 50% (v1 2/2, v2 2/2)"},
			{"promote", "0/3", "auth promoted: 50% → 100% (v1 0/0, v2 3/3)"},
			{"rollback", "3/0", "auth rolled back: 100% → 0% (v1 3/3, v2 0/0)"},
			{"rollback --to-previous", "0/3", "auth rolled back to the previous split: 0% → 100% (v1 0/0, v2 3/3)"},
		} {
			code, out, errOut := a.do(step.line)
			if code != 0 || a.split("auth") != step.split || a.split("chat") != step.split {
				t.Fatalf("%s: %d, %s and %s\n%s%s", step.line, code, a.split("auth"), a.split("chat"), out, errOut)
			}
			contains(t, step.line, out, step.out, "deployment.apps/chat-v1 scaled\n")
			contains(t, step.line, errOut, "Moving in context ", ", namespace messenger: auth, chat\n")
			if holder, record := a.record("auth"); holder != "" || record.Move != nil || record.Set.String() != step.split {
				t.Errorf("%s: held by %q, recorded %+v", step.line, holder, record)
			}
			if step.line == "rollback --to-previous" {
				break // its second time goes back again
			}
			n := len(a.writes())
			if code, out, _ := a.do(step.line); code != 0 || !strings.Contains(out, "auth is there already: ") {
				t.Errorf("%s again: %d\n%s", step.line, code, out)
			}
			if more := a.writes()[n:]; len(more) > 0 {
				t.Errorf("%s again writes %q", step.line, more)
			}
		}
		_, record := a.record("auth")
		if first := record.Changes[0]; len(record.Changes) != 4 || first.By != "jane" || first.Reason != "because" || first.Command != "shift --to 50" || first.Outcome != canary.Done {
			t.Errorf("the history is %+v", record.Changes)
		}
		if e := a.told[0]; len(a.told) != 8 || e.Type != "Normal" || e.Reason != "CanaryDone" || !strings.Contains(e.Message, "shift --to 50 by jane: 3/1 to 2/2") {
			t.Errorf("%d events, the first is %+v", len(a.told), e)
		}
	})
}

// One that does not come up: all are put back, and the message names it and the commands to run next.
func TestDeadline(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.broken("chat-v2")
		code, out, errOut := a.do("shift --to 50 --timeout 20s")
		if code != 124 || a.split("auth") != "3/1" || a.split("chat") != "3/1" {
			t.Errorf("%d, %s and %s", code, a.split("auth"), a.split("chat"))
		}
		contains(t, "stderr", errOut,
			"error: chat: 1 of 2 pods of v2 serve after 20s\n",
			"auth: put back to v1 3, v2 1 (was 3/1, asked 2/2)\nchat: put back to v1 3, v2 1 (was 3/1, asked 2/2)\n",
			"to try again:  kubectl canary shift --timeout 20s --to 50 -n messenger --server http://api\n",
			"to roll back:  kubectl canary rollback -n messenger --server http://api\n")
		if strings.Count(errOut, "error:") != 1 || out != "" {
			t.Errorf("%q\n%s", out, errOut)
		}
		if holder, record := a.record("chat"); holder != "" || record.Changes[0].Outcome != canary.Restored || record.Desired != 2500 {
			t.Errorf("held by %q, recorded %+v", holder, record)
		}
	})
}

// Programs get the whole result on failure too.
func TestFailureAsJSON(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.broken("auth-v2")
		code, out, _ := a.do("shift --to 50 --timeout 20s --on-failure hold -o json")
		var list struct {
			Items []struct{ Name, Outcome string }
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil || code != 124 || list.Items[0].Outcome != "Held" || a.split("auth") != "3/2" {
			t.Errorf("%d, %s, %v\n%s", code, a.split("auth"), err, out)
		}
	})
}

// After a signal nothing is written but the lock's release; the same command again goes on.
func TestInterrupt(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.broken("auth-v2")
		ctx, interrupt := interruptible(t)
		var before []string
		time.AfterFunc(5*time.Second, func() { before = a.writes(); interrupt() })
		code, _, errOut := a.run(ctx, "shift --to 50 -n "+ns)
		if code != 130 || a.split("auth") != "3/2" {
			t.Errorf("%d, %s", code, a.split("auth"))
		}
		contains(t, "stderr", errOut, "error: interrupted\n", "auth: stopped at v1 3, v2 2 (was 3/1, asked 2/2)\n",
			"to go on:      kubectl canary shift --to 50 -n messenger --server http://api\n")
		after := a.writes()[len(before):]
		if len(after) != 1 || !strings.HasPrefix(after[0], "PUT /apis/coordination.k8s.io/v1/namespaces/messenger/leases/kubectl-canary.auth") {
			t.Errorf("after the signal it writes %q", after)
		}
		a.scaled = a.controllers
		a.serves(a.deployment("auth-v2"), 2)
		if code, _, errOut := a.do("shift --to 50"); code != 0 || a.split("auth") != "2/2" {
			t.Errorf("again: %d, %s\n%s", code, a.split("auth"), errOut)
		}
	})
}

// A signal while the lock is released is in time to keep an Event from being written.
func TestInterruptAtTheEnd(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		ctx, interrupt := interruptible(t)
		a.refuse = func(r *http.Request) (metav1.StatusReason, string) {
			if r.Method == http.MethodPut && a.split("auth") == "2/2" {
				interrupt()
			}
			return "", ""
		}
		if code, _, errOut := a.run(ctx, "shift --to 50 --settle 0s -n "+ns); code != 0 || a.split("auth") != "2/2" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		if len(a.told) > 0 {
			t.Errorf("after the signal it tells %v", a.told)
		}
	})
}

// Somebody else scales under way: their replicas stay, and the exit says so.
func TestConflict(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.broken("auth-v2")
		time.AfterFunc(5*time.Second, func() { a.scaledBy("kubectl", "auth-v2", 5) })
		code, _, errOut := a.do("shift --to 50")
		if code != 6 || a.split("auth") != "3/5" {
			t.Errorf("%d, %s", code, a.split("auth"))
		}
		contains(t, "stderr", errOut,
			`error: replicas of deployment "auth-v2" were changed from 2 to 5 meanwhile by kubectl scale, as kubectl (Update, subresource scale), seen at 2000-01-01T00:00:05Z`,
			"\n  fix: ask who did it, and why\nauth: held at v1 3, v2 5 (was 3/1, asked 2/2)\n")
	})
}

// Leases are optional: without them there is no lock, and the split keeps its total, for nothing remembers the baseline.
func TestWithoutLeases(t *testing.T) {
	for text, want := range map[string]string{"": "1/2", "/leases": "1/3", "POST /apis/coordination": "1/3"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			warnings := 0
			if text != "" {
				a.refuse, warnings = forbid(text), 1
			}
			code, _, errOut := a.do("shift --to 66")
			if code != 0 || a.split("auth") != want || strings.Count(errOut, "Warning: leases ") != warnings {
				t.Errorf("%q forbidden: %d, %s\n%s", text, code, a.split("auth"), errOut)
			}
		})
	}
}

// A name or a selector moves what it names, and nothing else.
func TestMoveOfSome(t *testing.T) {
	for line, want := range map[string]string{"auth": "0/3 3/1", "deploy/auth-v1": "0/3 3/1", "auth chat": "0/3 0/3", "-l tier=backend": "0/3 0/3"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 3, 1)
			code, _, errOut := a.do("promote " + line)
			if got := a.split("auth") + " " + a.split("chat"); code != 0 || got != want || strings.Contains(errOut, "Moving in context") {
				t.Errorf("%s: %d, %s\n%s", line, code, got, errOut)
			}
		})
	}
}

// A rollback takes the lock from whoever is at work, and theirs stops.
func TestRollbackTakesOver(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.broken("auth-v2")
		done := make(chan int)
		go func() {
			code, _, _ := a.do("shift --to 50")
			done <- code
		}()
		time.Sleep(15 * time.Second)
		if code, _, errOut := a.do("rollback"); code != 0 || a.split("auth") != "3/0" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		if code := <-done; code != 6 || a.split("auth") != "3/0" {
			t.Errorf("the shift ended with %d at %s", code, a.split("auth"))
		}
		if holder, record := a.record("auth"); holder != "" || !slices.ContainsFunc(record.Changes, func(c canary.Change) bool { return c.Command == "rollback" }) {
			t.Errorf("held by %q: %+v", holder, record)
		}
	})
}
