package canary

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A Service for metrics, say, that gathers what others serve is no release, whatever labels its Deployments have.
func TestCatchAll(t *testing.T) {
	auth := []string{"auth[auth] version v1/v2"}
	for _, tc := range []struct {
		name   string
		others []string // labels of the Deployments beside auth-v1 and auth-v2
		want   []string
	}{
		{"of a release and one version, the same", []string{"version=v1"}, auth},
		{"of a release and another version", []string{"version=3.1"}, auth},
		{"of a release and no version", []string{"x=y"}, auth},
		{"of a release and a version by another label", []string{"app.kubernetes.io/version=3.1"}, auth},
		{"of two releases of the same versions", []string{"version=v1", "version=v2"}, append(auth, "chat[chat] version v1/v2")},
		{"of two releases of different versions", []string{"version=v3", "version=v4"}, append(auth, "chat[chat] version v3/v4")},
	} {
		for _, key := range []string{"app", "component"} { // with a label that says whose it is, and with one that may
			t.Run(tc.name+", by "+key, func(t *testing.T) {
				objects := []any{
					service("auth", key+"=auth"), service("chat", key+"=chat"), service("m", "team=x"),
					deployment("auth-v1", 3, key+"=auth,team=x,version=v1"), deployment("auth-v2", 0, key+"=auth,team=x,version=v2"),
				}
				for i, l := range tc.others {
					objects = append(objects, deployment(fmt.Sprint("chat-", i), 1, key+"=chat,team=x,"+l))
				}
				if diff := cmp.Diff(tc.want, sketches(Discover(namespace(objects...), Options{}))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	// Taken for a release, this would move traffic from one application's pods to another's.
	for _, labels := range [][2]string{
		{"app=auth,version=2.0.0", "app=chat,version=3.1.0"},
		{"app.kubernetes.io/name=auth,version=2.0.0", "app.kubernetes.io/name=chat,version=3.1.0"},
		{"component=auth,version=2.0.0", "component=chat,version=2.0.0"},
	} {
		ns := namespace(service("auth", strings.Split(labels[0], ",")[0]), service("chat", strings.Split(labels[1], ",")[0]), service("m", "team=x"),
			deployment("auth", 3, "team=x,"+labels[0]), deployment("chat", 3, "team=x,"+labels[1]))
		if got := Discover(ns, Options{}); len(got) != 0 {
			t.Errorf("of two applications with one version each, %s: got %s", labels, sketches(got))
		}
	}
}

// Services that overlap crosswise gather nothing: each is shown, with what it shares.
func TestOverlapIsNoCatchAll(t *testing.T) {
	all := Discover(namespace(
		service("x", "x=1"), service("y", "y=1"), service("z", "z=1"),
		deployment("a", 1, "app=a,x=1,z=1,version=v1"), deployment("b", 1, "app=b,x=1,y=1,version=v2"), deployment("c", 1, "app=c,y=1,z=1,version=v3"),
	), Options{})
	if len(all) != 3 {
		t.Fatalf("got %s", sketches(all))
	}
	for _, r := range all {
		if len(r.Problems) == 0 || r.Problems[0].Code != CodeSharedDeployment {
			t.Errorf("%s: %+v", r.Name, r.Problems)
		}
	}
}

// Each reason says which object it is about, and what to do.
func TestShapeProblems(t *testing.T) {
	for _, tc := range []struct {
		ns           *Snapshot
		options      Options
		code, object string
		message      string
	}{
		{
			namespace(service("shop", "app=shop"), deployment("worker", 2, "app=shop,component=worker"), deployment("web", 3, "app=shop,component=web")),
			Options{}, CodeVersionLabel, "Deployment/web",
			"the Deployments web, worker differ only in the label component, which may not be a version: say so with --version-label component",
		},
		{
			namespace(service("auth", "app=auth"), deployment("b", 3, "app=auth"), deployment("a", 3, "app=auth")),
			Options{}, CodeNoVersionLabel, "Deployment/a",
			"no label tells the Deployments a, b apart: name it with --version-label",
		},
		{
			namespace(service("auth", "app=auth"), deployment("a", 3, "app=auth,color=red"), deployment("b", 3, "app=auth")),
			Options{VersionLabel: "color"}, CodeNoVersionLabel, "Deployment/b", "the pods of Deployment b have no label color",
		},
		{
			namespace(service("auth", "app=auth"), deployment("a", 3, "app=auth,version=v1"), deployment("b", 3, "app=auth,version=v2"), deployment("c", 3, "app=auth,version=v2")),
			Options{}, CodeDuplicateVersion, "Deployment/c", "version v2 (label version) is carried by two Deployments: b, c",
		},
		{
			namespace(service("auth", "app=auth,version=v1"), deployment("a", 3, "app=auth,version=v1"), deployment("b", 3, "app=auth,version=v2")),
			Options{}, CodePinnedService, "Service/auth",
			"Service auth selects one version only, and no Service spans the versions: take the label version out of its selector",
		},
		{
			auth(3, 1), Options{Stable: "v3"}, CodeUnknownVersion, "Service/auth", "release auth has no version v3: it has v1, v2",
		},
		{
			auth(3, 1), Options{Stable: "v1", Canary: "v1"}, CodeUnknownVersion, "Service/auth",
			"stable v1 and canary v1 are not two versions of release auth: it has v1, v2",
		},
	} {
		r := one(tc.ns, tc.options)
		want := []Problem{{Code: tc.code, Severity: Error, Object: tc.object, Message: tc.message}}
		if diff := cmp.Diff(want, r.Problems); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.code, diff)
		}
	}
}
