package plugin

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// ended is how a command in the background has ended.
type ended struct {
	code        int
	out, errOut string
}

// begin runs a command in the background, until it ends or is interrupted.
func (a *api) begin(line string) (interrupt func(), end chan ended) {
	ctx, stop := interruptible(a.t)
	end = make(chan ended, 1)
	go func() {
		code, out, errOut := a.run(ctx, line+" -n "+ns)
		end <- ended{code, out, errOut}
	}()
	return stop, end
}

// Interrupted at any moment and resumed, a migration ends where it was to, no step is done twice, and the pauses are in all as
// long as was asked.
func TestInterruptAndResume(t *testing.T) {
	for after := time.Duration(0); after < 45*time.Second; after += 1500 * time.Millisecond {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 3, 1)
			interrupt, end := a.begin("migrate --pause 10s")
			time.Sleep(after)
			interrupt()
			first := <-end
			if first.code == 0 {
				return
			}
			if first.code != 130 {
				t.Fatalf("after %s: %d\n%s", after, first.code, first.errOut)
			}
			if holder, _ := a.record("auth"); holder != "" {
				t.Errorf("after %s: %s holds the lock", after, holder)
			}
			time.Sleep(time.Hour)
			line := "migrate --pause 10s"
			if int(after/time.Second)%2 == 0 {
				line = "migrate --resume"
			}
			_, record := a.record("auth")
			if a.split("auth") == "0/3" && record.Migration == nil {
				contains(t, "stderr", first.errOut, "error: interrupted, after all was done\n")
				wantPast(t, a, "chat", fourSteps...)
				return
			}
			if record.Migration == nil { // nothing was written
				line = "migrate --pause 10s"
			}
			code, out, errOut := a.do(line + " -o json")
			if code != 0 || a.split("auth") != "0/3" || a.split("chat") != "0/3" {
				t.Fatalf("after %s: %d, %s, %s\n%s%s", after, code, a.split("auth"), a.split("chat"), first.errOut, errOut)
			}
			done := 0
			for _, c := range a.past("chat") {
				if strings.HasSuffix(c, " Done") {
					if want := fmt.Sprintf("migrate (step %d/4)", done+1); !strings.HasPrefix(c, want) {
						t.Errorf("after %s: %q", after, a.past("chat"))
					}
					done++
				}
			}
			if sum := strings.Count(out, `"pausedSeconds": 10,`); done != 4 || sum != 6 {
				t.Errorf("after %s: %d steps, %d pauses\n%s\n%s", after, done, sum, first.errOut, out)
			}
		})
	}
}

// A signal in a pause: the release of the locks is the only write, and it has how much has passed.
func TestInterruptInAPause(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		interrupt, end := a.begin("migrate --pause 1m")
		time.Sleep(25 * time.Second) // not when the lock is renewed
		n := len(a.writes())
		interrupt()
		e := <-end
		if after := a.writes()[n:]; e.code != 130 || len(after) != 1 || !strings.Contains(after[0], "leases") {
			t.Errorf("%d, %q", e.code, after)
		}
		contains(t, "stderr", e.errOut, "error: interrupted\nauth: stopped, 25% (v1 3/3, v2 1/1), step 1/4, paused 25s of 60s\n",
			"to go on:      kubectl canary migrate --resume -n messenger", "to roll back:  kubectl canary rollback -n messenger")
		time.Sleep(2 * time.Minute)
		_, out, _ := a.do("status")
		contains(t, "status", out, "auth: Canary 25% (step 1/4, paused 25s of 60s, by jane, interrupted 2m ago)\n")
		if code, out, _ := a.do("status -o json"); code != 0 || !strings.Contains(out, `"passedSeconds": 25,`) {
			t.Errorf("%s", out)
		}
	})
}

// What was killed goes on with what has surely passed of its pause, once its locks have run out.
func TestKilledAndResumed(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan int)
		go func() {
			code, _, _ := a.run(ctx, "migrate --pause 1m -n "+ns)
			done <- code
		}()
		time.Sleep(35 * time.Second)
		a.refuse = forbid("PUT") // it cannot say goodbye
		cancel()
		<-done
		a.refuse = nil
		if code, _, errOut := a.do("migrate --resume"); code != 6 || !strings.Contains(errOut, "(`migrate (step 1/4)`") || !strings.Contains(errOut, "its lock runs out in") {
			t.Errorf("at once: %d\n%s", code, errOut)
		}
		time.Sleep(time.Hour)
		_, out, _ := a.do("status")
		contains(t, "status", out, "auth: Canary 25% (step 1/4, paused 30s of 60s, by jane, interrupted 60m ago)\n")
		began := time.Now()
		code, _, errOut := a.do("migrate --resume --to 100 --steps 25,50,75,100 --pause 1m")
		if code != 0 || a.split("auth") != "0/3" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		contains(t, "stderr", errOut, "step 1/4: pausing, 30s left\n")
		within(t, "the rest", time.Since(began), 150*time.Second, 20*time.Second)
		wantPast(t, a, "auth", fourSteps...)
	})
}

