package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// fakeGate says of every release what a test wants, by the step of its window, from 1.
type fakeGate struct {
	window int
	says   func(window int, release string, final bool) analysis.Verdict
	names  []string
}

func (g *fakeGate) Begin(_ context.Context, releases []canary.Release) {
	g.window++
	g.names = nil
	for _, r := range releases {
		g.names = append(g.names, r.Name)
	}
}

func (g *fakeGate) Judge(_ context.Context, final bool) map[string][]analysis.Result {
	all := map[string][]analysis.Result{}
	for _, name := range g.names {
		v := g.says(g.window, name, final)
		all[name] = []analysis.Result{{Check: "error-rate", Verdict: v, Message: "it is " + string(v)}}
	}
	return all
}

// judged lets the gates of all migrations say what a test wants.
func (a *api) judged(says func(window int, release string, final bool) analysis.Verdict) {
	a.gate = func(*run) gate { return &fakeGate{says: says} }
}

// past is what the history has of a release, as command, split and outcome.
func (a *api) past(release string) (all []string) {
	_, record := a.record(release)
	for _, c := range record.Changes {
		all = append(all, fmt.Sprintf("%s: %s %s", c.Command, c.After, c.Outcome))
	}
	return all
}

var fourSteps = []string{
	"migrate (step 1/4): 3/1 Done", "migrate (step 2/4): 2/2 Done", "migrate (step 3/4): 1/3 Done", "migrate (step 4/4): 0/3 Done",
}

func wantPast(t *testing.T, a *api, release string, want ...string) {
	t.Helper()
	if got := a.past(release); !slices.Equal(got, want) {
		t.Errorf("the history of %s is %q", release, got)
	}
}

// within says whether a duration is so long, or up to so much longer.
func within(t *testing.T, what string, took, atLeast, more time.Duration) {
	t.Helper()
	if took < atLeast || took > atLeast+more {
		t.Errorf("%s took %s, not %s to %s", what, took, atLeast, atLeast+more)
	}
}

// All releases go through all steps together, and each pause is as long as was asked.
func TestMigrate(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		began := time.Now()
		code, out, errOut := a.do("migrate --pause 10s")
		if code != 0 || a.split("auth") != "0/3" || a.split("chat") != "0/3" {
			t.Errorf("%d, %s and %s\n%s%s", code, a.split("auth"), a.split("chat"), out, errOut)
		}
		within(t, "it", time.Since(began), 30*time.Second, 40*time.Second)
		wantPast(t, a, "auth", fourSteps...)
		wantPast(t, a, "chat", fourSteps...)
		contains(t, "stdout", out, "auth promoted: 25% → 100% (v1 0/0, v2 3/3)\n", "STEP   WEIGHT   REACHED   MOVED IN   PAUSED   CHECKS\n",
			"\n2/4    50%      50%       ", "   10.0s    12 passed\n")
		contains(t, "stderr", errOut, "Moving in context ", "step 1/4: to 25%\n", "step 1/4: pausing, 10s left\n", "chat: raised v2 1 → 2\n", "step 4/4: at 100% after ")
		for _, name := range []string{"auth", "chat"} {
			if holder, record := a.record(name); holder != "" || record.Migration != nil || record.Move != nil || record.Baseline != 3 {
				t.Errorf("%s is held by %q, recorded %+v", name, holder, record)
			}
		}
		n := len(a.writes())
		if code, out, errOut := a.do("migrate"); code != 0 || !strings.Contains(out, "auth is there already: ") || len(a.writes()) != n {
			t.Errorf("again: %d, %q\n%s%s", code, a.writes()[n:], out, errOut)
		}
	})
}

// What is beyond a step already waits for the others, and is never taken back.
func TestMigrateFromUnlikeSplits(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 0, 3)
		a.release("users", 1, 3)
		code, out, errOut := a.do("migrate --pause 1s --steps 10,25,50,100 -o json")
		if code != 0 || a.split("auth") != "0/3" || a.split("chat") != "0/3" || a.split("users") != "0/3" {
			t.Errorf("%d, %s, %s, %s\n%s%s", code, a.split("auth"), a.split("chat"), a.split("users"), out, errOut)
		}
		wantPast(t, a, "auth", "migrate (step 2/4): 3/1 Done", "migrate (step 3/4): 2/2 Done", "migrate (step 4/4): 0/3 Done")
		wantPast(t, a, "users", "migrate (step 2/4): 1/3 Done", "migrate (step 3/4): 1/3 Done", "migrate (step 4/4): 0/3 Done")
	})
}

