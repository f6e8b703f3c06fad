package canary

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindAstray(t *testing.T) {
	authV1, authV2 := deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")
	auth := service("auth", "app=auth")
	both := []Deployment{authV1, authV2}
	v1 := Astray{Deployment: "auth-v1", In: "default", Service: "auth", Of: "messenger"}
	v2 := Astray{Deployment: "auth-v2", In: "default", Service: "auth", Of: "messenger"}
	for _, tc := range []struct {
		name string
		all  []Landing
		want []Astray
	}{
		{"together", []Landing{{Namespace: "messenger", Services: []Service{auth}, Deployments: both}}, nil},
		{
			"the Service alone",
			[]Landing{{Namespace: "default", Deployments: both}, {Namespace: "messenger", Services: []Service{auth}}},
			[]Astray{v1, v2},
		},
		{
			"one of two",
			[]Landing{{Namespace: "default", Deployments: []Deployment{authV2}}, {Namespace: "messenger", Services: []Service{auth}, Deployments: []Deployment{authV1}}},
			[]Astray{v2},
		},
		{
			"the same application in two namespaces",
			[]Landing{{Namespace: "default", Services: []Service{auth}, Deployments: both}, {Namespace: "messenger", Services: []Service{auth}, Deployments: both}},
			nil,
		},
		{
			"a Service for Deployments that are there already",
			[]Landing{
				{Namespace: "default", Services: []Service{auth}, Deployments: both},
				{Namespace: "messenger", Services: []Service{auth}, Present: namespace(authV1)},
			},
			nil,
		},
		{
			"a Service more, for Deployments that have one",
			[]Landing{{Namespace: "default", Services: []Service{auth}, Deployments: both}, {Namespace: "messenger", Services: []Service{auth}}},
			[]Astray{v1, v2},
		},
		{
			"Deployments for a Service that is there already",
			[]Landing{
				{Namespace: "default", Deployments: both, Present: namespace(auth)},
				{Namespace: "messenger", Services: []Service{auth}, Deployments: both},
			},
			nil,
		},
		{
			"a Service that is there, and will select others",
			[]Landing{
				{Namespace: "default", Services: []Service{service("auth", "app=other")}, Deployments: both, Present: namespace(auth)},
				{Namespace: "messenger", Services: []Service{auth}, Deployments: both},
			},
			[]Astray{v1, v2},
		},
		{
			"a Service without a selector",
			[]Landing{{Namespace: "default", Deployments: both}, {Namespace: "messenger", Services: []Service{service("auth", "")}}},
			nil,
		},
	} {
		if diff := cmp.Diff(tc.want, FindAstray(tc.all)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tc.name, diff)
		}
	}
}

func TestTouched(t *testing.T) {
	both := namespace(service("auth", "app=auth"), deployment("auth-v1", 2, "app=auth,version=v1"), deployment("auth-v2", 2, "app=auth,version=v2"),
		service("chat", "app=chat"), deployment("chat-v1", 2, "app=chat,version=v1"), deployment("chat-v2", 2, "app=chat,version=v2"))
	for _, tc := range []struct {
		name  string
		given Landing
		want  []string
	}{
		{"nothing of a release", Landing{Services: []Service{service("users", "app=users")}}, nil},
		{"a Service", Landing{Services: []Service{service("chat", "app=new")}}, []string{"chat"}},
		{"a Deployment", Landing{Deployments: []Deployment{deployment("auth-v2", 9, "app=new")}}, []string{"auth"}},
	} {
		tc.given.Present = both
		var got []string
		for _, r := range tc.given.Touched(Options{}) {
			got = append(got, r.Name)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tc.name, diff)
		}
	}
	if got := (Landing{Services: []Service{service("auth", "app=auth")}}).Touched(Options{}); got != nil {
		t.Errorf("in a namespace that is not there: %v", got)
	}
}