// One schedule at a time: another is refused, with what goes on and what ends the one that is there.
func TestAnotherSchedule(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		interrupt, end := a.begin("migrate auth --pause 1m --drain 5s")
		time.Sleep(20 * time.Second)
		interrupt()
		<-end
		for _, line := range []string{"migrate auth", "migrate auth --resume --pause 2m", "migrate auth --pause 1m --approve", "migrate"} {
			n := len(a.writes())
			code, _, errOut := a.do(line)
			if code != 1 || len(a.writes()) != n || !strings.Contains(errOut, "error: auth: a migration by jane (--steps 25@1m0s,50@1m0s,75@1m0s,100) was interrupted at step 1/4: go on with it, or end it\n  kubectl canary migrate") {
				t.Errorf("%s: %d\n%s", line, code, errOut)
			}
		}
		if code, _, errOut := a.do("migrate chat --resume"); code != 1 || !strings.Contains(errOut, "no migration") {
			t.Errorf("chat: %d\n%s", code, errOut)
		}
		if _, record := a.record("auth"); strings.Join(record.Migration.Args, " ") != "drain=5s" {
			t.Errorf("%q", record.Migration.Args)
		}
	})
}

// Any other move ends a migration, one that has nothing to move too.
func TestMovesEndAMigration(t *testing.T) {
	for _, line := range []string{"rollback", "promote", "shift --to 25", "shift --to 50", "abort"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			interrupt, end := a.begin("migrate --pause 1m")
			time.Sleep(20 * time.Second)
			interrupt()
			<-end
			code, _, errOut := a.do(line)
			holder, record := a.record("auth")
			if code != 0 || holder != "" || record.Migration != nil || record.Move != nil {
				t.Errorf("%s: %d, held by %q, %+v\n%s", line, code, holder, record.Migration, errOut)
			}
			if line == "abort" && a.split("auth") != "3/0" {
				t.Errorf("abort: %s", a.split("auth"))
			}
		})
	}
}

// A rollback in a pause takes the locks at once, and the migration ends with who did it.
func TestRollbackEndsARunningMigration(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		_, end := a.begin("migrate --pause 1m")
		time.Sleep(20 * time.Second)
		began := time.Now()
		if code, _, errOut := a.do("rollback auth --settle 0s"); code != 0 || a.split("auth") != "3/0" {
			t.Errorf("%d, %s\n%s", code, a.split("auth"), errOut)
		}
		within(t, "the rollback", time.Since(began), 0, 1500*time.Millisecond)
		e := <-end
		within(t, "and the end of the migration", time.Since(began), 0, 2*time.Second)
		if e.code != 6 || !strings.Contains(e.errOut, `error: release "auth" was taken over by jane@`) || a.split("chat") != "3/1" {
			t.Errorf("%d\n%s", e.code, e.errOut)
		}
		if _, record := a.record("chat"); record.Migration == nil || record.Migration.Interrupted == nil {
			t.Errorf("chat: %+v", record.Migration)
		}
	})
}

// Another terminal stops the clock, lets it run on, approves and aborts; each is taken at once.
func TestControl(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		began := time.Now()
		_, end := a.begin("migrate --pause 1m")
		time.Sleep(20 * time.Second)
		for _, step := range []struct {
			line, out, status string
			sleep             time.Duration
		}{
			{"pause", "auth, chat: paused at step 1/4\n", "auth, chat: Moving 25% (step 1/4, paused by request, 20s of 60s passed, by jane)\n", 10 * time.Minute},
			{"resume chat", "auth, chat: resumed at step 1/4\n", "auth, chat: Moving 25% (step 1/4, paused 20s of 60s, by jane)\n", 45 * time.Second},
		} {
			asked := time.Now()
			if code, out, errOut := a.do(step.line); code != 0 || out != step.out {
				t.Errorf("%s: %d, %s%s", step.line, code, out, errOut)
			}
			within(t, step.line, time.Since(asked), 0, time.Second)
			_, out, _ := a.do("status")
			contains(t, "status after "+step.line, out, step.status)
			time.Sleep(step.sleep)
		}
		if got := a.split("auth"); got != "2/2" {
			t.Errorf("after its pause it is at %s", got)
		}
		if code, out, errOut := a.do("abort auth"); code != 0 || out != "auth, chat: aborted at step 2/4\n" {
			t.Errorf("abort: %d, %s%s", code, out, errOut)
		}
		e := <-end
		if e.code != 1 || a.split("auth") != "3/0" || a.split("chat") != "3/0" || !strings.Contains(e.errOut, "error: aborted by jane\n") {
			t.Errorf("%d, %s, %s\n%s", e.code, a.split("auth"), a.split("chat"), e.errOut)
		}
		contains(t, "stderr", e.errOut, "step 1/4: pause, says jane\n", "step 1/4: resume, says jane\n", "chat: rolled back, 0%")
		within(t, "it", time.Since(began), 11*time.Minute, time.Minute)
		if _, record := a.record("auth"); record.Migration != nil || record.Last().Outcome != canary.Done {
			t.Errorf("%+v", record)
		}
	})
}

