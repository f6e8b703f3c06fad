package analysis

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func histogram(pairs ...float64) (h Histogram) {
	for i := 0; i < len(pairs); i += 2 {
		h = append(h, Bucket{pairs[i], pairs[i+1]})
	}
	return h
}

var inf = math.Inf(1)

// The values are those of Prometheus' histogram_quantile.
func TestQuantile(t *testing.T) {
	h := histogram(0.1, 50, 0.5, 90, 1, 98, inf, 100)
	nan := math.NaN()
	for _, c := range []struct {
		h       Histogram
		q, want float64
	}{
		{h, 0, 0}, {h, 0.25, 0.05}, {h, 0.5, 0.1}, {h, 0.7, 0.3}, {h, 0.9, 0.5}, {h, 0.94, 0.75}, {h, 0.98, 1}, {h, 0.99, 1}, {h, 1, 1},
		{histogram(0.1, 0, 0.5, 0, 1, 10, inf, 10), 0.5, 0.75},
		{histogram(-1, 3, 1, 3, inf, 3), 0.5, -1},
		{histogram(0.1, 0, 0.5, 4, inf, 4), 0, 0},
		{histogram(0.1, 0, inf, 0), 0.5, nan}, {nil, 0.5, nan}, {histogram(inf, 7), 0.5, nan}, {histogram(0.1, 5, 0.5, 7), 0.5, nan},
		{h, -0.1, nan}, {h, 1.1, nan}, {h, nan, nan},
	} {
		if got := c.h.Quantile(c.q); math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("quantile %v of %v is %v, not %v", c.q, c.h, got, c.want)
		}
	}
	for q, want := range map[float64]bool{0: false, 0.98: false, 0.981: true, 1: true} {
		if h.Beyond(q) != want {
			t.Errorf("Beyond(%v) is not %v", q, want)
		}
	}
}

func TestPlus(t *testing.T) {
	a, b := histogram(0.1, 1, 0.5, 2, inf, 3), histogram(0.1, 10, 1, 20, inf, 30)
	for _, c := range []struct{ a, b, want Histogram }{
		{a, a, histogram(0.1, 2, 0.5, 4, inf, 6)}, {a, b, histogram(0.1, 11, inf, 33)}, {a, nil, a}, {nil, b, b}, {nil, nil, nil},
	} {
		if d := cmp.Diff(c.want, c.a.Plus(c.b)); d != "" {
			t.Error(d)
		}
	}
	if d := cmp.Diff(histogram(0.1, 1, 0.5, 2, inf, 3), a); d != "" {
		t.Errorf("a sum has changed what it is of: %s", d)
	}
}
