package canary

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"2", "25%", "0", "", "-1", "1.5", "999999%", "1000000", "%", "٣"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, baseline int) {
		a, err := ParseAmount(s)
		if err != nil {
			return
		}
		if again, err := ParseAmount(a.String()); err != nil || again != a {
			t.Fatalf("ParseAmount(%q) = %+v, which prints as %q", s, a, a)
		}
		baseline &= math.MaxInt32
		if up, down := a.Up(baseline), a.Down(baseline); down < 0 || up < down || up > down+1 || a.Percent && a.Value > 0 && baseline > 0 && up < 1 {
			t.Fatalf("%s of %d is %d to %d", a, baseline, down, up)
		}
	})
}

// A name finds what it names, or an error says of it that there is no such thing.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"auth", "svc/auth", "deploy/auth-v2", "deployment.apps/auth-v1", "service/", "/", "pod/auth", "", "SVC/auth", "auth/auth", "chat\x1b[2J"} {
		f.Add(s)
	}
	ns := auth(3, 1)
	f.Fuzz(func(t *testing.T, name string) {
		found, err := Find(ns, Options{}, []string{name})
		kind, object, ok := strings.Cut(name, "/")
		if !ok {
			kind, object = "service", name
		}
		known := false
		switch strings.ToLower(kind) {
		case "service", "services", "svc":
			known = object == "auth"
		case "deployment", "deployments", "deploy", "deployment.apps", "deployments.apps":
			known = object == "auth-v1" || object == "auth-v2"
		}
		if known != (err == nil) || known != (len(found) == 1) {
			t.Fatalf("%q finds %d, %v", name, len(found), err)
		}
		if service, ok := ServiceNamed(name); ok && known != (service == "auth") {
			t.Fatalf("%q names the Service %q", name, service)
		}
	})
}

// oddNumber is a count as it is, or as the API and a record allow it to be.
var oddNumber = rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 20_000), rapid.SampledFrom([]int{math.MaxInt32, math.MaxInt32 - 1}))

// Whatever numbers the cluster, the record and the user come up with, a plan comes to its end, or is refused; and if it is one,
// it keeps its bounds and takes no step back.
func whatever(t *rapid.T) {
	n := func(what string) int { return oddNumber.Draw(t, what) }
	amount := func(what string) Amount {
		return Amount{Value: rapid.OneOf(rapid.IntRange(0, 200), rapid.SampledFrom([]int{999_999})).Draw(t, what), Percent: rapid.Bool().Draw(t, what+" percent")}
	}
	version := func(name string) *Version {
		return &Version{
			Name: name, Serving: n("serving"), Dark: n("dark"),
			Deployment: Deployment{Name: name, Replicas: n("replicas"), Pods: n("pods"), ReadyPods: n("ready")},
		}
	}
	r := &Release{Name: "auth", Services: []Service{{Name: "auth"}}, Stable: version("v1"), Canary: version("v2"), Foreign: rapid.IntRange(0, 10_000).Draw(t, "foreign")}
	if rapid.Bool().Draw(t, "recorded") {
		r.Record = &Record{Baseline: n("baseline"), Target: Split{n("target"), n("target")}, Set: Split{n("set"), n("set")}, Desired: Weight(rapid.IntRange(0, 10_000).Draw(t, "desired"))}
	}
	a := Ask{
		Weight: Weight(rapid.OneOf(rapid.IntRange(0, 10_000), rapid.SampledFrom([]int{0, 1, 5000, 9999, 10_000})).Draw(t, "weight")),
		Surge:  amount("surge"), Unavailable: amount("unavailable"), Tolerance: Weight(rapid.IntRange(0, 200).Draw(t, "tolerance")),
		Exact: rapid.Bool().Draw(t, "exact"), MaxTotal: rapid.IntRange(0, 20_000).Draw(t, "max total"), Replicas: n("asked"),
		Rollback: rapid.Bool().Draw(t, "rollback"), Previous: rapid.Bool().Draw(t, "previous"), Keep: rapid.Bool().Draw(t, "keep"),
	}
	target, err := r.Aim(a, rapid.Bool().Draw(t, "leases"))
	if err != nil {
		return
	}
	to := target.Split
	if to.Stable < 0 || to.Canary < 0 || to.Total() == 0 {
		t.Fatalf("it aims at %s", to)
	}
	from, bounds := r.Position(), r.Bounds(a, target)
	p, err := NewPlan(from, to, bounds)
	if err != nil {
		return
	}
	if len(p.Rounds) > maxRounds {
		t.Fatalf("%d rounds from %s to %s", len(p.Rounds), p.From, to)
	}
	if p.Least < min(bounds.Floor, from.serving()) || p.Peak.Total() > max(bounds.Ceiling, p.From.Total()) {
		t.Fatalf("from %s to %s: at least %d serve and at most %s pods, within %+v", p.From, to, p.Least, p.Peak, bounds)
	}
	at := p.From
	for _, round := range p.Rounds {
		for _, next := range []Split{round.Room, round.Raise, round.Lower} {
			if outside(next.Stable, at.Stable, to.Stable) || outside(next.Canary, at.Canary, to.Canary) {
				t.Fatalf("from %s to %s by %s and then %s", p.From, to, at, next)
			}
			at = next
		}
	}
	if at != to {
		t.Fatalf("from %s to %s it ends at %s", p.From, to, at)
	}
}

// A typo in replicas must not make a plan that fills the memory.
func TestLongPlan(t *testing.T) {
	side := Side{Replicas: math.MaxInt32, Serving: 3, Ready: 3}
	if p, err := NewPlan(Position{Stable: side}, Split{Canary: math.MaxInt32}, Bounds{Floor: 3, Ceiling: math.MaxInt32 + 1}); err == nil && len(p.Rounds) > maxRounds {
		t.Errorf("%d rounds", len(p.Rounds))
	}
	side.Serving, side.Ready = side.Replicas, side.Replicas
	if _, err := NewPlan(Position{Stable: side}, Split{Canary: math.MaxInt32}, Bounds{Floor: math.MaxInt32, Ceiling: math.MaxInt32 + 1}); !errors.Is(err, errLongPlan) {
		t.Errorf("by one: %v", err)
	}
}

func TestOddNumbers(t *testing.T) { rapid.Check(t, whatever) }

func FuzzPlan(f *testing.F) {
	f.Add([]byte("three to one, by one"))
	f.Fuzz(rapid.MakeFuzz(whatever))
}