func TestMigrateTo(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		code, out, errOut := a.do("migrate --pause 5s --to 50")
		if code != 0 || a.split("auth") != "2/2" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		contains(t, "stdout", out, "auth shifted: 25% → 50% (v1 2/2, v2 2/2)\n")
	})
}

// What the schedule becomes is shown, and nothing is written.
func TestMigratePlan(t *testing.T) {
	for _, flag := range []string{"--plan", "--dry-run=client"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 6, 0)
			code, out, errOut := a.do("migrate --steps 10,50@1h,100 " + flag)
			want := `STEP   WEIGHT   PAUSE    auth        chat
1/3    10%      5m0s     3/1 (25%)   7/1 (12.5%)
2/3    50%      1h0m0s   2/2         3/3
3/3    100%     -        0/3         0/6
Pods of stable/canary. It takes 1h5m0s of pauses, and the time of the moves between them.
`
			if code != 0 || out != want || len(a.writes()) > 0 {
				t.Errorf("%d, %q\n%s%s", code, a.writes(), out, errOut)
			}
		})
	}
}

// A gate that fails gives all traffic of all releases back to stable at once, not at the end of the pause.
func TestGateFails(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.judged(func(window int, release string, _ bool) analysis.Verdict {
			if window == 2 && release == "chat" {
				return analysis.Fail
			}
			return analysis.Pass
		})
		began := time.Now()
		report := filepath.Join(t.TempDir(), "report.md")
		code, out, errOut := a.do("migrate --pause 5m --interval 5s --report " + report)
		if code != 4 || a.split("auth") != "3/0" || a.split("chat") != "3/0" {
			t.Errorf("%d, %s and %s\n%s%s", code, a.split("auth"), a.split("chat"), out, errOut)
		}
		within(t, "it", time.Since(began), 5*time.Minute+5*time.Second, 20*time.Second)
		wantPast(t, a, "auth", "migrate (step 1/4): 3/1 Done", "migrate (step 2/4): 2/2 Done", "migrate (rollback at step 2/4): 3/0 Done")
		contains(t, "stderr", errOut, "error: a gate failed at step 2/4 (50%): chat: error-rate: it is Fail\n", "chat: rolled back, 0% (v1 3/3, v2 0/0)\n")
		if strings.Contains(errOut, "to roll back") || strings.Contains(errOut, "to go on") || strings.Count(errOut, "error:") != 1 {
			t.Errorf("there is nothing left to do:\n%s", errOut)
		}
		holder, record := a.record("auth")
		if holder != "" || record.Migration != nil || !strings.Contains(record.Last().Reason, "error-rate") {
			t.Errorf("held by %q, %+v", holder, record.Last())
		}
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, "the report", string(text), "## chat\n\nRolledBack: stable v1 3, canary v2 0.\n", "| 2/4 | 50% | 50% | ", "| error-rate Fail (it is Fail) |\n")
	})
}

// A gate that has seen too little holds all where they are; somebody approves and goes on, or watches once more.
func TestNoVerdict(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		verdict := analysis.Inconclusive
		a.judged(func(_ int, _ string, final bool) analysis.Verdict {
			if final {
				return verdict
			}
			return analysis.Inconclusive
		})
		code, _, errOut := a.do("migrate --pause 10s")
		if code != 5 || a.split("auth") != "3/1" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		contains(t, "stderr", errOut, "error: no verdict at step 1/4 (25%): auth: error-rate: it is Inconclusive\n", "auth: held, 25% (v1 3/3, v2 1/1), step 1/4, Held\n",
			"to look again: kubectl canary migrate --resume -n messenger", "to go on:      kubectl canary approve -n messenger", "to roll back:  kubectl canary rollback -n messenger")
		_, out, _ := a.do("status")
		contains(t, "status", out, "auth: Canary 25% (step 1/4, held: no verdict at step 1/4 (25%): auth: error-rate: it is Inconclusive, by jane, interrupted 0s ago)\n      kubectl canary migrate --resume -n messenger")

		began := time.Now()
		if code, _, errOut := a.do("migrate --resume"); code != 5 || a.split("auth") != "3/1" {
			t.Errorf("watched again: %d, %s\n%s", code, a.split("auth"), errOut)
		}
		within(t, "watching again", time.Since(began), 10*time.Second, time.Second)
		if code, out, errOut := a.do("approve"); code != 0 || !strings.Contains(out, "auth: approved, and nobody runs it: go on with\n  kubectl canary migrate --resume -n messenger") {
			t.Errorf("approve: %d, %s%s", code, out, errOut)
		}
		verdict = analysis.Pass
		if code, _, errOut := a.do("migrate --resume"); code != 0 || a.split("auth") != "0/3" {
			t.Errorf("approved: %d, %s\n%s", code, a.split("auth"), errOut)
		}
		wantPast(t, a, "auth", fourSteps...)
	})
}

