package canary

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// defaults is the arithmetic that a command without flags uses.
func defaults(baseline int) Arithmetic {
	return Arithmetic{Baseline: baseline, Surge: max(1, Percent(25).Up(baseline)), Tolerance: 100}
}

func TestSplit(t *testing.T) {
	exposed := defaults(3)
	exposed.Others = 2
	for _, tc := range []struct {
		name  string
		arith Arithmetic
		want  string // weight=stable/canary …
	}{
		{"the table of the design", defaults(3), "0=3/0 10=3/1 25=3/1 33=2/1 50=2/2 75=1/3 100=0/3"},
		{"one pod", defaults(1), "0=1/0 1=1/1 50=1/1 99=1/1 100=0/1"},
		{"two pods", defaults(2), "0=2/0 1=2/1 34=2/1 50=1/1 67=1/2 99=1/2 100=0/2"},
		{"ten pods", defaults(10), "0=10/0 1=12/1 10=9/1 12.5=9/1 25=9/3 50=5/5 90=1/9 99=1/12 100=0/10"},
		{"a hundred pods", defaults(100), "0=100/0 1=99/1 12.5=88/12 50=50/50 99.5=1/99 100=0/100"},
		{"no surge keeps the total", Arithmetic{Baseline: 4, Tolerance: 100}, "0=4/0 1=3/1 25=3/1 40=2/2 60=2/2 99=1/3 100=0/4"},
		{"others count in the share", exposed, "0=3/0 20=2/1 50=1/3 40=1/2 100=0/3"},
		{"tie: the smaller canary", Arithmetic{Baseline: 3}, "50=2/1"},
		{"tie: the smaller total", Arithmetic{Baseline: 4, Surge: 4}, "25=3/1 50=2/2"},
		// 22.5 % is as far from 1 of 4 as from 1 of 5.
		{"tie of totals beyond the tolerance: the smaller", Arithmetic{Baseline: 4, Surge: 1}, "22.49=4/1 22.5=3/1 22.51=3/1"},
		{"within the tolerance the smallest total", Arithmetic{Baseline: 3, Surge: 30, Tolerance: 100}, "34=2/1 35=9/5"},
		{"no tolerance", Arithmetic{Baseline: 3, Surge: 30}, "34=21/11 35=13/7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for pair := range strings.SplitSeq(tc.want, " ") {
				asked, _, _ := strings.Cut(pair, "=")
				w, err := ParseWeight(asked)
				if err != nil {
					t.Fatal(err)
				}
				s, err := tc.arith.Split(w)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s=%s", w, s))
			}
			if got := strings.Join(got, " "); got != tc.want {
				t.Errorf("\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		arith Arithmetic
		w     Weight
		want  string
	}{
		{"no baseline", Arithmetic{Surge: 1}, 5000, "the baseline is 0 replicas: say how many with --replicas"},
		{"a negative baseline", Arithmetic{Baseline: -1}, Full, "the baseline is -1 replicas: say how many with --replicas"},
		{"one pod without a second", Arithmetic{Baseline: 1}, 1250, "12.5% needs two pods, and the baseline is 1 with no surge: allow one with --max-surge 1"},
		{"exact names the number", Arithmetic{Baseline: 3, Exact: true}, 3300, "33% exactly needs 100 pods, more than the 12 allowed: raise --max-total, or leave out --exact"},
		{"exact within a given limit", Arithmetic{Baseline: 3, Exact: true, MaxTotal: 7}, 1250, "12.5% exactly needs 8 pods, more than the 7 allowed: raise --max-total, or leave out --exact"},
		{"exact beside too many others", Arithmetic{Baseline: 3, Exact: true, Others: 50000}, 9999, "99.99% cannot be reached exactly beside 50000 other endpoints"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if s, err := tc.arith.Split(tc.w); err == nil || err.Error() != tc.want {
				t.Errorf("got %s, %v\nwant %s", s, err, tc.want)
			}
		})
	}
	// At rest one pod needs no second.
	for _, w := range []Weight{None, Full} {
		if s, err := (Arithmetic{Baseline: 1}).Split(w); err != nil || s.Total() != 1 {
			t.Errorf("%s%% of one pod: %s, %v", w, s, err)
		}
	}
}

func TestExactSplit(t *testing.T) {
	for _, tc := range []struct {
		arith Arithmetic
		w     string
		want  string
	}{
		{Arithmetic{Baseline: 1}, "50", "1/1"},
		{Arithmetic{Baseline: 2}, "50", "1/1"},
		{Arithmetic{Baseline: 3}, "50", "2/2"},
		{Arithmetic{Baseline: 3}, "25", "3/1"},
		{Arithmetic{Baseline: 3}, "75", "1/3"},
		{Arithmetic{Baseline: 3}, "12.5", "7/1"},
		{Arithmetic{Baseline: 3}, "10", "9/1"},
		{Arithmetic{Baseline: 25}, "33", "67/33"},
		{Arithmetic{Baseline: 3, MaxTotal: 100}, "33", "67/33"},
		{Arithmetic{Baseline: 3, Others: 1}, "50", "1/2"},
		{Arithmetic{Baseline: 3, Others: 50, MaxTotal: 60}, "10", "4/6"},
		{Arithmetic{Baseline: 3}, "0", "3/0"},
		{Arithmetic{Baseline: 3}, "100", "0/3"},
	} {
		w, err := ParseWeight(tc.w)
		if err != nil {
			t.Fatal(err)
		}
		tc.arith.Exact = true
		s, err := tc.arith.Split(w)
		if err != nil || s.String() != tc.want {
			t.Errorf("%s%% of %+v: got %s, %v; want %s", tc.w, tc.arith, s, err, tc.want)
		}
		if got := tc.arith.Reach(s); got != w {
			t.Errorf("%s%% of %+v: %s reaches %s%%", tc.w, tc.arith, s, got)
		}
	}
}

// A weight in lowest terms is p/q: the exact splits are those of k·q endpoints in all, with k·p canaries.
func TestExactIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Arithmetic{
			Baseline: rapid.IntRange(1, 60).Draw(t, "baseline"), Others: rapid.IntRange(0, 3).Draw(t, "others"),
			Exact: true, MaxTotal: 1 << 20,
		}
		w := anyShift(t)
		gcd := int(w)
		for rest := int(Full) % gcd; rest > 0; {
			gcd, rest = rest, gcd%rest
		}
		p, q := int(w)/gcd, int(Full)/gcd
		for k := 1; ; k++ {
			want := Split{Stable: k*q - a.Others - k*p, Canary: k * p}
			if want.Total() < max(a.Baseline, 2) || want.Stable < 1 {
				continue
			}
			got, err := a.Split(w)
			if want.Total() > a.Baseline+2*int(Full) {
				// So far out that it is as good as unreachable: others outweigh the stable side.
				if err == nil {
					t.Fatalf("%s%%: got %s", w, got)
				}
				return
			}
			if err != nil || got != want {
				t.Fatalf("%s%%: got %s, %v; want %s", w, got, err, want)
			}
			return
		}
	})
}

