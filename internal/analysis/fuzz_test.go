package analysis

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"
)

// numbers takes what a fuzzer has as numbers, three bytes each: some that are none, or as good as none, and many of any size.
type numbers []byte

var odd = []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e15, math.MaxInt64}

func (n *numbers) float() float64 {
	var b [3]byte
	*n = (*n)[copy(b[:], *n):]
	if int(b[0]) < len(odd) {
		return odd[b[0]]
	}
	return float64(binary.LittleEndian.Uint16(b[1:])) * math.Pow(10, float64(b[0]%8)-4)
}

func (n *numbers) int() int { return int(n.float()) }

func (n *numbers) traffic() *Traffic {
	t := &Traffic{Requests: n.float(), Errors: n.float()}
	for range uint8(n.int()) % 8 {
		t.Latency = append(t.Latency, Bucket{n.float(), n.float()})
	}
	return t
}

func (n *numbers) seen() Seen {
	share, other := n.float(), n.float()
	return Seen{
		Pods: n.int(), Span: time.Duration(n.int()),
		Life:  Life{n.int(), n.int(), n.int(), n.int(), time.Duration(n.int()), []Warning{{Reason: "a", Count: n.int()}}},
		Usage: &Usage{Pods: n.int(), CPU: n.float(), Memory: n.float(), CPUOfLimit: &share, MemoryOfLimit: &other},
		Users: n.traffic(), Probes: n.traffic(), Figures: []Figure{{Name: "q", Value: n.float()}},
	}
}

// Whatever sources say, it is judged without a panic, in one line each; and what is no number passes nothing.
func FuzzJudge(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte("a few letters make numbers of every size, as good as any others, and there are many of them"), true)
	f.Add([]byte(strings.Repeat("\x14\x01\x00\x1c\xff\x00", 60)), true)
	for i := range odd {
		f.Add([]byte(strings.Repeat("\x14\x10\x01", i)+strings.Repeat(string(rune(i))+"\x01\x02", 40)), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, final bool) {
		n := numbers(data)
		canary, stable := n.seen(), n.seen()
		one := 1.0
		p := policy(maxErrors(.01), maxLatency("p99=300ms"), func(p *Policy) { p.Queries = []Query{{Name: "q", Max: &one, Worse: p.WorseThanStable}} })
		for _, other := range []*Seen{&stable, nil} {
			for _, r := range p.Judge(canary, other, final) {
				if r.Message == "" || strings.Contains(r.Message, "\n") || rank(r.Verdict) < 0 {
					t.Fatalf("%+v", r)
				}
				traffic := canary.Users
				if strings.HasPrefix(r.Check, "probe-") {
					traffic = canary.Probes
				}
				sound := finite(traffic.Requests) && traffic.Requests >= 0 && finite(traffic.Errors) && traffic.Errors >= 0
				if strings.HasSuffix(r.Check, "error-rate") && r.Verdict != Inconclusive && !sound || r.Check == "q" && r.Verdict != Inconclusive && !finite(canary.Figures[0].Value) {
					t.Fatalf("%+v of %+v", r, traffic)
				}
				for _, x := range []*float64{r.Canary, r.Stable, r.Bound, &r.Seen} {
					if x != nil && !finite(*x) {
						t.Fatalf("%s says %v, which no JSON can hold", r.Check, *x)
					}
				}
			}
		}
	})
}

// An analysis file is understood as written, or refused in a line that may be printed.
func FuzzParseFile(f *testing.F) {
	for _, s := range []string{
		"", head, head + "bounds: {maxErrorRate: 1%, maxLatency: {p99: 300ms}}", head + "queries: [{name: a, query: 'x{pod=~\"{{.Pods}}\"}', max: 1}]",
		head + "prometheus: {address: http://a, preset: istio}", "a: &a [*a]", head + "bounds: &b {maxRestarts: 1}", "\x00", head + "bounds: !!binary aGk=", "- {", head + "bounds:\n  maxRestarts: \"\x1b[2J\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := ParseFile(text)
		if err != nil {
			if a != nil || err.Error() == "" {
				t.Fatalf("%+v, %q", a, err)
			}
			return
		}
		p := DefaultPolicy()
		if err := a.Apply(&p); err != nil {
			t.Fatal(err)
		}
		for _, q := range p.Queries {
			if _, err := q.Text.Render(Values{"n", "s", "v", "d", []string{"p"}, time.Minute}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A query that is taken holds every value where a value may be: no value ends a string, or begins one.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`x{a="{{.Version}}"}`, "x{a=~`{{.Pods}}`}", `x[{{.Window}}]`, `x{a=~'\'{{.Pods}}'} # "`, `{{`, `{{.Version | html}}`, `"\{{.Version}}"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseTemplate(text)
		if err != nil {
			return
		}
		full, err := q.Render(Values{"n.n", "s.s", "v.v", "d.d", []string{"p.p", "q.q"}, time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		var bare strings.Builder
		for _, p := range q.parts {
			bare.WriteString(p.text)
		}
		var a, b place
		a.pass(full)
		b.pass(bare.String())
		if a.quote != b.quote || a.comment != b.comment || a.quote != 0 {
			t.Fatalf("%q is %q", text, full)
		}
	})
}