// A request while a step moves: pause and resume are taken, and an abort ends the move.
func TestControlOfAMove(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.broken("auth-v2")
		_, end := a.begin("migrate --steps 50,100 --pause 1m")
		time.Sleep(20 * time.Second)
		if code, out, errOut := a.do("pause"); code != 0 {
			t.Errorf("%d, %s%s", code, out, errOut)
		}
		_, record := a.record("auth")
		if m := record.Migration; record.Move == nil || !m.Halted || m.Phase != canary.StepMoving {
			t.Errorf("%+v", m)
		}
		if code, _, errOut := a.do("abort"); code != 0 {
			t.Errorf("%d, %s", code, errOut)
		}
		if e := <-end; e.code != 1 || a.split("auth") != "3/0" {
			t.Errorf("%d, %s\n%s", e.code, a.split("auth"), e.errOut)
		}
	})
}

// Each step waits for an approval, given in time or before its pause is over.
func TestApprove(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		_, end := a.begin("migrate --pause 1m --approve")
		time.Sleep(5 * time.Minute)
		_, out, _ := a.do("status")
		contains(t, "status", out, "auth: Moving 25% (step 1/4, waits for an approval, by jane)\n")
		for _, want := range []string{"2/2", "1/3"} { // the second before its pause is over
			if code, out, errOut := a.do("approve"); code != 0 {
				t.Errorf("%d, %s%s", code, out, errOut)
			}
			time.Sleep(10 * time.Second)
			if want == "2/2" && a.split("auth") != want {
				t.Errorf("approved: it is at %s", a.split("auth"))
			}
		}
		if code, _, errOut := a.do("approve"); code != 1 || !strings.Contains(errOut, "error: auth: step 2/4 is approved already\n") {
			t.Errorf("twice: %d, %s", code, errOut)
		}
		if a.split("auth") != "2/2" {
			t.Error("an approval ends no pause")
		}
		time.Sleep(time.Minute)
		if a.split("auth") != "1/3" {
			t.Errorf("approved in advance: it is at %s", a.split("auth"))
		}
		time.Sleep(time.Hour)
		if code, _, _ := a.do("approve"); code != 0 {
			t.Error("the third")
		}
		e := <-end
		if e.code != 0 || a.split("auth") != "0/3" {
			t.Errorf("%d, %s\n%s", e.code, a.split("auth"), e.errOut)
		}
		contains(t, "stderr", e.errOut, "step 1/4: waits for an approval; run: kubectl canary approve -n messenger", "step 1/4: approve, says jane\n")
	})
}

// What makes no sense is said at once, with what does.
func TestControlOfNothing(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		if code, _, errOut := a.do("pause"); code != 1 || errOut != "error: nothing migrates in namespace \"messenger\"\n" {
			t.Errorf("%d, %s", code, errOut)
		}
		interrupt, end := a.begin("migrate --pause 1m")
		time.Sleep(20 * time.Second)
		for line, want := range map[string]string{
			"resume": "error: auth: it is not paused by anyone, at step 1/4\n  kubectl canary status -n messenger", "approve": "does not wait for an approval", "pause chat": `"chat" not found`,
		} {
			if code, _, errOut := a.do(line); code != 1 || !strings.Contains(errOut, want) {
				t.Errorf("%s: %d, %s", line, code, errOut)
			}
		}
		interrupt()
		<-end
		for _, line := range []string{"pause", "resume"} {
			if code, _, errOut := a.do(line); code != 1 || !strings.Contains(errOut, "error: auth: nobody runs the migration: it was interrupted\n  kubectl canary migrate --resume -n messenger") {
				t.Errorf("%s: %d, %s", line, code, errOut)
			}
		}
	})
}

// Without Leases it goes through its steps, and says once what that costs.
func TestMigrateWithoutLeases(t *testing.T) {
	for _, text := range []string{"/leases", "POST /apis/coordination"} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.refuse = forbid(text)
			code, _, errOut := a.do("migrate --pause 10s")
			if code != 0 || a.split("auth") != "0/4" || strings.Count(errOut, "neither be resumed") != 1 {
				t.Errorf("%s: %d, %s\n%s", text, code, a.split("auth"), errOut)
			}
		})
	}
}