// wrong is how far a split is from a weight, in hundredths of a percent.
func wrong(a Arithmetic, w Weight, s Split) *big.Rat {
	r := big.NewRat(int64(s.Canary)*int64(Full), int64(s.Total()+a.Others))
	r.Sub(r, big.NewRat(int64(w), 1))
	return r.Abs(r)
}

// brute is the rule of the design, word for word, over every total and every canary count.
func brute(a Arithmetic, w Weight) Split {
	var best Split
	var least *big.Rat
	for total := max(a.Baseline, 2); total <= a.Baseline+a.Surge; total++ {
		for c := 1; c < total; c++ {
			s := Split{total - c, c}
			if off := wrong(a, w, s); least == nil || off.Cmp(least) < 0 {
				best, least = s, off
			}
		}
		if at := best; at.Total() == total && least.Cmp(big.NewRat(int64(a.Tolerance), 1)) <= 0 {
			break
		}
	}
	return best
}

func anyArithmetic(t *rapid.T) Arithmetic {
	a := Arithmetic{
		Baseline:  rapid.IntRange(1, 30).Draw(t, "baseline"),
		Surge:     rapid.IntRange(0, 12).Draw(t, "surge"),
		Tolerance: Weight(rapid.SampledFrom([]int{0, 50, 100, 100, 100, 500}).Draw(t, "tolerance")),
		Others:    max(0, rapid.IntRange(-5, 10).Draw(t, "others")),
	}
	if a.Baseline == 1 {
		a.Surge = max(a.Surge, 1)
	}
	return a
}

func anyShift(t *rapid.T) Weight {
	if rapid.Bool().Draw(t, "whole") {
		return Weight(100 * rapid.IntRange(1, 99).Draw(t, "percent"))
	}
	return Weight(rapid.IntRange(1, int(Full)-1).Draw(t, "weight"))
}

func TestSplitIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, w := anyArithmetic(t), anyShift(t)
		got, err := a.Split(w)
		if err != nil {
			t.Fatal(err)
		}
		if got.Stable < 1 || got.Canary < 1 {
			t.Fatalf("%s%% leaves a side empty: %s", w, got)
		}
		if got.Total() < a.Baseline || got.Total() > a.Baseline+a.Surge {
			t.Fatalf("%s%% takes %d pods", w, got.Total())
		}
		if want := brute(a, w); got != want {
			t.Fatalf("%s%%: got %s, want %s", w, got, want)
		}
	})
}

// Asking for more never gives less.
func TestReachIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyArithmetic(t)
		less, more := anyShift(t), anyShift(t)
		if less > more {
			less, more = more, less
		}
		x, err := a.Split(less)
		if err != nil {
			t.Fatal(err)
		}
		y, err := a.Split(more)
		if err != nil {
			t.Fatal(err)
		}
		if a.Reach(x) > a.Reach(y) {
			t.Fatalf("%s%% gives %s (%s%%), %s%% gives %s (%s%%)", less, x, a.Reach(x), more, y, a.Reach(y))
		}
	})
	for baseline := 1; baseline <= 40; baseline++ {
		a, last := defaults(baseline), None
		for w := None; w <= Full; w += 50 {
			s, err := a.Split(w)
			if err != nil {
				t.Fatal(err)
			}
			if a.Reach(s) < last {
				t.Fatalf("baseline %d: %s%% gives %s, less than the weight before", baseline, w, s)
			}
			last = a.Reach(s)
		}
	}
}
