package plugin

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
)

// While one migrates, another terminal is told by whom, whatever schedule it wants, and writes nothing.
func TestMigrateWhileAnotherRuns(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		interrupt, end := a.begin("migrate auth --pause 1m")
		time.Sleep(20 * time.Second)
		n := len(a.writes())
		for _, line := range []string{"migrate auth --pause 1m", "migrate auth --pause 2m", "migrate --resume", "migrate --steps 50,100", "shift auth --to 50"} {
			code, _, errOut := a.do(line)
			if code != 6 || !strings.Contains(errOut, `release "auth" is being moved by jane@`) || strings.Contains(errOut, "was interrupted") {
				t.Errorf("%s: %d\n%s", line, code, errOut)
			}
		}
		for _, w := range a.writes()[n:] {
			if !strings.Contains(w, "PUT") || !strings.Contains(w, "kubectl-canary.auth") {
				t.Errorf("written: %s", w)
			}
		}
		interrupt()
		if e := <-end; e.code != 130 || a.split("auth") != "3/1" || a.split("chat") != "3/1" {
			t.Errorf("%d\n%s", e.code, e.errOut)
		}
	})
}

// A record with a flag that this version does not know, or whose value was not recorded, is not gone on with: it may be a gate.
func TestResumeLacksAFlag(t *testing.T) {
	for arg, want := range map[string]string{
		"max-sorrow=3": "error: the migration was begun with --max-sorrow, which this version does not know\n",
		"prometheus":   "error: the migration was begun with --prometheus, which had a password in it and is not recorded: give it again\n",
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			interrupt, end := a.begin("migrate --pause 1m --drain 5s")
			time.Sleep(20 * time.Second)
			interrupt()
			<-end
			a.amend("auth", `"drain=5s"`, `"`+arg+`"`)
			n := len(a.writes())
			for _, line := range []string{"migrate --resume", "migrate --pause 1m"} {
				if code, _, errOut := a.do(line); code != 1 || !strings.Contains(errOut, want) || len(a.writes()) != n {
					t.Errorf("%s: %d\n%s", line, code, errOut)
				}
			}
		})
	}
}

// amend changes the text of a record.
func (a *api) amend(release, from, to string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	lease := a.objects["leases/kubectl-canary."+release].(*coordinationv1.Lease).DeepCopy()
	state := lease.Annotations["kubectl-canary/state"]
	if !strings.Contains(state, from) {
		a.t.Errorf("no %s in %s", from, state)
	}
	lease.Annotations["kubectl-canary/state"] = strings.Replace(state, from, to, 1)
	a.store("leases", lease)
}

// What is held while others go on has a migration of its own: resumed, it goes on at its own step.
func TestIndependentHeldAndResumed(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.judged(func(window int, release string, _ bool) analysis.Verdict {
			if release == "chat" && window == 1 {
				return analysis.Fail
			}
			return analysis.Pass
		})
		interrupt, end := a.begin("migrate --pause 1m --independent --on-failure hold")
		time.Sleep(150 * time.Second)
		interrupt()
		<-end
		if a.split("auth") != "1/3" || a.split("chat") != "3/1" {
			t.Fatalf("%s, %s", a.split("auth"), a.split("chat"))
		}
		if code, _, errOut := a.do("migrate --resume"); code != 1 || !strings.Contains(errOut, "there are several migrations: name the releases of one (auth; chat)") {
			t.Errorf("both: %d\n%s", code, errOut)
		}
		a.judged(func(int, string, bool) analysis.Verdict { return analysis.Pass })
		if code, _, errOut := a.do("migrate chat --resume"); code != 0 || a.split("auth") != "1/3" || a.split("chat") != "0/3" {
			t.Errorf("%d, %s, %s\n%s", code, a.split("auth"), a.split("chat"), errOut)
		}
		wantPast(t, a, "chat", fourSteps...)
	})
}

