package plugin

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// It ends when the condition holds for all that are named, at once where it does.
func TestWait(t *testing.T) {
	for line, after := range map[string]time.Duration{
		"wait --for weight=50 --timeout 1m":       5 * time.Second,
		"wait auth --for weight=50 --timeout -1s": 5 * time.Second,
		"wait auth chat --for phase=Canary":       11 * time.Second, // when nobody holds the lock any more
		"wait --for weight=25":                    0,
		"wait -l tier=backend --for canary":       0,
		"wait auth --for canary --timeout 0s":     0,
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 3, 1)
			if after > 0 {
				go a.do("shift --to 50")
				time.Sleep(time.Second / 2)
			}
			began := time.Now()
			code, out, errOut := a.do(line)
			if took := time.Since(began); code != 0 || errOut != "" || !strings.HasPrefix(out, "release/auth condition met\n") || took > after || after == 0 != (took == 0) {
				t.Errorf("%s: %d after %s\n%s%s", line, code, took, out, errOut)
			}
			if after > 0 {
				time.Sleep(time.Minute) // for the shift
			}
		})
	}
}

// At the end of the time it says which releases do not fulfil it, why, and what to run.
func TestWaitTimesOut(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 0, 3)
		began := time.Now()
		code, out, errOut := a.do("wait --for promoted")
		want := "error: timed out waiting for phase=Promoted on release/auth: it is Canary\n"
		if code != 124 || out != "" || errOut != want || time.Since(began) != 30*time.Second {
			t.Errorf("%d after %s, %q, %q", code, time.Since(began), out, errOut)
		}
		a.scaledBy("my-tool", "chat-v1", 0)
		a.scaledBy("my-tool", "chat-v2", 0)
		time.Sleep(2 * time.Second)
		code, _, errOut = a.do("wait chat --for weight=100 --timeout 0s")
		if code != 124 {
			t.Errorf("%d", code)
		}
		contains(t, "stderr", errOut, "error: timed out waiting for weight=100 on release/chat: nothing serves; both versions of chat are at 0 replicas: nothing serves\n  kubectl canary rollback chat --replicas 1 -n messenger")
	})
}

// A lock that runs out is no change in the cluster, and ends the phase Moving all the same.
func TestWaitForALockToRunOut(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		holder, duration, now := "joe", int32(30), metav1.NowMicro()
		a.put("leases", &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: "kubectl-canary.auth", Labels: map[string]string{"app.kubernetes.io/managed-by": "kubectl-canary"}},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &duration, RenewTime: &now, AcquireTime: &now},
		})
		began := time.Now()
		if code, _, errOut := a.do("wait auth --for canary --timeout 1m"); code != 0 || time.Since(began) < 30*time.Second || time.Since(began) > 32*time.Second {
			t.Errorf("%d after %s\n%s", code, time.Since(began), errOut)
		}
	})
}

func TestWaitUsage(t *testing.T) {
	for line, want := range map[string]string{
		"wait":                      "error: say what to wait for with --for: weight=N, or a phase (see 'kubectl canary wait --help')",
		"wait --for fine":           `error: invalid condition "fine": want weight=N, or a phase: stable, canary, promoted, moving, degraded, drifted, broken (see 'kubectl canary wait --help')`,
		"wait nothing --for stable": `"nothing"`,
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			if code, _, errOut := a.do(line); code != 1 || !strings.Contains(errOut, want) {
				t.Errorf("%s: %d, %q", line, code, errOut)
			}
		})
	}
}
