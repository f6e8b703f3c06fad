package canary

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// oddNamespace has few names and labels, so that everything overlaps with everything.
func oddNamespace(t *rapid.T) *Snapshot {
	word := rapid.SampledFrom([]string{"", "a", "b", "v1", "v2", "v10", "1.0.0-rc.1", "\x00", "é", "stable", "canary"})
	name := rapid.SampledFrom([]string{"a", "b", "c", "d"})
	label := rapid.MapOfN(rapid.SampledFrom([]string{"app", "version", "track", "app.kubernetes.io/version", "x", ""}), word, 0, 4)
	maybe := func(m map[string]string) map[string]string {
		if rapid.IntRange(0, 9).Draw(t, "nil") == 0 {
			return nil
		}
		return m
	}
	count := rapid.IntRange(-1, 3)
	s := &Snapshot{}
	used := map[string]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "services") {
		n := name.Draw(t, "service")
		if used[n] {
			continue
		}
		used[n] = true
		s.Services = append(s.Services, Service{Name: n, Selector: maybe(label.Draw(t, "selector")), ExternalName: rapid.Bool().Draw(t, "external")})
	}
	clear(used)
	for range rapid.IntRange(0, 4).Draw(t, "deployments") {
		n := name.Draw(t, "deployment")
		if used[n] {
			continue
		}
		used[n] = true
		l := maybe(label.Draw(t, "labels"))
		s.Deployments = append(s.Deployments, Deployment{
			Name: n, PodLabels: l, MatchLabels: maybe(l), Selector: equals(l), Replicas: count.Draw(t, "replicas"),
			Pods: count.Draw(t, "pods"), ReadyPods: count.Draw(t, "ready"), Observed: 1, Generation: int64(count.Draw(t, "generation")),
		})
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "pods") {
		uid := fmt.Sprint("uid-", i)
		p := Pod{Name: fmt.Sprint("p", i), UID: uid, Labels: maybe(label.Draw(t, "pod")), Owned: rapid.Bool().Draw(t, "owned"), Terminating: rapid.Bool().Draw(t, "terminating")}
		if len(s.Deployments) > 0 && rapid.Bool().Draw(t, "of a deployment") {
			p.Labels = rapid.SampledFrom(s.Deployments).Draw(t, "owner").PodLabels
		}
		s.Pods = append(s.Pods, p)
		s.Endpoints = append(s.Endpoints, Endpoint{
			Service: name.Draw(t, "endpoint of"), PodUID: rapid.SampledFrom([]string{uid, uid, "", "gone"}).Draw(t, "uid"),
			Ready: rapid.Bool().Draw(t, "ready"), Terminating: rapid.Bool().Draw(t, "leaving"),
		})
	}
	if rapid.Bool().Draw(t, "recorded") {
		s.Leases = map[string]Lease{}
		for _, n := range []string{"a", "b"} {
			s.Leases[n] = Lease{Record: &Record{
				Stable: word.Draw(t, "stable"), Canary: word.Draw(t, "canary"), Baseline: count.Draw(t, "baseline"),
				Set: Split{count.Draw(t, "set"), count.Draw(t, "set")}, Desired: Weight(rapid.SampledFrom([]int{0, 2500, 10000}).Draw(t, "desired")),
			}}
		}
	}
	return s
}

// sound holds what must be true of what is discovered, whatever the namespace looks like, and asks everything of it.
func sound(t *rapid.T) {
	s := oddNamespace(t)
	word := rapid.SampledFrom([]string{"", "", "a", "v1", "v2", "x"})
	o := Options{
		VersionLabel: rapid.SampledFrom([]string{"", "", "", "x", "app"}).Draw(t, "version label"), Stable: word.Draw(t, "stable"), Canary: word.Draw(t, "canary"),
		All: rapid.Bool().Draw(t, "all"),
	}
	if rapid.Bool().Draw(t, "pin roles") {
		o.Roles = map[string]Roles{"a": {word.Draw(t, "role"), word.Draw(t, "role")}}
	}
	seen := map[string]bool{}
	all := Discover(s, o)
	for i := range all {
		r := &all[i]
		if seen[r.Name] {
			t.Fatalf("two releases %s", r.Name)
		}
		seen[r.Name] = true
		refused := len(Preflight(r, s, rapid.Bool().Draw(t, "named"))) > 0
		switch {
		case (r.Stable == nil) != (r.Canary == nil):
			t.Fatalf("%s has one role", sketch(r))
		case r.Stable == nil && len(r.Problems) == 0:
			t.Fatalf("%s has no roles and no reason", sketch(r))
		case r.Stable == nil && !refused:
			t.Fatalf("%s has no roles and is not refused", sketch(r))
		case r.Stable != nil && r.Stable.Deployment.Name == r.Canary.Deployment.Name:
			t.Fatalf("%s moves one Deployment against itself", sketch(r))
		case !o.All && len(r.Versions()) < 2:
			t.Fatalf("%s has no two versions", sketch(r))
		case len(r.Services) == 0:
			t.Fatalf("%s has no Service", sketch(r))
		}
		total := 0
		for _, v := range r.Versions() {
			total += v.Serving
			PodsOf(s, v)
			WhyNotServing(s, v)
		}
		if total+r.Foreign != r.Serving() || total+r.Foreign > len(s.Endpoints) {
			t.Fatalf("%s: %d serve of %d endpoints", sketch(r), r.Serving(), len(s.Endpoints))
		}
		r.Phase()
		r.Actual()
		r.Reachable()
		r.ChangedAt()
		Troubles(r, s, noon, 0)
		a := Ask{
			Weight: Weight(rapid.SampledFrom([]int{0, 1, 5000, 10000}).Draw(t, "weight")), Surge: Percent(25),
			Rollback: rapid.Bool().Draw(t, "rollback"), Previous: rapid.Bool().Draw(t, "previous"),
		}
		if target, err := r.Aim(a, rapid.Bool().Draw(t, "leases")); err == nil && r.Stable != nil {
			_, _ = NewPlan(r.Position(), target.Split, r.Bounds(a, target))
		}
	}
	// A Deployment is in one release that may be written to, or in none.
	in := map[string]string{}
	for i := range all {
		r := &all[i]
		if len(r.Problems) > 0 {
			continue
		}
		for _, v := range r.Versions() {
			if other, shared := in[v.Deployment.Name]; shared {
				t.Fatalf("Deployment %s is in %s and in %s", v.Deployment.Name, other, sketch(r))
			}
			in[v.Deployment.Name] = r.Name
		}
	}
}

func TestDiscoverIsSound(t *testing.T) { rapid.Check(t, sound) }

func FuzzDiscover(f *testing.F) {
	f.Add([]byte("kubectl canary"))
	f.Fuzz(rapid.MakeFuzz(sound))
}
