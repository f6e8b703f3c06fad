package canary

import (
	"strings"
	"testing"
)

func TestParseCriterion(t *testing.T) {
	for text, want := range map[string]string{
		"weight=50": "weight=50", "weight=12.5%": "weight=12.5", "promoted": "phase=Promoted", "Stable": "phase=Stable",
		"phase=Promoted": "phase=Promoted", "phase=broken": "phase=Broken",
	} {
		if got, err := ParseCriterion(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "weight", "weight=", "weight=101", "phase", "phase=", "phase=Fine", "fine", "canary=50", "=stable"} {
		if got, err := ParseCriterion(text); err == nil || !strings.Contains(err.Error(), "invalid ") {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

func TestCriterion(t *testing.T) {
	asked := func(now Split, w Weight, target Split) *Release {
		rec := recorded(3, w, now)
		rec.Target = target
		return between(now.Stable, now.Canary).withRecord(rec)
	}
	locked := between(0, 3)
	locked.Lease.Holder = "ann"
	for _, tc := range []struct {
		name, criterion string
		r               *Release
		met             bool
		stands          string
	}{
		{"asked for, and there", "weight=50", asked(Split{2, 2}, 5000, Split{2, 2}), true, ""},
		{"asked for, and as near as can be", "weight=10", asked(Split{3, 1}, 1000, Split{3, 1}), true, ""},
		{"asked for, and on the way", "weight=50", asked(Split{3, 2}, 5000, Split{2, 2}), false, "its weight is 40%, and will be 50%"},
		{"asked for, and on the way within the tolerance", "weight=50", asked(Split{100, 99}, 5000, Split{99, 99}), false, "its weight is 49.75%, and will be 50%"},
		{"not asked for, and there", "weight=50", between(2, 2), true, ""},
		{"another was asked for", "weight=25", asked(Split{3, 1}, 1000, Split{3, 1}), true, ""},
		{"within a point", "weight=50", between(50, 51), true, ""},
		{"beyond a point", "weight=50", between(3, 2), false, "its weight is 40%"},
		{"almost nothing is not nothing", "weight=0", between(199, 1), false, "its weight is 0.5%"},
		{"almost all is not all", "weight=100", between(1, 199), false, "its weight is 99.5%"},
		{"all", "weight=100", between(0, 3), true, ""},
		{"nothing serves", "weight=0", between(0, 0), false, "nothing serves"},
		{"a phase", "promoted", between(0, 3), true, ""},
		{"another phase", "stable", between(0, 3), false, "it is Promoted"},
		{"at work", "promoted", locked, false, "it is Moving"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := ParseCriterion(tc.criterion)
			if err != nil {
				t.Fatal(err)
			}
			if met, stands := c.Met(tc.r); met != tc.met || !met && stands != tc.stands {
				t.Errorf("%v, %q", met, stands)
			}
		})
	}
}
