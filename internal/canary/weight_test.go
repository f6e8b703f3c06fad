package canary

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseWeight(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Weight
	}{
		{"0", 0}, {"1", 100}, {"25", 2500}, {"25%", 2500}, {"12.5", 1250}, {"12.50%", 1250}, {"0.01", 1},
		{"99.99", 9999}, {"100", Full}, {"100.00", Full}, {"007", 700},
	} {
		if got, err := ParseWeight(tc.in); err != nil || got != tc.want {
			t.Errorf("ParseWeight(%q) = %d, %v; want %d", tc.in, got, err, tc.want)
		}
	}
	for _, in := range []string{
		"", "%", ".5", "5.", "5.%", "-1", "+1", "100.01", "101", "1.234", "1e2", "1,5", " 1", "1 ", "25%%", "½", "٣", "0x10", "NaN",
		"99999999999999999999",
	} {
		if got, err := ParseWeight(in); err == nil {
			t.Errorf("ParseWeight(%q) = %d, want an error", in, got)
		} else if !strings.Contains(err.Error(), "from 0 to 100") {
			t.Errorf("ParseWeight(%q): %v: does not say what is wanted", in, err)
		}
	}
}

func TestWeightString(t *testing.T) {
	for w, want := range map[Weight]string{0: "0", 1: "0.01", 10: "0.1", 100: "1", 1000: "10", 1250: "12.5", 3333: "33.33", 9999: "99.99", Full: "100"} {
		if got := w.String(); got != want {
			t.Errorf("Weight(%d) prints %s, want %s", int(w), got, want)
		}
	}
}

// What is printed can be read back, by us and by anybody's JSON parser, as a number.
func TestWeightRoundTrip(t *testing.T) {
	for w := None; w <= Full; w++ {
		if got, err := ParseWeight(w.String()); err != nil || got != w {
			t.Fatalf("ParseWeight(%q) = %d, %v", w, got, err)
		}
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		var got Weight
		if err := json.Unmarshal(b, &got); err != nil || got != w {
			t.Fatalf("%s came back as %d, %v", b, got, err)
		}
	}
	var w Weight
	if err := json.Unmarshal([]byte(`"25"`), &w); err == nil {
		t.Error("a string was read as a weight")
	}
}

func TestShare(t *testing.T) {
	if w, ok := Share(0, 0); ok {
		t.Errorf("a share of nothing is %s, want none", w)
	}
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.IntRange(1, 5000).Draw(t, "whole")
		part := rapid.IntRange(0, whole).Draw(t, "part")
		got, ok := Share(part, whole)
		// Rounded half up: got − ½ <= exact < got + ½, in hundredths of a percent.
		exact := big.NewRat(int64(part)*int64(Full), int64(whole))
		low, high := big.NewRat(2*int64(got)-1, 2), big.NewRat(2*int64(got)+1, 2)
		if !ok || exact.Cmp(low) < 0 || exact.Cmp(high) >= 0 {
			t.Fatalf("Share(%d, %d) = %d, %v", part, whole, int(got), ok)
		}
	})
}

func TestAmount(t *testing.T) {
	for _, tc := range []struct {
		in               string
		baseline         int
		wantUp, wantDown int
	}{
		{"0", 10, 0, 0}, {"2", 10, 2, 2}, {"3", 1, 3, 3},
		{"0%", 10, 0, 0}, {"25%", 3, 1, 0}, {"25%", 4, 1, 1}, {"25%", 5, 2, 1}, {"1%", 1, 1, 0},
		{"25%", 0, 0, 0}, {"100%", 7, 7, 7}, {"150%", 3, 5, 4},
	} {
		a, err := ParseAmount(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if up, down := a.Up(tc.baseline), a.Down(tc.baseline); up != tc.wantUp || down != tc.wantDown {
			t.Errorf("%s of %d: up %d, down %d; want %d, %d", tc.in, tc.baseline, up, down, tc.wantUp, tc.wantDown)
		}
		if a.String() != tc.in {
			t.Errorf("%q prints %q", tc.in, a)
		}
	}
	if got := Percent(25).String(); got != "25%" {
		t.Errorf("Percent(25) prints %s", got)
	}
	for _, in := range []string{"", "%", "-1", "+1", "1.5", "25%%", "1000000", "99999999999999999999", "a"} {
		if a, err := ParseAmount(in); err == nil {
			t.Errorf("ParseAmount(%q) = %v, want an error", in, a)
		}
	}
}

func FuzzParseWeight(f *testing.F) {
	for _, s := range []string{"25", "12.5%", "100.00", "", "-0", "1.2.3", "\x00%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWeight(s)
		if err != nil {
			return
		}
		if w < None || w > Full {
			t.Fatalf("ParseWeight(%q) = %d: out of range", s, int(w))
		}
		if again, err := ParseWeight(w.String()); err != nil || again != w {
			t.Fatalf("ParseWeight(%q) = %d, which prints as %q", s, int(w), w)
		}
	})
}
