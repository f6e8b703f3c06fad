package canary

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// narrowed is what a reader of the Service's release alone gets: of the Deployments those that carry the selector's labels
// themselves, of the owners of ReplicaSets all.
func narrowed(s *Snapshot, twins []Service, labelled func(Deployment) bool) (part *Snapshot, owners []string) {
	selector := twins[0].Selector
	named := func(name string) bool {
		return slices.ContainsFunc(twins, func(t Service) bool { return t.Name == name })
	}
	part = &Snapshot{Namespace: s.Namespace, Services: s.Services, Leases: maps.Clone(s.Leases)}
	maps.DeleteFunc(part.Leases, func(name string, _ Lease) bool { return !named(name) })
	for _, d := range s.Deployments {
		if labelled(d) {
			part.Deployments = append(part.Deployments, d)
		}
		if contains(d.PodLabels, selector) {
			owners = append(owners, d.UID)
		}
	}
	for _, p := range s.Pods {
		if contains(p.Labels, selector) {
			part.Pods = append(part.Pods, p)
		}
	}
	for _, e := range s.Endpoints {
		if named(e.Service) {
			part.Endpoints = append(part.Endpoints, e)
		}
	}
	return part, owners
}

// What suffices shows the same release as the whole namespace, whatever the namespace looks like.
func TestNarrowShowsTheSame(t *testing.T) {
	narrow := 0
	rapid.Check(t, func(t *rapid.T) {
		s := oddNamespace(t)
		if len(s.Services) == 0 {
			return
		}
		if rapid.Bool().Draw(t, "in order") { // two versions behind one of the Services, or this is rare
			svc := &s.Services[0]
			svc.Selector = labels("app=a")
			for _, v := range []string{"v1", "v2"} {
				l := labels("app=a,version=" + v)
				s.Deployments = append(s.Deployments, Deployment{Name: "own-" + v, PodLabels: l, MatchLabels: l, Selector: equals(l), Replicas: 1, Pods: 1})
				s.Pods = append(s.Pods, Pod{Name: v, UID: v, Labels: l, Owned: true})
				s.Endpoints = append(s.Endpoints, Endpoint{Service: svc.Name, PodUID: v, Ready: true})
			}
		}
		unlabelled := map[string]bool{}
		for i := range s.Deployments {
			d := &s.Deployments[i]
			d.UID = "uid-" + d.Name
			unlabelled[d.Name] = rapid.IntRange(0, 9).Draw(t, "unlabelled") == 0
		}
		o := Options{VersionLabel: rapid.SampledFrom([]string{"", "", "x", "app"}).Draw(t, "version label")}
		svc := rapid.SampledFrom(s.Services).Draw(t, "named")
		name := svc.Name
		if len(svc.Selector) == 0 {
			return
		}
		twins := append([]Service{svc}, Twins(s.Services, svc)...)
		part, owners := narrowed(s, twins, func(d Deployment) bool {
			return contains(d.PodLabels, twins[0].Selector) && !unlabelled[d.Name]
		})
		if !Suffices(part, twins[0], owners) {
			return
		}
		narrow++
		matter := Selecting(part)
		part.Services = slices.DeleteFunc(slices.Clone(part.Services), func(s Service) bool { return !matter[s.Name] })
		want, wantErr := Find(s, o, []string{name})
		got, gotErr := Find(part, o, []string{name})
		if diff := cmp.Diff(errorText(wantErr), errorText(gotErr)); diff != "" {
			t.Fatalf("(-whole namespace +narrow):\n%s", diff)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Version{}), cmpopts.IgnoreUnexported(Release{})); diff != "" {
			t.Fatalf("(-whole namespace +narrow):\n%s", diff)
		}
	})
	if narrow < 50 {
		t.Errorf("only %d namespaces were narrow: the property was hardly checked", narrow)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTwins(t *testing.T) {
	services := []Service{
		service("chat", "app=chat"), service("auth", "app=auth"), service("auth-v1", "app=auth,version=v1"), service("auth-grpc", "app=auth"),
		service("all", "tier=backend"), service("none", ""),
	}
	for _, tc := range []struct {
		of   Service
		want []string
	}{
		{services[1], []string{"auth-v1", "auth-grpc"}}, {services[2], nil}, {services[0], nil},
	} {
		var got []string
		for _, s := range Twins(services, tc.of) {
			got = append(got, s.Name)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.of.Name, diff)
		}
	}
	for name, want := range map[string]string{"auth": "auth", "svc/auth-v1": "auth-v1", "service/chat": "chat", "deploy/auth": "", "pod/auth": "", "": ""} {
		if got, ok := ServiceNamed(name); ok != (want != "") || ok && got != want {
			t.Errorf("%q names the Service %q, %t", name, got, ok)
		}
	}
}

// The whole namespace is read wherever something outside of the selector could matter.
func TestSuffices(t *testing.T) {
	whole := func(objects ...any) *Snapshot { return namespace(append(objects, service("auth", "app=auth"))...) }
	v1, v2 := deployment("auth-v1", 3, "app=auth,tier=backend,version=v1"), deployment("auth-v2", 1, "app=auth,tier=backend,version=v2")
	both := []string{v1.UID, v2.UID}
	gone := whole(v1, v2)
	gone.Pods = gone.Pods[1:]
	for _, tc := range []struct {
		name   string
		part   *Snapshot
		svc    Service
		owners []string
		want   bool
	}{
		{"two versions", whole(v1, v2), service("auth", "app=auth"), both, true},
		{"a Service of one of them beside", whole(v1, v2, service("auth-v1", "app=auth,version=v1")), service("auth", "app=auth"), both, true},
		{"a Service of something else beside", whole(v1, v2, service("chat", "app=chat")), service("auth", "app=auth"), both, true},
		{"one version", whole(v1), service("auth", "app=auth"), both[:1], false},
		{"a version that lacks the labels", whole(v1, v2), service("auth", "app=auth"), append(both, "uid-auth-v3"), false},
		{"a wider Service beside", whole(v1, v2, service("all", "tier=backend")), service("auth", "app=auth"), both, false},
		{"an endpoint of a pod that is not there", gone, service("auth", "app=auth"), both, false},
	} {
		if got := Suffices(tc.part, tc.svc, tc.owners); got != tc.want {
			t.Errorf("%s: %t, want %t", tc.name, got, tc.want)
		}
	}
}
