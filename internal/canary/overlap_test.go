package canary

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// selecting is a Deployment whose selector is of fewer labels than its pods have.
func selecting(d Deployment, selector string) Deployment {
	d.MatchLabels, d.Selector = labels(selector), equals(labels(selector))
	return d
}

func TestOverlap(t *testing.T) {
	svc := service("auth", "app=auth")
	v1, v2 := deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")
	problem := func(by, of string) Problem {
		return Problem{
			Code: CodeOverlap, Severity: Error, Object: "Deployment/" + by,
			Message: "the selector of Deployment " + by + " matches the pods of Deployment " + of + " too: whose they are cannot be told by their labels, and each may count or take the other's",
			Next:    []string{"get deployments " + by + " " + of + " -o wide"},
		}
	}
	for _, tc := range []struct {
		name string
		ns   *Snapshot
		want []Problem
	}{
		{"none", namespace(svc, v1, v2), nil},
		{"one side", namespace(svc, selecting(v1, "app=auth"), v2), []Problem{problem("auth-v1", "auth-v2")}},
		{"the other side", namespace(svc, v1, selecting(v2, "app=auth")), []Problem{problem("auth-v2", "auth-v1")}},
		{"each other, told once", namespace(svc, selecting(v1, "app=auth"), selecting(v2, "app=auth")), []Problem{problem("auth-v1", "auth-v2")}},
		{"a stranger's pods", namespace(svc, v1, selecting(v2, "version=v2"), deployment("chat-v2", 1, "app=chat,version=v2")), []Problem{problem("auth-v2", "chat-v2")}},
		{"a stranger's selector", namespace(svc, v1, v2, selecting(deployment("chat-v2", 1, "app=chat,version=v2"), "version=v2")), []Problem{problem("chat-v2", "auth-v2")}},
		{"a stranger that selects all", namespace(svc, v1, v2, selecting(deployment("all", 1, "x=y"), "")), []Problem{problem("all", "auth-v1"), problem("all", "auth-v2")}},
		{"strangers among themselves", namespace(svc, v1, v2, deployment("chat-v2", 1, "app=chat,version=v2"), selecting(deployment("chat-v1", 1, "app=chat,version=v1"), "app=chat")), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Preflight(one(tc.ns, Options{}), tc.ns, false)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The index finds an overlap exactly where looking at every pair does.
func TestOverlapsAreThoseOfEveryPair(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		s := oddNamespace(t)
		ix := newIndex(s)
		for i := range s.Deployments {
			d := &s.Deployments[i]
			matched, matching := false, false
			for _, o := range s.Deployments {
				matched = matched || o.Name != d.Name && contains(d.MatchLabels, d.Selector.(equals)) && d.Selector.Matches(o.PodLabels)
				matching = matching || o.Name != d.Name && o.Selector.Matches(d.PodLabels)
			}
			if got := ix.matching(d) != nil; got != matching {
				t.Fatalf("%+v: matching %v, want %v", d, got, matching)
			}
			if got := ix.matched(d) != nil; got && !matched && contains(d.MatchLabels, d.Selector.(equals)) || !got && matched {
				t.Fatalf("%+v: matched %v, want %v", d, got, matched)
			}
			if matching {
				found++
			}
		}
	})
	if found < 100 {
		t.Errorf("only %d overlaps: the property was hardly checked", found)
	}
}

// A namespace of thousands costs what its pairs of releases cost, not their square.
func TestOverlapsAreCheap(t *testing.T) {
	const services = 1000
	asked := 0
	var objects []any
	for i := range services {
		app := fmt.Sprintf("app=a%d,env=prod", i)
		objects = append(objects, service(fmt.Sprint("a", i), app), deployment(fmt.Sprintf("a%d-v1", i), 0, app+",version=v1"), deployment(fmt.Sprintf("a%d-v2", i), 0, app+",version=v2"))
	}
	s := namespace(objects...)
	for i := range s.Deployments {
		s.Deployments[i].Selector = counting{s.Deployments[i].Selector, &asked}
	}
	all := Discover(s, Options{})
	asked = 0
	for i := range all {
		if got := Preflight(&all[i], s, false); len(got) > 0 {
			t.Fatal(got)
		}
	}
	if len(all) != services || asked > 10*services {
		t.Errorf("%d releases, %d looks at a selector", len(all), asked)
	}
}

// counting is a selector that counts how often it was asked.
type counting struct {
	Matcher
	asked *int
}

func (c counting) Matches(l map[string]string) bool { *c.asked++; return c.Matcher.Matches(l) }

func TestControlled(t *testing.T) {
	mark := func(key, value string) func(*Snapshot) {
		return func(s *Snapshot) { s.Deployments[0].Marks = map[string]string{key: value} }
	}
	for _, tc := range []struct {
		name          string
		change        func(*Snapshot)
		object        string
		message, next string // how it begins; the command
	}{
		{"a Rollout's Service", func(s *Snapshot) { s.Services[0].Marks = map[string]string{markArgoRollouts: "web"} }, "Service/auth", "Argo Rollouts (Rollout web) drives Service auth: it gives the Service the pods of its own step", "delete rollouts.argoproj.io web --cascade=orphan"},
		{"a mark that is no name", func(s *Snapshot) { s.Services[0].Marks = map[string]string{markArgoRollouts: "web; echo"} }, "Service/auth", "Argo Rollouts drives Service auth: ", "get rollouts.argoproj.io"},
		{"a Canary's Service", func(s *Snapshot) { s.Services[0].Owner = "Canary/auth" }, "Service/auth", "Flagger (Canary auth) drives Service auth: ", "delete canaries.flagger.app auth --cascade=orphan"},
		{"a Canary's Deployment", func(s *Snapshot) { s.Deployments[1].Owner = "Canary/auth" }, "Deployment/auth-v2", "Flagger (Canary auth) drives Deployment auth-v2: it sets replicas by its own steps, and would undo a move", "delete canaries.flagger.app auth --cascade=orphan"},
		{"scaled by Flagger", func(s *Snapshot) { s.Deployments[0].Writer.Manager = "flagger" }, "Deployment/auth-v1", "Flagger drives Deployment auth-v1: ", "get canaries.flagger.app"},
		{"scaled by Argo Rollouts", func(s *Snapshot) { s.Deployments[0].Writer.Manager = "rollouts-controller" }, "Deployment/auth-v1", "Argo Rollouts drives Deployment auth-v1: ", "get rollouts.argoproj.io"},
		{"owned by a Rollout", func(s *Snapshot) { s.Deployments[0].Owner = "Rollout/web" }, "Deployment/auth-v1", "Argo Rollouts (Rollout web) drives", "delete rollouts.argoproj.io web --cascade=orphan"},
		{"in an OpenKruise release", mark(markKruise, `{"rolloutName":"web"}`), "Deployment/auth-v1", "OpenKruise (Rollout web) drives Deployment auth-v1: ", "delete rollouts.rollouts.kruise.io web --cascade=orphan"},
		{"made by OpenKruise", mark(markKruiseCanary, "auth"), "Deployment/auth-v1", "OpenKruise drives Deployment auth-v1: ", "get rollouts.rollouts.kruise.io"},
		{"scaled by a person", func(s *Snapshot) { s.Deployments[0].Writer.Manager, s.Deployments[0].Owner = "kubectl", "App/web" }, "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := auth(3, 1)
			tc.change(s)
			got := Preflight(one(s, Options{}), s, false)
			if tc.object == "" {
				if len(got) > 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Code != CodeControlled || got[0].Object != tc.object ||
				!strings.HasPrefix(got[0].Message, tc.message) || !slices.Equal(got[0].Next, []string{tc.next}) {
				t.Errorf("%+v", got)
			}
		})
	}
}
