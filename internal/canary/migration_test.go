package canary

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func migration(t *testing.T, steps string) *Migration {
	t.Helper()
	s, err := ParseSteps(steps, 5*time.Minute, Full)
	if err != nil {
		t.Fatal(err)
	}
	return &Migration{ID: "x", By: "ann", Began: noon, Since: noon, Steps: s, Phase: StepMoving}
}

// at is a time in a test: so long after noon.
func at(s string) time.Time {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return noon.Add(d)
}

// Each line is what happens to a migration of 25,50,100 with five minutes, when, and what it then is: step, phase, what has passed.
func TestMigration(t *testing.T) {
	for name, story := range map[string]string{
		"straight": `
			1s arrive: 1/3 Paused 0s
			2m look: 1/3 Paused 1m59s
			5m look: 1/3 Paused 4m59s
			5m1s over: 1/3 Paused 5m0s
			5m1s advance: 2/3 Moving 0s
			5m3s arrive: 2/3 Paused 0s
			11m over: 2/3 Paused 5m0s
			11m advance: 3/3 Moving 0s
			11m arrive: 3/3 Paused 0s
			11m over: 3/3 Paused 0s
			11m end: 3/3 Paused 0s`,
		"interrupted in the pause": `
			0s arrive: 1/3 Paused 0s
			3m interrupt: 1/3 Paused 3m0s
			1h look: 1/3 Paused 3m0s
			1h resume: 1/3 Paused 3m0s
			1h1m look: 1/3 Paused 4m0s
			1h2m over: 1/3 Paused 5m0s`,
		"interrupted in the move": `
			10s interrupt: 1/3 Moving 0s
			1h resume: 1/3 Moving 0s
			1h arrive: 1/3 Paused 0s`,
		"killed in the pause, alive for sure until 2m30s": `
			0s arrive: 1/3 Paused 0s
			2m30s killed: 1/3 Paused 2m30s
			4m look: 1/3 Paused 4m0s
			5m over: 1/3 Paused 5m0s`,
		"killed twice": `
			0s arrive: 1/3 Paused 0s
			2m30s killed: 1/3 Paused 2m30s
			1h12m30s killed: 1/3 Paused 5m0s
			2h13m over: 1/3 Paused 5m0s`,
		"halted": `
			0s arrive: 1/3 Paused 0s
			1m pause: 1/3 Paused 1m0s
			9m look: 1/3 Paused 1m0s
			10m run: 1/3 Paused 1m0s
			14m over: 1/3 Paused 5m0s`,
		"halted in the move": `
			0s pause: 1/3 Moving 0s
			1m arrive: 1/3 Paused 0s
			9m look: 1/3 Paused 0s
			10m run: 1/3 Paused 0s
			15m over: 1/3 Paused 5m0s`,
		"halted, interrupted: resumed it runs": `
			0s arrive: 1/3 Paused 0s
			1m pause: 1/3 Paused 1m0s
			2m interrupt: 1/3 Paused 1m0s
			3m resume: 1/3 Paused 1m0s
			7m over: 1/3 Paused 5m0s`,
		"held, and watched again": `
			0s arrive: 1/3 Paused 0s
			5m hold: 1/3 Held 5m0s
			5m interrupt: 1/3 Held 5m0s
			9m resume: 1/3 Paused 0s`,
		"held, and approved": `
			0s arrive: 1/3 Paused 0s
			5m hold: 1/3 Held 5m0s
			5m interrupt: 1/3 Held 5m0s
			8m approve: 1/3 Held 5m0s
			9m resume: 2/3 Moving 0s`,
		"waits for an approval": `
			0s arrive: 1/3 Paused 0s
			5m await: 1/3 Approval 5m0s
			6m interrupt: 1/3 Approval 5m0s
			7m resume: 1/3 Approval 5m0s
			8m approve: 1/3 Approval 5m0s
			8m advance: 2/3 Moving 0s`,
	} {
		t.Run(name, func(t *testing.T) {
			m := migration(t, "25,50,100")
			for _, line := range strings.Split(strings.TrimSpace(story), "\n") {
				act, want, _ := strings.Cut(strings.TrimSpace(line), ": ")
				when, what, _ := strings.Cut(act, " ")
				now, over := at(when), false
				switch what {
				case "arrive":
					m.Arrive(now, time.Second)
				case "advance":
					over = !m.Advance(now)
				case "end":
					over = m.Advance(now)
				case "over":
					over = !m.Over(now)
				case "look":
					over = m.Over(now)
				case "interrupt":
					m.Interrupt(now)
				case "resume":
					over = !m.Resume(now, time.Time{}, "joe")
				case "killed":
					over = !m.Resume(now, now, "joe")
				case "hold":
					m.Hold(now, "no requests")
				case "await":
					m.Await(now, "")
				case "pause", "approve":
					m.Take(Verb(what), now)
				case "run":
					m.Take(VerbResume, now)
				default:
					t.Fatal(line)
				}
				if got := m.Place() + " " + string(m.Phase) + " " + m.Passed(now).String(); got != want || over {
					t.Fatalf("%s: %s, %v", line, got, over)
				}
				if !m.Sane() {
					t.Fatalf("%s: %+v is not sane", line, m)
				}
			}
		})
	}
}