// With hold a failed gate leaves everything as it is.
func TestGateFailsAndHolds(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.judged(func(window int, _ string, _ bool) analysis.Verdict {
			if window == 2 {
				return analysis.Fail
			}
			return analysis.Pass
		})
		code, out, errOut := a.do("migrate --pause 10s --on-failure hold -o json")
		if code != 4 || a.split("auth") != "2/2" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		var list struct {
			Items []struct {
				Outcome   string
				Migration struct {
					Step  int
					State string
					Steps []struct {
						Reached       *float64
						PausedSeconds float64
						Checks        []struct{ Verdict string }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		m := list.Items[0].Migration
		if list.Items[0].Outcome != "Held" || m.Step != 2 || m.State != "Held" || *m.Steps[0].Reached != 25 || *m.Steps[1].Reached != 50 ||
			m.Steps[2].Reached != nil || m.Steps[0].PausedSeconds != 10 || m.Steps[1].Checks[0].Verdict != "Fail" || len(m.Steps[2].Checks) != 0 {
			t.Errorf("%s", out)
		}
	})
}

// With --independent each goes by itself, and the exit tells of the one that has failed.
func TestIndependent(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.release("users", 3, 1)
		a.judged(func(window int, release string, final bool) analysis.Verdict {
			switch {
			case release == "chat" && window == 2:
				return analysis.Fail
			case release == "users" && window == 3 && final:
				return analysis.Inconclusive
			}
			return analysis.Pass
		})
		code, out, errOut := a.do("migrate --pause 10s --independent")
		if code != 4 || a.split("auth") != "0/3" || a.split("chat") != "3/0" || a.split("users") != "1/3" {
			t.Errorf("%d, %s, %s, %s\n%s%s", code, a.split("auth"), a.split("chat"), a.split("users"), out, errOut)
		}
		contains(t, "stdout", out, "auth promoted")
		contains(t, "stderr", errOut, "chat: rolled back, 0%", "users: held, 75%")
		if _, record := a.record("users"); record.Migration == nil || record.Migration.Index != 2 {
			t.Errorf("%+v", record.Migration)
		}
	})
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		a.broken("chat-v2")
		code, _, errOut := a.do("migrate --pause 10s --independent --timeout 20s")
		if code != 124 || a.split("auth") != "0/3" || a.split("chat") != "3/0" {
			t.Errorf("%d, %s, %s\n%s", code, a.split("auth"), a.split("chat"), errOut)
		}
	})
}

// A canary that does not come up is a failure of the step: all go back to stable, and the exit says why.
func TestMigrateCannotComeUp(t *testing.T) {
	for mode, want := range map[string]string{"rollback": "3/0 3/0", "hold": "3/2 3/2"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 3, 1)
			a.broken("chat-v2")
			code, _, errOut := a.do("migrate --pause 10s --timeout 20s --on-failure " + mode)
			if got := a.split("auth") + " " + a.split("chat"); code != 124 || got != want {
				t.Errorf("%s: %d, %s\n%s", mode, code, got, errOut)
			}
			contains(t, "stderr", errOut, "error: chat: 1 of 2 pods of v2 serve after 20s\n")
			if holder, record := a.record("auth"); holder != "" || (record.Migration == nil) != (mode == "rollback") {
				t.Errorf("%s: held by %q, %+v", mode, holder, record.Migration)
			}
		})
	}
}

// Replicas that somebody else changes in a pause end it: nothing is moved, and the exit says who.
func TestMigrateScaledByAnother(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		time.AfterFunc(20*time.Second, func() { a.scaledBy("kubectl", "auth-v1", 5) })
		code, _, errOut := a.do("migrate --pause 1m")
		if code != 6 || a.split("auth") != "5/1" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		contains(t, "stderr", errOut, `error: replicas of deployment "auth-v1" were changed from 3 to 5 meanwhile by kubectl scale`, "auth: held, ")
	})
}
