package canary

import (
	"strings"
	"testing"
	"time"
)

func TestParseSteps(t *testing.T) {
	for _, tc := range []struct{ steps, pause, to, want string }{
		{"25,50,75,100", "5m", "100", "25@5m0s,50@5m0s,75@5m0s,100"},
		{"25@10m,50@30m,100", "5m", "100", "25@10m0s,50@30m0s,100"},
		{"25,100@1h", "5m", "100", "25@5m0s,100@1h0m0s"},
		{"12.5,100", "0s", "100", "12.5,100"},
		{" 25 , 50% ", "1s", "100", "25@1s,50"},
		{"25,50,100", "5m", "50", "25@5m0s,50"},
		{"25,50@2m,100", "5m", "50", "25@5m0s,50@2m0s"},
		{"25,50,100", "5m", "60", "25@5m0s,50@5m0s,60"},
		{"25,50", "5m", "10", "10"},
		{"25@1500us,100", "5m", "100", "25@1ms,100"},
	} {
		pause, _ := time.ParseDuration(tc.pause)
		to, _ := ParseWeight(tc.to)
		steps, err := ParseSteps(tc.steps, pause, to)
		if err != nil || Schedule(steps) != tc.want {
			t.Errorf("%q to %s: %q, %v", tc.steps, tc.to, Schedule(steps), err)
		}
	}
	if steps, _ := ParseSteps("25@10m,50@30m,100", time.Minute, Full); Pauses(steps) != 40*time.Minute {
		t.Errorf("the pauses are %s", Pauses(steps))
	}
}

func TestBadSteps(t *testing.T) {
	for steps, want := range map[string]string{
		"": "invalid step", "25,,50": "invalid step", "0,50": "above 0", "101": "invalid step", "x": "invalid step", "25.123": "two decimals",
		"50,25": "weights must rise", "25,25": "25% comes after 25%", "25@": "invalid pause", "25@5": "invalid pause", "25@-1s": "invalid pause",
		"25@800h": "invalid pause", "-5": "invalid step", strings.TrimPrefix(manySteps(), ","): "at most 100",
	} {
		if got, err := ParseSteps(steps, time.Minute, Full); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v", steps, got, err)
		}
	}
	if _, err := ParseSteps("25", -time.Second, Full); err == nil {
		t.Error("a negative pause")
	}
	if _, err := ParseSteps("25", 0, None); err == nil {
		t.Error("a schedule to 0")
	}
}

func manySteps() string {
	var s strings.Builder
	for w := Weight(1); w <= 101; w++ {
		s.WriteString("," + w.String())
	}
	return s.String()
}

func TestSame(t *testing.T) {
	parse := func(s string) []Step {
		steps, err := ParseSteps(s, time.Minute, Full)
		if err != nil {
			t.Fatal(err)
		}
		return steps
	}
	done := parse("25,100")
	done[0].Took, done[0].Reached = 3, ptr(Weight(2500))
	for s, want := range map[string]bool{"25,100": true, "25@1m,100": true, "25@2m,100": false, "25,50,100": false, "30,100": false} {
		if Same(parse(s), done) != want {
			t.Errorf("%q is the same: %v", s, !want)
		}
	}
}

func TestFirstStep(t *testing.T) {
	steps, _ := ParseSteps("25,50,100", 0, Full)
	for at, want := range map[Weight]int{0: 0, 2000: 0, 2500: 0, 2501: 1, 5000: 1, 9999: 2, Full: 2} {
		if got := FirstStep(steps, at); got != want {
			t.Errorf("from %s: %d", at, got)
		}
	}
	if short, _ := ParseSteps("25,50", 0, Full); FirstStep(short, Full) != 1 {
		t.Error("beyond the end")
	}
}

func FuzzParseSteps(f *testing.F) {
	for _, s := range []string{"25,50,75,100", "25@10m,50@30m,100", "0", "12.5@1h30m", "@", ",", "25@5m@6m", "1e3", "100%@1ns"} {
		f.Add(s, int64(time.Minute), 10000)
	}
	f.Fuzz(func(t *testing.T, s string, pause int64, to int) {
		steps, err := ParseSteps(s, time.Duration(pause), Weight(to&8191))
		if err != nil {
			return
		}
		m := Migration{Steps: steps, Phase: StepMoving}
		if !m.Sane() {
			t.Fatalf("%q makes %+v", s, steps)
		}
		if again, err := ParseSteps(Schedule(steps), 0, Full); err != nil || !Same(again, steps) {
			t.Fatalf("%q is written as %q: %v", s, Schedule(steps), err)
		}
	})
}