// What passes while its runner is away does not count, however long that was, and whoever is killed loses no more than what
// was not renewed.
func TestResumeAfterAKill(t *testing.T) {
	m := migration(t, "25,100")
	m.Arrive(at("0s"), 0)
	if m.Resume(at("1h"), at("90s"), "joe"); m.Passed(at("1h")) != 90*time.Second || m.By != "joe" || m.Step().Paused != MillisOf(90*time.Second) {
		t.Errorf("%+v", m)
	}
	m.Phase, m.Approved = StepHeld, true
	m.Index = 1
	if m.Resume(at("1h"), at("1h"), "joe") {
		t.Error("an approval of the last step leaves nothing to do")
	}
}

func TestWants(t *testing.T) {
	m := migration(t, "25,100")
	if m.Wants() {
		t.Error("nobody asked for approvals")
	}
	m.Approve = true
	if !m.Wants() {
		t.Error("it has to wait")
	}
	if m.Take(VerbApprove, noon); m.Wants() {
		t.Error("it is approved")
	}
	if m.Advance(noon); m.Wants() || m.Approved {
		t.Error("after the last step nothing comes")
	}
}

func TestRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		state func(*Migration)
		verbs string // what makes sense: of who runs it, and of one that is not run
	}{
		{"moving", func(*Migration) {}, "pause abort / abort"},
		{"moving, with approvals", func(m *Migration) { m.Approve = true }, "pause approve abort / abort"},
		{"halted", func(m *Migration) { m.Halted = true }, "resume abort / abort"},
		{"held", func(m *Migration) { m.Phase = StepHeld }, "pause approve abort / approve abort"},
		{"waiting", func(m *Migration) { m.Approve, m.Phase = true, StepApproval }, "pause approve abort / approve abort"},
		{"approved", func(m *Migration) { m.Approve, m.Approved, m.Phase = true, true, StepApproval }, "pause abort / abort"},
	} {
		m := migration(t, "25,100")
		tc.state(m)
		var words []string
		for _, running := range []bool{true, false} {
			for _, v := range []Verb{VerbPause, VerbResume, VerbApprove, VerbAbort} {
				if m.Refuses(v, running) == nil {
					words = append(words, string(v))
				}
			}
			words = append(words, "/")
		}
		if got := strings.Join(words[:len(words)-1], " "); got != tc.verbs {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
}

// A runner that was killed between two writes leaves releases at two places.
func TestJoint(t *testing.T) {
	a, b, c := migration(t, "25,50,100"), migration(t, "25,50,100"), migration(t, "25,50,100")
	a.Arrive(noon, 0)
	a.Advance(noon)
	b.Arrive(noon, 0)
	if m := Joint([]*Migration{b, a}); m.Index != 1 || m.Phase != StepMoving {
		t.Errorf("one is a step further: %+v", m)
	}
	if m := Joint([]*Migration{b, c}); m.Phase != StepMoving {
		t.Errorf("one has not arrived: %+v", m)
	}
	c.Arrive(noon, 0)
	c.Elapsed, b.Elapsed = 5, 7
	if m := Joint([]*Migration{b, c}); m.Elapsed != 5 {
		t.Errorf("of two pauses the longer counts: %+v", m)
	}
	m := Joint([]*Migration{b})
	if m.Step().Took = 9; b.Steps[0].Took == 9 {
		t.Error("it shares its steps")
	}
}

// What a record says has to be possible: nothing else is wary of it.
func TestSaneMigration(t *testing.T) {
	for name, breaks := range map[string]func(*Migration){
		"no steps": func(m *Migration) { m.Steps = nil }, "an index below": func(m *Migration) { m.Index = -1 }, "an index beyond": func(m *Migration) { m.Index = 3 },
		"no phase": func(m *Migration) { m.Phase = "" }, "a step to 0": func(m *Migration) { m.Steps[0].Weight = 0 },
		"steps that fall": func(m *Migration) { m.Steps[1].Weight = 2500 }, "a negative pause": func(m *Migration) { m.Steps[1].Pause = -1 },
		"a pause for ever": func(m *Migration) { m.Steps[1].Pause = 1 << 60 }, "negative": func(m *Migration) { m.Elapsed = -1 },
		"took less than nothing": func(m *Migration) { m.Steps[1].Took = -1 }, "many steps": func(m *Migration) { m.Steps = make([]Step, maxSteps+1) },
	} {
		m := migration(t, "25,50,100")
		if !m.Sane() {
			t.Fatal("it is not sane as it is")
		}
		if breaks(m); m.Sane() {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// A pause holds the lock and writes nothing: whoever takes it over need not wait, and is told what it is.
func TestLeaseOfAMigration(t *testing.T) {
	m := migration(t, "25,50,100")
	l := Lease{Holder: "ann@host", Since: noon, Record: &Record{Migration: m}}
	if e := l.LockedBy("auth", noon); !l.Baking() || e.Command != "migrate (step 1/3)" {
		t.Errorf("baking %v, %v", l.Baking(), e)
	}
	l.Record.Move = &Move{Command: "migrate (step 1/3)"}
	if l.Baking() {
		t.Error("in its move it writes")
	}
}

func TestMigrationJSON(t *testing.T) {
	m := migration(t, "25@1s,100")
	m.Args = []string{"drain=0s", "probe=/a", "probe=/b"}
	b, err := json.Marshal(m)
	if err != nil || !strings.Contains(string(b), `"steps":[{"weight":25,"pause":1000},{"weight":100}]`) {
		t.Errorf("%s, %v", b, err)
	}
	if got := m.Arg("probe"); len(got) != 2 || got[1] != "/b" || m.Arg("pro") != nil {
		t.Errorf("%q", got)
	}
}

// Whatever a Lease says, what is taken for sane can be gone through without harm.
func FuzzMigration(f *testing.F) {
	f.Add(`{"schema":1,"migration":{"steps":[{"weight":25,"pause":1000},{"weight":100}],"phase":"Paused","elapsed":5}}`, int64(5))
	f.Add(`{"schema":1,"migration":{"steps":[{"weight":100}],"index":1,"phase":"Held"}}`, int64(-5))
	f.Fuzz(func(t *testing.T, text string, later int64) {
		var r Record
		if json.Unmarshal([]byte(text), &r) != nil || !r.Migration.Sane() || r.Migration == nil {
			return
		}
		m, now := r.Migration, noon.Add(time.Duration(later))
		for _, v := range []Verb{VerbPause, VerbResume, VerbApprove} {
			if m.Refuses(v, true) == nil {
				m.Take(v, now)
			}
		}
		for range maxSteps + 1 {
			if passed := m.Passed(now); passed < 0 || passed > m.Step().Pause.Duration() {
				t.Fatalf("%s of %s have passed", passed, m.Step().Pause.Duration())
			}
			m.Interrupt(now)
			if !m.Resume(now, now, "joe") || !m.Advance(now) {
				return
			}
		}
		t.Fatal("it has no end")
	})
}

// Two that approve of a step at once approve of no step that nobody has seen.
func TestApprovalIsOfOneStep(t *testing.T) {
	m := Migration{Steps: []Step{{Weight: 2500}, {Weight: 5000}, {Weight: Full}}, Phase: StepApproval, Approve: true}
	q := Request{Verb: VerbApprove, By: "jane"}
	if !m.Takes(q) {
		t.Error("the first is not taken")
	}
	m.Take(q.Verb, time.Time{})
	m.Advance(time.Time{})
	if m.Takes(q) || !m.Takes(Request{Verb: VerbApprove, Step: 1}) || !m.Takes(Request{Verb: VerbPause}) {
		t.Error("the second is of the step before")
	}
}