// A Lease of a release that is no more keeps no other from migrating, nor from being aborted.
func TestMigrationOfWhatIsGone(t *testing.T) {
	for _, line := range []string{"migrate --resume", "migrate auth --pause 1m", "abort"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 3, 1)
			interrupt, end := a.begin("migrate --pause 1m")
			time.Sleep(20 * time.Second)
			interrupt()
			<-end
			a.mu.Lock()
			for _, gone := range []string{"services/chat", "deployments/chat-v1", "deployments/chat-v2"} {
				delete(a.objects, gone)
			}
			a.mu.Unlock()
			want := "0/3"
			if line == "abort" {
				want = "3/0"
			}
			if code, _, errOut := a.do(line); code != 0 || a.split("auth") != want {
				t.Errorf("%s: %d, %s\n%s", line, code, a.split("auth"), errOut)
			}
		})
	}
}

// A rollback of all takes all locks: none is said to run out by itself.
func TestRollbackTakesAllLocks(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		_, end := a.begin("migrate --pause 1m")
		time.Sleep(20 * time.Second)
		if code, _, errOut := a.do("rollback"); code != 0 {
			t.Errorf("%d\n%s", code, errOut)
		}
		if e := <-end; e.code != 6 || strings.Contains(e.errOut, "runs out by itself") || a.split("auth") != "3/0" || a.split("chat") != "3/0" {
			t.Errorf("%d\n%s", e.code, e.errOut)
		}
		for _, name := range []string{"auth", "chat"} {
			if holder, record := a.record(name); holder != "" || record.Migration != nil {
				t.Errorf("%s: held by %q, %+v", name, holder, record.Migration)
			}
		}
	})
}

// Where somebody has gone further by hand while nobody ran it, resuming with a baseline takes that as it is.
func TestResumeAfterAnotherHand(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		interrupt, end := a.begin("migrate --pause 1m")
		time.Sleep(20 * time.Second)
		interrupt()
		<-end
		d := a.deployment("auth-v2")
		*d.Spec.Replicas = 2
		d.Generation++
		a.put("deployments", d)
		a.controllers("auth-v2")
		time.Sleep(10 * time.Second)
		n := len(a.writes())
		if code, _, errOut := a.do("migrate --resume"); code != 1 || !strings.Contains(errOut, "--replicas") || len(a.writes()) != n {
			t.Errorf("%d\n%s", code, errOut)
		}
		if code, _, errOut := a.do("migrate --resume --replicas 3"); code != 0 || a.split("auth") != "0/3" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
	})
}

// In a pause the API server may be away for longer than the locks last; whoever takes a lock meanwhile keeps it.
func TestServerAwayInAPause(t *testing.T) {
	for _, taken := range []bool{false, true} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			_, end := a.begin("migrate --pause 5m --steps 25,50")
			time.Sleep(20 * time.Second)
			a.refuse = func(*http.Request) (metav1.StatusReason, string) {
				return metav1.StatusReasonServiceUnavailable, "away"
			}
			time.Sleep(time.Minute)
			if taken {
				a.mu.Lock()
				lease := a.objects["leases/kubectl-canary.auth"].(*coordinationv1.Lease).DeepCopy()
				other, now := "jim@elsewhere/1", metav1.NewMicroTime(time.Now())
				lease.Spec.HolderIdentity, lease.Spec.AcquireTime, lease.Spec.RenewTime = &other, &now, &now
				a.store("leases", lease)
				a.mu.Unlock()
			}
			a.refuse = nil
			e := <-end
			want, split := 0, "2/2"
			if taken {
				want, split = 6, "3/1"
			}
			if e.code != want || a.split("auth") != split {
				t.Errorf("taken %t: %d, %s\n%s", taken, e.code, a.split("auth"), e.errOut)
			}
		})
	}
}

// The report of what was resumed says that it has not all of it.
func TestReportAfterResume(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		interrupt, end := a.begin("migrate --pause 1m")
		time.Sleep(100 * time.Second)
		interrupt()
		<-end
		report := filepath.Join(t.TempDir(), "report.md")
		if code, _, errOut := a.do("migrate --resume --report " + report); code != 0 {
			t.Errorf("%d\n%s", code, errOut)
		}
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, "the report", string(text), "| 1/4 | 25% | 25% | 0.0s | 1m0s | none by this run |\n")
	})
}
