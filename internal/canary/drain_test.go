package canary

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// drainable is a namespace with one release, whose Service selects serving=true too. The Deployments' selectors do not.
func drainable(stable, second int, more ...any) *Snapshot {
	deployed := func(version string, replicas int) Deployment {
		d := deployment("auth-"+version, replicas, "app=auth,version="+version+",serving=true")
		d.MatchLabels = labels("app=auth,version=" + version)
		d.Selector = equals(d.MatchLabels)
		return d
	}
	objects := []any{service("auth", "app=auth,serving=true"), deployed("v1", stable), deployed("v2", second)}
	return namespace(append(objects, more...)...)
}

// drain takes the label off some pods of a Deployment; listed leaves them in the endpoints.
func (s *Snapshot) drain(deployment string, n int, listed bool) *Snapshot {
	for i := range s.Pods {
		p := &s.Pods[i]
		if n == 0 || !strings.HasPrefix(p.Name, deployment+"-") {
			continue
		}
		n--
		p.Labels, p.Cheapest = labels("app=auth,version="+p.Labels["version"]), true
		if !listed {
			s.Endpoints = slices.DeleteFunc(s.Endpoints, func(e Endpoint) bool { return e.PodUID == p.UID })
		}
	}
	return s
}

func TestDrainLabel(t *testing.T) {
	pinning := deployment("auth-v2", 1, "app=auth,version=v2,serving=true")
	for _, tc := range []struct {
		name string
		s    *Snapshot
		want string
	}{
		{"a label of the templates alone", drainable(3, 1), "serving"},
		{"none", auth(3, 1), ""},
		{"one that a Deployment's selector has", namespace(service("auth", "app=auth,serving=true"),
			deployment("auth-v1", 3, "app=auth,version=v1,serving=true"), pinning), ""},
		{"another Service of the release lacks it", drainable(3, 1, service("auth-all", "app=auth")), ""},
		{"another Service of the release has it", drainable(3, 1, service("auth-admin", "app=auth,serving=true")), "serving"},
		{"another Service of these pods has it", drainable(3, 1, service("monitor", "app=auth,version=v1,serving=true")), ""},
		{"another Service of these pods does not", drainable(3, 1, service("monitor", "app=auth,version=v1")), "serving"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := one(tc.s, Options{}).Drain; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Neither the version label nor a recommended one is taken off a pod, whatever the selectors would allow.
func TestNoDrainLabel(t *testing.T) {
	for _, label := range []string{"app.kubernetes.io/part-of", "version"} {
		s := drainable(3, 1)
		s.Services[0].Selector = labels("app=auth," + label + "=x")
		for i := range s.Deployments {
			s.Deployments[i].PodLabels = labels("app=auth,tier=" + s.Deployments[i].Name + "," + label + "=x")
			s.Deployments[i].Selector = equals(labels("app=auth,tier=" + s.Deployments[i].Name))
		}
		if r := one(s, Options{VersionLabel: "version"}); r.Drain != "" {
			t.Errorf("%s: drains by %q", label, r.Drain)
		}
	}
}

func TestDark(t *testing.T) {
	s := drainable(3, 2).drain("auth-v1", 2, false)
	s.Pods = append(s.Pods,
		Pod{Name: "gone", UID: "1", Labels: labels("app=auth,version=v1"), Owned: true, Cheapest: true, Terminating: true},
		Pod{Name: "failed", UID: "2", Labels: labels("app=auth,version=v1"), Owned: true, Cheapest: true, Phase: "Failed"},
		Pod{Name: "quarantined", UID: "3", Labels: labels("app=auth,version=v1"), Owned: true},
		Pod{Name: "cheap", UID: "4", Labels: labels("app=auth,version=v1,serving=true"), Owned: true, Cheapest: true},
		Pod{Name: "alien", UID: "5", Labels: labels("app=auth,version=v1"), Cheapest: true})
	r := one(s, Options{})
	if r.Stable.Dark != 2 || r.Stable.Serving != 1 || r.Stable.Leaving != 0 || r.Canary.Dark != 0 {
		t.Errorf("stable %+v, canary %+v", r.Stable, r.Canary)
	}
	if got := r.Lit(); got != (Split{1, 2}) {
		t.Errorf("%s are lit", got)
	}
	if r := one(drainable(3, 2).drain("auth-v2", 1, true), Options{}); r.Canary.Dark != 0 || r.Canary.Leaving != 1 || r.Canary.Serving != 2 {
		t.Errorf("on its way: %+v", r.Canary)
	}
	s = drainable(3, 1, service("auth-all", "app=auth")).drain("auth-v1", 2, true)
	s.Endpoints = slices.DeleteFunc(s.Endpoints, func(e Endpoint) bool { return e.Service == "auth" })
	if r := one(s, Options{}); r.Stable.Dark != 2 || r.Stable.Leaving != 0 {
		t.Errorf("another Service selects them without the label: %+v", r.Stable)
	}
}

func TestPinnedServicesHaveNoDarkPods(t *testing.T) {
	s := namespace(service("auth-v1", "app=auth,version=v1"), service("auth-v2", "app=auth,version=v2"),
		deployment("auth-v1", 2, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2"))
	for i := range s.Pods {
		s.Pods[i].Cheapest = true
	}
	for _, r := range Discover(s, Options{}) {
		for _, v := range r.Versions() {
			if v.Dark+v.Leaving > 0 || r.Drain != "" {
				t.Errorf("%s: %+v", r.Name, v)
			}
		}
	}
}

func TestLeaving(t *testing.T) {
	s := drainable(3, 1).drain("auth-v1", 1, false)
	for i := range s.Pods {
		s.Pods[i].Created = noon.Add(time.Duration(i) * time.Minute)
	}
	ready := []Condition{{Type: "Ready", Status: true}}
	s.Pods = append(s.Pods,
		Pod{Name: "starting", UID: "1", Labels: labels("app=auth,version=v1,serving=true"), Owned: true, Created: noon},
		Pod{Name: "ready", UID: "2", Labels: labels("app=auth,version=v1,serving=true"), Owned: true, Created: noon, Conditions: ready},
		Pod{Name: "by hand", UID: "3", Labels: labels("app=auth,version=v1"), Owned: true, Created: noon, Conditions: ready})
	r := one(s, Options{})
	for _, tc := range []struct {
		n       int
		unready bool
		want    []string
	}{
		{9, false, []string{"by hand", "ready", "auth-v1-2", "auth-v1-1"}},
		{3, false, []string{"by hand", "ready", "auth-v1-2"}},
		{9, true, []string{"starting", "by hand", "ready", "auth-v1-2", "auth-v1-1"}},
		{0, true, nil},
	} {
		if got := podNames(r.Leaving(s, r.Stable, tc.n, tc.unready)); !slices.Equal(got, tc.want) {
			t.Errorf("%d, unready %v: %v, want %v", tc.n, tc.unready, got, tc.want)
		}
	}
}

func TestDarkPods(t *testing.T) {
	s := drainable(3, 1).drain("auth-v1", 3, false)
	s.Pods[0].Created = noon
	s.Pods[1].Created, s.Pods[2].Created = noon.Add(-time.Hour), noon.Add(-time.Minute)
	r := one(s, Options{})
	want := []string{s.Pods[1].Name, s.Pods[2].Name, s.Pods[0].Name}
	v := r.Stable
	if got := podNames(r.DarkPods(s, v, 9)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := podNames(r.DarkPods(s, v, 1)); !slices.Equal(got, want[:1]) {
		t.Errorf("got %v, want %v", got, want[:1])
	}
}

func podNames(pods []Pod) []string {
	var names []string
	for _, p := range pods {
		names = append(names, p.Name)
	}
	return names
}

func TestRelights(t *testing.T) {
	for _, tc := range []struct{ replicas, dark, to, want int }{
		{3, 3, 3, 3}, {3, 3, 2, 2}, {3, 3, 5, 3}, {4, 2, 2, 0}, {4, 2, 3, 1}, {3, 0, 3, 0}, {3, 3, 0, 0},
	} {
		v := Version{Dark: tc.dark, Deployment: Deployment{Replicas: tc.replicas}}
		if got := v.Relights(tc.to); got != tc.want {
			t.Errorf("%+v: got %d", tc, got)
		}
	}
}

// What is kept is dark for good: the move sees the traffic, not the pods.
func TestKept(t *testing.T) {
	r := one(drainable(3, 3).drain("auth-v1", 3, false), Options{})
	if !r.Kept() || r.Phase() != PhasePromoted {
		t.Errorf("kept %v, phase %s", r.Kept(), r.Phase())
	}
	if p := r.LitPosition(); !p.Done(Split{Canary: 3}) || p.Stable != (Side{}) {
		t.Errorf("stands at %+v", p)
	}
	if some := Troubles(r, &Snapshot{}, noon, 0); len(some) > 0 {
		t.Errorf("troubles: %+v", some)
	}
	for _, r := range []*Release{one(drainable(3, 3).drain("auth-v1", 2, false), Options{}), one(drainable(3, 0), Options{}), {}} {
		if r.Kept() {
			t.Errorf("kept with %+v", r.Stable)
		}
	}
}

func TestDarkTrouble(t *testing.T) {
	s := drainable(3, 2).drain("auth-v1", 1, false)
	for _, tc := range []struct {
		record bool
		next   string
	}{{false, "canary rollback auth"}, {true, "canary shift auth --to 50,canary rollback auth"}} {
		if tc.record {
			s.record("auth", recorded(3, 5000, Split{3, 2}))
		}
		found := Troubles(one(s, Options{}), s, noon, 0)
		if len(found) != 1 || found[0].Code != CodeDark || strings.Join(found[0].Next, ",") != tc.next {
			t.Errorf("recorded %v: %+v", tc.record, found)
		}
	}
}

func TestBoundsOfKeepAndNow(t *testing.T) {
	r := one(drainable(3, 1), Options{})
	target := Target{Split: Split{Canary: 3}, Baseline: 3}
	if got, want := r.Bounds(Ask{Surge: Percent(25), Keep: true}, target), (Bounds{3, 6}); got != want {
		t.Errorf("keep: %+v, want %+v", got, want)
	}
	if got, want := r.Bounds(Ask{Surge: Percent(25), Now: true}, target), (Bounds{1, 4}); got != want {
		t.Errorf("now: %+v, want %+v", got, want)
	}
}

// Dark pods carry no load: they are no part of a baseline, nor of a weight in the history.
func TestDarkPodsInBaselineAndHistory(t *testing.T) {
	r := one(drainable(3, 3).drain("auth-v1", 3, false), Options{})
	target, err := r.Aim(Ask{Surge: Percent(25)}, false)
	if err != nil || target.Baseline != 3 || target.Split != (Split{Stable: 3}) {
		t.Errorf("aims at %+v, %v", target, err)
	}
	begun := r.Begin(target, "rollback", "jane", noon)
	back := begun.End(r, one(drainable(3, 0), Options{}), Done, "", noon)
	if c := back.Last(); c.From != Full || c.Before != (Split{Canary: 3}) || c.After != (Split{Stable: 3}) {
		t.Errorf("remembers %+v", c)
	}
	kept := begun.End(one(drainable(3, 1), Options{}), r, Done, "", noon)
	if c := kept.Last(); c.After != (Split{Canary: 3}) || kept.Set != (Split{3, 3}) {
		t.Errorf("remembers %+v, set %s", c, kept.Set)
	}
}

// A Service's selector does not match its dark pods: it takes the whole namespace to see them.
func TestDarkPodsNeedAllPods(t *testing.T) {
	s := drainable(3, 1)
	owners := []string{"uid-auth-v1", "uid-auth-v2"}
	if !Suffices(s, s.Services[0], owners) {
		t.Error("does not suffice though all pods are there")
	}
	s.drain("auth-v1", 1, false)
	s.Pods = slices.DeleteFunc(s.Pods, func(p Pod) bool { return p.Cheapest })
	s.Pods = append(s.Pods, Pod{Name: "going", UID: "1", Labels: s.Pods[0].Labels, Owned: true, Terminating: true})
	if Suffices(s, s.Services[0], owners) {
		t.Error("suffices with a pod missing")
	}
}
