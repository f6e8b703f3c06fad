package analysis

import (
	"math"
	"testing"
	"time"
)

func TestParseShare(t *testing.T) {
	for s, want := range map[string]float64{"0%": 0, "1%": .01, "0.5%": .005, "100%": 1, "250%": 2.5, "20.%": .2} {
		if got, err := ParseShare(s); err != nil || math.Abs(got-want) > 1e-15 {
			t.Errorf("%s: %g, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "%", "1", "-1%", "+1%", "1e3%", "NaN%", "Inf%", "0x1%", "1_0%", " 1%", "1.2.3%", "1%%", "١%"} {
		if got, err := ParseShare(s); err == nil {
			t.Errorf("%q: %g", s, got)
		}
	}
}

func TestParseLatency(t *testing.T) {
	for s, want := range map[string]LatencyBound{
		"p99=300ms": {.99, 300 * time.Millisecond}, "p99.9=1.5s": {.999, 1500 * time.Millisecond}, "p50=1m": {.5, time.Minute}, "p0.1=1us": {.001, time.Microsecond},
	} {
		if got, err := ParseLatency(s); err != nil || math.Abs(got.Quantile-want.Quantile) > 1e-15 || got.Max != want.Max {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "p99", "99=1s", "p=1s", "p0=1s", "p100=1s", "p-1=1s", "p1e1=1s", "pNaN=1s", "p99=", "p99=1", "p99=0s", "p99=-1s", "p99=1s=2s", "P99=1s"} {
		if got, err := ParseLatency(s); err == nil {
			t.Errorf("%q: %+v", s, got)
		}
	}
	got, err := ParseLatencies([]string{"p99.9=3s", "p5=1s", "p50=2s"})
	if err != nil || len(got) != 3 || got[0].Max != time.Second || got[1].Max != 2*time.Second || got[2].Max != 3*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
	for q, want := range map[float64]string{.5: "p50", .99: "p99", .999: "p99.9", .07: "p7", .29: "p29"} {
		if got := percentile(q); got != want {
			t.Errorf("%g is %s", q, got)
		}
	}
}

// People read these: three digits that count, and no zeros behind them.
func TestText(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{percent(0), "0%"}, {percent(.0123456), "1.23%"}, {percent(.00000123), "0.000123%"}, {percent(.9999), "100%"}, {percent(12.3456), "1235%"},
		{digits(-1.5), "-1.5"}, {digits(1e-9), "0"}, {amount(1234567.6), "1234568"},
		{took(.0000005), "1µs"}, {took(.00042), "420µs"}, {took(.0421), "42ms"}, {took(1.2345), "1.235s"}, {took(61.23), "1m1.2s"}, {size(1.5 * (1 << 30)), "1536Mi"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
