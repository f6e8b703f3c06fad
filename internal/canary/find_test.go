package canary

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	ns := namespace(service("auth", "app=auth"), service("auth-grpc", "app=auth"), service("chat", "app=chat"), service("one", "app=one"),
		deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2"),
		deployment("chat-v1", 3, "app=chat,version=v1"), deployment("chat-v2", 1, "app=chat,version=v2"), deployment("one", 1, "app=one,version=v1"))
	for _, tc := range []struct {
		names []string
		want  []string
		err   string
	}{
		{names: nil, want: []string{"auth", "chat"}},
		{names: []string{"chat"}, want: []string{"chat"}},
		{names: []string{"chat", "auth"}, want: []string{"auth", "chat"}},
		{names: []string{"auth-grpc"}, want: []string{"auth"}},
		{names: []string{"svc/auth", "service/auth-grpc", "deploy/auth-v2", "Deployment/auth-v1", "deployment.apps/auth-v1"}, want: []string{"auth"}},
		{names: []string{"auth-v2"}, err: `release "auth-v2" not found in namespace "messenger": it has auth, chat`},
		{names: []string{"auth", "nope"}, err: `release "nope" not found in namespace "messenger": it has auth, chat`},
		{names: []string{"deploy/auth"}, err: `release "deploy/auth" not found in namespace "messenger": it has auth, chat`},
		{names: []string{"one"}, err: `"one" is no release: Service one has one version, Deployment one: there is nothing to shift to`},
		{names: []string{"deploy/one"}, err: `"deploy/one" is no release: Service one has one version, Deployment one: there is nothing to shift to`},
		{names: []string{"pod/auth"}, err: `invalid name "pod/auth": a release is named by a Service or a Deployment, not by a pod`},
		{names: []string{"svc/"}, err: `invalid name "svc/": want a release, service/NAME or deployment/NAME`},
		{names: []string{""}, err: `invalid name "": want a release, service/NAME or deployment/NAME`},
	} {
		found, err := Find(ns, Options{}, tc.names)
		if (err != nil) != (tc.err != "") || err != nil && err.Error() != tc.err {
			t.Errorf("%q: %v, want %s", tc.names, err, tc.err)
		}
		var got []string
		for _, r := range found {
			got = append(got, r.Name)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.names, diff)
		}
	}
	if _, err := Find(&Snapshot{Namespace: "empty"}, Options{}, []string{"auth"}); err == nil || err.Error() != `release "auth" not found in namespace "empty": it has no release` {
		t.Errorf("in an empty namespace: %v", err)
	}
}
