package analysis

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// tail is the sum that byChance stands for, in exact arithmetic; p is in percent.
func tail(k, n, p int64) float64 {
	sum := new(big.Int)
	for i := k; i <= n; i++ {
		term := new(big.Int).Binomial(n, i)
		term.Mul(term, new(big.Int).Exp(big.NewInt(p), big.NewInt(i), nil))
		term.Mul(term, new(big.Int).Exp(big.NewInt(100-p), big.NewInt(n-i), nil))
		sum.Add(sum, term)
	}
	f, _ := new(big.Rat).SetFrac(sum, new(big.Int).Exp(big.NewInt(100), big.NewInt(n), nil)).Float64()
	return f
}

func TestByChance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, p := rapid.Int64Range(1, 300).Draw(t, "n"), rapid.Int64Range(1, 99).Draw(t, "p")
		k := rapid.Int64Range(0, n).Draw(t, "k")
		got, want := byChance(float64(k), float64(n), float64(p)/100), tail(k, n, p)
		if k*100 <= n*p {
			want = 1
		}
		if math.Abs(got-want) > 1e-9*want+1e-300 {
			t.Errorf("%d of %d by %d%%: %g, want %g", k, n, p, got, want)
		}
	})
	for _, c := range []struct{ k, n, p, least, most float64 }{
		{0, 0, .5, 1, 1},
		{0, 100, 0, 1, 1},
		{1, 100, 0, 0, 0},
		{100, 100, 1, 1, 1},
		{2, 1, .5, 0, 0},
		{5.9999999, 6, .5, .0156, .0157}, // six of six: increase() is not exact
		{6, 6.4, .5, .06, .07},           // of seven
		{11e10, 1e13, .01, 0, 1e-9},      // scaled down, it has an end
		{1e10, 1e12, .01, 1, 1},
		{1.00000009e13, 1e15, .01, .3, 1}, // where Gamma has too few digits
	} {
		if got := byChance(c.k, c.n, c.p); got < c.least || got > c.most {
			t.Errorf("%+v: %g", c, got)
		}
	}
}

// The version with the more events is the less by chance, and more of everything makes it surer.
func TestWorseByChance(t *testing.T) {
	for _, c := range []struct{ x1, n1, x2, n2, worse, want float64 }{
		{6, 100, 0, 100, 1, 1. / 64},
		{6, 100, 0, 300, 1, 1. / 4096},
		{3, 100, 3, 100, 1, 1},
		{0, 100, 0, 100, 1, 1},
		{12, 100, 10, 100, 1.2, 1},
	} {
		if got := worseByChance(c.x1, c.n1, c.x2, c.n2, c.worse); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%+v: %g", c, got)
		}
	}
	if few, many := worseByChance(20, 1000, 10, 1000, 1.2), worseByChance(200, 10000, 100, 10000, 1.2); many >= few {
		t.Errorf("%g of few, %g of many", few, many)
	}
}
