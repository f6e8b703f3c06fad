package canary

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sketch draws a release in a line: name[services] label stable/canary +others !problems.
func sketch(r *Release) string {
	var services, others []string
	for _, s := range r.Services {
		services = append(services, s.Name)
	}
	for _, v := range r.Others {
		others = append(others, v.Name)
	}
	s := fmt.Sprintf("%s[%s] %s", r.Name, strings.Join(services, " "), r.Label)
	if r.Stable != nil {
		s += fmt.Sprintf(" %s/%s", r.Stable.Name, r.Canary.Name)
	}
	if len(others) > 0 {
		s += " +" + strings.Join(others, "+")
	}
	for _, code := range slices.Compact(codes(r.Problems)) {
		s += " !" + code
	}
	return s
}

func sketches(all []Release) []string {
	var lines []string
	for i := range all {
		lines = append(lines, sketch(&all[i]))
	}
	return lines
}

func TestDiscover(t *testing.T) {
	for _, tc := range []struct {
		name    string
		ns      *Snapshot
		options Options
		want    []string
	}{
		{"nothing", namespace(), Options{All: true}, nil},
		{"app and version", auth(3, 1), Options{}, []string{"auth[auth] version v1/v2"}},
		{
			"the recommended labels",
			namespace(service("auth", "app.kubernetes.io/name=auth"),
				deployment("auth-old", 3, "app.kubernetes.io/name=auth,app.kubernetes.io/version=1.9.0"),
				deployment("auth-new", 1, "app.kubernetes.io/name=auth,app.kubernetes.io/version=1.10.0")),
			Options{},
			[]string{"auth[auth] app.kubernetes.io/version 1.9.0/1.10.0"},
		},
		{
			"track alone",
			namespace(service("auth", "app=auth"),
				deployment("auth-canary", 1, "app=auth,track=canary"), deployment("auth", 3, "app=auth,track=stable")),
			Options{},
			[]string{"auth[auth] track stable/canary"},
		},
		{
			"track with version: the version names, the track decides, even where the lower is the canary",
			namespace(service("auth", "app=auth"),
				deployment("a", 1, "app=auth,version=v1,track=canary"), deployment("b", 3, "app=auth,version=v2,track=stable")),
			Options{},
			[]string{"auth[auth] version v2/v1"},
		},
		{
			"a version that is the same everywhere tells nothing",
			namespace(service("auth", "app=auth"),
				deployment("a", 3, "app=auth,version=v1,track=stable"), deployment("b", 1, "app=auth,version=v1,track=canary")),
			Options{},
			[]string{"auth[auth] track stable/canary"},
		},
		{
			"a version that some lack tells nothing",
			namespace(service("auth", "app=auth"),
				deployment("a", 3, "app=auth,track=stable"), deployment("b", 1, "app=auth,version=v2,track=canary")),
			Options{},
			[]string{"auth[auth] track stable/canary"},
		},
		{
			"names of Deployments say nothing",
			namespace(service("auth", "app=auth"),
				deployment("auth-v9", 3, "app=auth,version=v1"), deployment("auth-v1", 1, "app=auth,version=v2")),
			Options{},
			[]string{"auth[auth] version v1/v2"},
		},
		{
			"names that would, beside labels that do not",
			namespace(service("auth", "app=auth"), deployment("auth-v1", 3, "app=auth"), deployment("auth-v2", 1, "app=auth")),
			Options{},
			[]string{"auth[auth]  +auth-v1+auth-v2 !NoVersionLabel"},
		},
		{
			"Services per version, beside the one that spans them",
			namespace(service("auth-v1", "app=auth,version=v1"), service("auth", "app=auth"), service("auth-v2", "app=auth,version=v2"),
				deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")),
			Options{},
			[]string{"auth[auth] version v1/v2"},
		},
		{
			"Services per version by another label, beside the one that spans them",
			namespace(service("a1", "id=a1"), service("auth", "app=auth"), service("a2", "id=a2"),
				deployment("auth-v1", 3, "app=auth,version=v1,id=a1"), deployment("auth-v2", 1, "app=auth,version=v2,id=a2")),
			Options{},
			[]string{"auth[auth] version v1/v2"},
		},
		{
			"several Services of one set: named after the shortest, then the first",
			namespace(service("auth-internal", "app=auth"), service("oauth", "app=auth"), service("authn", "app=auth"),
				deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")),
			Options{},
			[]string{"authn[authn oauth auth-internal] version v1/v2"},
		},
		{
			"natural order, and the highest that serves is stable",
			namespace(service("auth", "app=auth"), deployment("a", 0, "app=auth,version=v9"),
				deployment("b", 1, "app=auth,version=v10"), deployment("c", 3, "app=auth,version=v2")),
			Options{},
			[]string{"auth[auth] version v2/v10 +v9"},
		},
		{
			"a release candidate comes before its release",
			namespace(service("auth", "app=auth"),
				deployment("a", 3, "app=auth,version=1.0.0"), deployment("b", 1, "app=auth,version=1.0.0-rc.1")),
			Options{},
			[]string{"auth[auth] version 1.0.0-rc.1/1.0.0"},
		},
		{
			"an empty value of the version label: the Deployment names it",
			namespace(service("auth", "app=auth"), deployment("a", 3, "app=auth,version="), deployment("b", 1, "app=auth,version=v2")),
			Options{},
			[]string{"auth[auth] version v2/a"},
		},
		{
			"two Deployments of one version",
			namespace(service("auth", "app=auth"), deployment("a", 3, "app=auth,version=v1"),
				deployment("b", 1, "app=auth,version=v2"), deployment("c", 1, "app=auth,version=v2")),
			Options{},
			[]string{"auth[auth] version +v1+v2+v2 !DuplicateVersion"},
		},
		{
			"two Deployments of one version, beside a catch-all of more",
			namespace(service("auth", "app=auth"), service("chat", "app=chat"), service("metrics", "team=x"),
				deployment("a", 3, "app=auth,team=x,version=v1"), deployment("b", 1, "app=auth,team=x,version=v2"),
				deployment("c", 1, "app=auth,team=x,version=v2"), deployment("d", 1, "app=chat,team=x,version=v1")),
			Options{},
			[]string{"auth[auth] version +v1+v2+v2 !DuplicateVersion"},
		},
		{
			"a Deployment in two releases",
			namespace(service("one", "one=yes"), service("two", "two=yes"), deployment("a", 1, "one=yes,version=v1"),
				deployment("b", 1, "one=yes,two=yes,version=v2"), deployment("c", 1, "two=yes,version=v3")),
			Options{},
			[]string{"one[one] version v1/v2 !SharedDeployment", "two[two] version v2/v3 !SharedDeployment"},
		},
		{
			"a web and a worker: a guess",
			namespace(service("shop", "app=shop"), deployment("web", 3, "app=shop,component=web"), deployment("jobs", 2, "app=shop,component=jobs")),
			Options{},
			[]string{"shop[shop] component jobs/web !VersionLabelGuessed"},
		},
		{
			"blue and green, with Services of their own: a guess that is shown",
			namespace(service("api", "app=api"), service("api-blue", "app=api,color=blue"), service("api-green", "app=api,color=green"),
				deployment("api-blue", 3, "app=api,color=blue"), deployment("api-green", 0, "app=api,color=green")),
			Options{},
			[]string{"api[api] color blue/green !VersionLabelGuessed"},
		},
		{
			"blue and green, confirmed",
			namespace(service("api", "app=api"), service("api-blue", "app=api,color=blue"), service("api-green", "app=api,color=green"),
				deployment("api-blue", 3, "app=api,color=blue"), deployment("api-green", 0, "app=api,color=green")),
			Options{VersionLabel: "color"},
			[]string{"api[api] color blue/green"},
		},
		{
			"selectors that differ in two labels tell nothing",
			namespace(service("shop", "app=shop"), deployment("web", 3, "app=shop,component=web,zone=a"), deployment("worker", 2, "app=shop,component=worker,zone=b")),
			Options{},
			[]string{"shop[shop]  +web+worker !NoVersionLabel"},
		},
		{
			"nor do selectors that differ in one label, and half in another",
			namespace(service("shop", "app=shop"), deployment("a", 1, "app=shop,part=a,zone=x"),
				deployment("b", 1, "app=shop,part=b,zone=x"), deployment("c", 1, "app=shop,part=c,zone=y")),
			Options{},
			[]string{"shop[shop]  +a+b+c !NoVersionLabel"},
		},
		{
			"a version label that is asked for and missing",
			auth(3, 1),
			Options{VersionLabel: "color"},
			[]string{"auth[auth] color +auth-v1+auth-v2 !NoVersionLabel"},
		},
		{
			"a pinned Service, and none that spans the versions",
			namespace(service("auth", "app=auth,version=v1"),
				deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")),
			Options{},
			[]string{"auth[auth] version v1/v2 !PinnedService"},
		},
		{
			"all Services pinned",
			namespace(service("auth-v1", "app=auth,version=v1"), service("auth-v2", "app=auth,version=v2"),
				deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")),
			Options{},
			[]string{"auth-v1[auth-v1 auth-v2] version v1/v2 !PinnedService"},
		},
		{
			"a pinned Service, beside versions that could not be told apart",
			namespace(service("auth", "app=auth,version=v1"), deployment("a", 3, "app=auth,version=v1"),
				deployment("b", 1, "app=auth,version=v2"), deployment("c", 1, "app=auth,version=v2")),
			Options{},
			nil,
		},
		{
			"a Service of its one version by the version alone is not pinned",
			namespace(service("v1", "version=v1"), deployment("auth-v1", 3, "app=auth,version=v1"), deployment("chat-v2", 1, "app=chat,version=v2")),
			Options{},
			nil,
		},
		{
			"an empty selector value is not a missing label",
			namespace(service("auth", "app=auth,x="), deployment("a", 1, "app=auth,version=v1"), deployment("b", 1, "app=auth,version=v2"),
				deployment("c", 1, "x="), deployment("d", 1, "x="), deployment("e", 1, "x=")),
			Options{},
			nil,
		},
		{
			"one version, no selector and no pods are no releases",
			namespace(service("one", "app=one"), service("none", ""), service("gone", "app=gone"),
				Service{Name: "out", ExternalName: true}, deployment("one", 1, "app=one,version=v1")),
			Options{},
			nil,
		},
		{
			"unless all are asked for, each with its reason",
			namespace(service("one", "app=one"), service("none", ""), service("gone", "app=gone"), service("all", "team=x"),
				Service{Name: "out", ExternalName: true}, deployment("one", 1, "app=one,version=v1,team=x"),
				service("auth", "app=auth"), deployment("a1", 1, "app=auth,version=v1,team=x"), deployment("a2", 1, "app=auth,version=v2,team=x")),
			Options{All: true},
			[]string{
				"all[all] version +v1+v1+v2 !CatchAll", "auth[auth] version v1/v2", "gone[gone]  !NoDeployment",
				"none[none]  !NoSelector", "one[one] version +v1 !OneVersion", "out[out]  !ExternalName",
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, sketches(Discover(tc.ns, tc.options))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// Servers list in any order.
			slices.Reverse(tc.ns.Services)
			slices.Reverse(tc.ns.Deployments)
			got := sketches(Discover(tc.ns, tc.options))
			for i := range got {
				if !strings.Contains(got[i], "CatchAll") && !strings.Contains(got[i], "DuplicateVersion") && got[i] != tc.want[i] {
					t.Errorf("in another order: %s, want %s", got[i], tc.want[i])
				}
			}
		})
	}
}
