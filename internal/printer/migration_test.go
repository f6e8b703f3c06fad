package printer

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func pct(w int) *canary.Weight { v := canary.Weight(w * 100); return &v }

// migrating is a release in the pause of its second step, of which three of five minutes have passed.
func migrating(name string) canary.Release {
	r := recorded(release(name, 2, 2), 5000, canary.Split{Stable: 2, Canary: 2})
	five := canary.MillisOf(5 * time.Minute)
	r.Record.Migration = &canary.Migration{
		ID: "x", By: "jane", Began: ago(9 * time.Minute), Index: 1, Phase: canary.StepPaused, Since: ago(3 * time.Minute),
		Steps: []canary.Step{
			{Weight: 2500, Pause: five, Reached: pct(25), Took: 1500, Paused: five}, {Weight: 5000, Pause: five, Reached: pct(50), Took: 4000},
			{Weight: 7500, Pause: five}, {Weight: canary.Full},
		},
	}
	r.Lease.Holder, r.Lease.Renewed = "jane@laptop", ago(5*time.Second)
	return r
}

func TestMigrationNote(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*canary.Release, *canary.Migration)
		want   string
	}{
		"paused": {func(*canary.Release, *canary.Migration) {}, "Moving 50% (step 2/4, paused 3m of 5m, by jane)"},
		"moving": {func(_ *canary.Release, m *canary.Migration) { m.Phase = canary.StepMoving }, "Moving 50% (step 2/4, moving, by jane)"},
		"halted": {func(_ *canary.Release, m *canary.Migration) { m.Take(canary.VerbPause, ago(time.Minute)) }, "Moving 50% (step 2/4, paused by request, 2m of 5m passed, by jane)"},
		"interrupted": {func(r *canary.Release, m *canary.Migration) {
			m.Interrupt(ago(2 * time.Minute))
			r.Lease.Holder, r.Lease.Renewed = "", time.Time{}
		}, "Canary 50% (step 2/4, paused 60s of 5m, by jane, interrupted 2m ago)"},
		"killed": {func(r *canary.Release, _ *canary.Migration) {
			r.Lease.Expired, r.Lease.Renewed = true, ago(2*time.Minute)
		}, "Canary 50% (step 2/4, paused 60s of 5m, by jane, interrupted 2m ago)"},
		"waiting":  {func(_ *canary.Release, m *canary.Migration) { m.Await(noon, "") }, "Moving 50% (step 2/4, waits for an approval, by jane)"},
		"approved": {func(_ *canary.Release, m *canary.Migration) { m.Await(noon, ""); m.Approved = true }, "Moving 50% (step 2/4, approved, by jane)"},
		"held, by somebody odd": {func(_ *canary.Release, m *canary.Migration) { m.Hold(noon, "no \x1b[2Jrequests"); m.By = "ja\x1bne" },
			"Moving 50% (step 2/4, held: no ?[2Jrequests, by ja?ne)"},
	} {
		r := migrating("auth")
		tc.change(&r, r.Record.Migration)
		if got := MigrationNote(&r, noon); got != tc.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestMigrationHead(t *testing.T) {
	r := migrating("auth")
	m := r.Record.Migration
	if got, want := MigrationHead(Style{Unicode: true}, m, noon), "step 2/4  █████░░░░░  50%  paused 3m of 5m, 2m left"; got != want {
		t.Error(got)
	}
	if m.Phase = canary.StepMoving; MigrationHead(Style{}, m, noon) != "step 2/4  ###.......  50%  moving" {
		t.Error(MigrationHead(Style{}, m, noon))
	}
}

// Releases that migrate together are told of together, with the command that goes on where nobody runs it.
func TestTableOfMigrations(t *testing.T) {
	auth, chat, users := migrating("auth"), migrating("chat"), migrating("users")
	users.Record.Migration.Interrupt(ago(2 * time.Minute))
	users.Lease.Holder = ""
	var out strings.Builder
	table := Table{Style: Style{Unicode: true}, Now: noon, Command: func(next, ns string) string { return "kubectl " + next + " -n " + ns }}
	if err := table.Print(&out, []Status{{Release: auth}, {Release: chat}, {Release: users}}); err != nil {
		t.Fatal(err)
	}
	golden(t, "migrations", out.String())
}

// rolledBack is how a migration has ended that was rolled back in its second step.
func rolledBack() []Status {
	figure, stable := 5.0, 0.1
	all := []Status{{Release: migrating("auth")}, {Release: migrating("chat|x")}}
	for i := range all {
		all[i].Migration, all[i].Outcome = all[i].Release.Record.Migration, canary.RolledBack
		all[i].Checks = [][]Check{{{Check: "restarts", Verdict: "Pass", Canary: new(float64)}}, {{Check: "error-rate", Verdict: "Fail", Canary: &figure, Stable: &stable, Unit: "%"}, {Check: "latency", Verdict: "Inconclusive", Message: "3 requests|s"}}}
	}
	all[1].Migration.Steps[1].Reached = pct(60)
	return all
}

func TestMigrationSteps(t *testing.T) {
	var out strings.Builder
	if err := MigrationSteps(&out, Style{}, rolledBack()); err != nil {
		t.Fatal(err)
	}
	golden(t, "migration-steps", out.String())
	out.Reset()
	if err := MigrationSteps(&out, Style{}, []Status{{Release: release("auth", 3, 0)}}); err != nil || out.Len() > 0 {
		t.Errorf("of none: %q, %v", out.String(), err)
	}
}

func TestMigrationMarkdown(t *testing.T) {
	var out strings.Builder
	if err := MigrationMarkdown(&out, "messenger", rolledBack()); err != nil {
		t.Fatal(err)
	}
	golden(t, "migration-report", out.String())
}

func TestSchedule(t *testing.T) {
	planned := func(w canary.Weight, pause time.Duration, auth, chat canary.Target) PlannedStep {
		return PlannedStep{canary.Step{Weight: w, Pause: canary.MillisOf(pause)}, []PlannedRelease{{"auth", auth}, {"chat", chat}}}
	}
	to := func(stable, second int, reach canary.Weight) canary.Target {
		return canary.Target{Split: canary.Split{Stable: stable, Canary: second}, Reach: reach}
	}
	var out strings.Builder
	err := Schedule(&out, Style{}, []PlannedStep{
		planned(1000, time.Hour, to(3, 1, 2500), to(9, 1, 1000)), planned(5000, time.Minute, to(2, 2, 5000), to(5, 5, 5000)), planned(canary.Full, 0, to(0, 3, canary.Full), to(0, 10, canary.Full)),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "schedule", out.String())
}

func TestCheckLine(t *testing.T) {
	for unit, want := range map[string]string{"%": "x Pass 1.23% (stable 0.5%)", "s": "x Pass 1.2346s (stable 500ms)", "cores": "x Pass 1235m (stable 500m)", "bytes": "x Pass 0Mi (stable 0Mi)", "": "x Pass 1.23 (stable 0.5)"} {
		second, stable := 1.23456, 0.5
		if got := CheckLine(Check{Check: "x", Verdict: "Pass", Canary: &second, Stable: &stable, Unit: unit}); got != want {
			t.Errorf("%s: %s", unit, got)
		}
	}
}

// What is said of no release stands above them in place, and on a line of its own elsewhere.
func TestProgressOfSteps(t *testing.T) {
	var out strings.Builder
	p := &Progress{Out: &out, Style: Style{Unicode: true}, Head: func(time.Time) []string { return []string{"step 1/4"} }}
	p.Begin([]canary.Release{release("auth", 3, 1)}, noon)
	p.Say("step 1/4: to \x1b25%")
	if out.String() != "step 1/4: to ?25%\n" {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	p.Block = &Block{Out: &out, Size: func() (int, int) { return 80, 20 }}
	p.Say("nothing")
	p.Note("auth", "restarts Pass")
	p.Tick(noon.Add(time.Second), 0)
	p.Leave()
	p.Begin([]canary.Release{release("chat", 3, 1)}, noon)
	p.Tick(noon, 0)
	golden(t, "progress-steps", out.String())
}
