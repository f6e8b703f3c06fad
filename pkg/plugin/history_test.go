package plugin

import (
	"encoding/json"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Each change stands there once, though it is on the Lease and in an Event; Events alone tell of what is on no Lease.
func TestHistory(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.do("shift --to 50 --reason because")
		a.do("promote auth")
		code, out, errOut := a.do("history")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 0 || errOut != "" || len(lines) != 4 {
			t.Fatalf("%d, %q\n%s", code, errOut, out)
		}
		contains(t, "history", lines[1]+lines[2]+lines[3], "auth      shift --to 50   25% → 50%    3/1 → 2/2   jane   Done", "because", "chat      shift --to 50", "auth      promote")
		if !strings.HasPrefix(lines[3], "auth      promote") {
			t.Errorf("the newest is not the last:\n%s", out)
		}
		a.mu.Lock()
		delete(a.objects, "leases/kubectl-canary.auth")
		a.mu.Unlock()
		_, out, _ = a.do("history deploy/auth-v1 -o json")
		var list struct {
			Kind  string
			Items []struct {
				Release, Source string
				Seconds         *int
			}
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil || list.Kind != "ChangeList" || len(list.Items) != 2 || list.Items[0].Source != "Event" || list.Items[0].Seconds != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if _, out, _ := a.do("history chat -o jsonpath={.items[*].source}:{.items[0].seconds}"); !strings.HasPrefix(out, "Lease:") || out == "Lease:" {
			t.Errorf("%q", out)
		}
	})
}

// Each way to choose releases. What is gone has a history while its Lease is there.
func TestHistoryFlags(t *testing.T) {
	for line, want := range map[string]string{
		"history -o name":                                                        "service/auth\nservice/chat\nservice/gone\n",
		"history auth -o name":                                                   "service/auth\n",
		"history svc/auth deploy/chat-v1 gone -o name":                           "service/auth\nservice/chat\nservice/gone\n",
		"history -l tier=backend -o name":                                        "service/auth\nservice/chat\n",
		"history -l tier=frontend -o name":                                       "",
		"history -o jsonpath={.items[*].release}":                                "auth chat gone",
		"history auth --no-headers -o jsonpath={.kind}{.items[0].before.stable}": "ChangeList3",
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 3, 1)
			a.do("shift --to 50 --settle 0s")
			a.mu.Lock()
			lease := a.objects["leases/kubectl-canary.auth"].(*coordinationv1.Lease).DeepCopy()
			a.mu.Unlock()
			lease.ObjectMeta = metav1.ObjectMeta{Name: "kubectl-canary.gone", Labels: lease.Labels, Annotations: lease.Annotations}
			a.put("leases", lease)
			if code, out, errOut := a.do(line); code != 0 || errOut != "" || out != want {
				t.Errorf("%s: %d, %q, %q; want %q", line, code, out, errOut, want)
			}
		})
	}
}

func TestHistoryRefused(t *testing.T) {
	for text, want := range map[string]string{
		"GET /apis/coordination":                  `1 error: you may not list leases in namespace "messenger", which hold the history (docs/rbac.md)`,
		"GET /api/v1/namespaces/messenger/events": "0 Warning: events are forbidden: only what Leases hold is shown",
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.do("shift --to 50")
			a.refuse = forbid(text)
			code, _, errOut := a.do("history")
			if got := string(rune('0'+code)) + " " + strings.TrimSpace(errOut); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		if code, out, errOut := a.do("history"); code != 0 || out != "" || errOut != "No resources found in messenger namespace.\n" {
			t.Errorf("%d, %q, %q", code, out, errOut)
		}
		if code, _, errOut := a.do("history nobody"); code != 1 || !strings.Contains(errOut, "nobody") {
			t.Errorf("%d, %q", code, errOut)
		}
		if code, _, errOut := a.run(t.Context(), "history -n nowhere"); code != 1 || !strings.Contains(errOut, "nowhere") {
			t.Errorf("%d, %q", code, errOut)
		}
	})
}
