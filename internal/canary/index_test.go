package canary

import (
	"fmt"
	"slices"
	"testing"
)

func TestEndpoints(t *testing.T) {
	ns := namespace(service("auth", "app=auth"), service("auth-grpc", "app=auth"),
		deployment("auth-v1", 2, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2"))
	serves := func() string {
		r := one(ns, Options{})
		return fmt.Sprintf("%d/%d+%d", r.Stable.Serving, r.Canary.Serving, r.Foreign)
	}
	check := func(what, want string) {
		t.Helper()
		if got := serves(); got != want {
			t.Errorf("%s: stable/canary+foreign is %s, want %s", what, got, want)
		}
	}
	check("all up", "2/1+0")

	again := ns.Endpoints[0]
	again.Address = "fd00::1"
	ns.Endpoints = append(ns.Endpoints, again, ns.Endpoints[0])
	check("a second family and a second slice", "2/1+0")

	all := slices.Clone(ns.Endpoints)
	ns.Endpoints = slices.DeleteFunc(slices.Clone(all), func(e Endpoint) bool { return e.Service == "auth-grpc" && e.PodUID == "uid-auth-v2-0" })
	check("the canary in one of two Services", "2/0+0")
	ns.Endpoints = append(ns.Endpoints, ns.Endpoints...)
	check("the canary in one of two Services, in two slices of it", "2/0+0")

	for i := range ns.Endpoints {
		ns.Endpoints[i].Ready = ns.Endpoints[i].PodUID != "uid-auth-v1-1"
	}
	check("a stable pod that is not ready", "1/0+0")

	ns.Endpoints = slices.Clone(all)
	for i := range ns.Endpoints {
		ns.Endpoints[i].Terminating = ns.Endpoints[i].PodUID == "uid-auth-v1-0" && ns.Endpoints[i].Service == "auth"
	}
	check("one that terminates, in one of two Services", "1/1+0")

	ns.Endpoints = slices.Clone(all)
	pods := slices.Clone(ns.Pods)
	ns.Pods[0].Terminating = true
	check("the slices lag behind a pod that terminates", "1/1+0")
	ns.Pods = pods[1:]
	check("the slices lag behind a pod that is gone", "1/1+0")

	ns.Pods, ns.Endpoints = pods, slices.Clone(all)
	ns.run(Pod{Name: "by-hand", Labels: labels("app=auth,version=v1")})
	check("a pod with the labels, that no ReplicaSet owns", "2/1+1")
	ns.run(Pod{Name: "of-a-job", Labels: labels("app=auth"), Owned: true})
	check("a pod of no version", "2/1+2")
	for _, svc := range []string{"auth", "auth-grpc"} {
		ns.Endpoints = append(ns.Endpoints, Endpoint{Service: svc, Address: "10.0.0.9", Ready: true})
	}
	check("an address that is no pod's", "2/1+3")
	ns.Pods[len(ns.Pods)-1].Terminating = true
	check("a pod of no version that terminates", "2/1+2")

	// The whole Serving, and so every share, counts what is foreign.
	if r := one(ns, Options{}); r.Serving() != 5 || r.OthersServing() != 2 {
		t.Errorf("serving %d, others %d", r.Serving(), r.OthersServing())
	}
}

// Where the selectors of two Deployments overlap, the label decides whose a pod is.
func TestOverlappingSelectors(t *testing.T) {
	v1, v2 := deployment("auth-v1", 2, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")
	v1.Selector, v2.Selector = equals(labels("app=auth")), equals(labels("app=auth"))
	ns := namespace(service("auth", "app=auth"), v1, v2)
	r := one(ns, Options{})
	if r.Stable.Serving != 2 || r.Canary.Serving != 1 {
		t.Errorf("%d/%d serve", r.Stable.Serving, r.Canary.Serving)
	}
	if got := PodsOf(ns, r.Canary); len(got) != 1 || got[0].Name != "auth-v2-0" {
		t.Errorf("the canary's pods are %v", got)
	}
}

// Each pinned Service selects one version only, so a pod of it is in one of them.
func TestPinnedStillServes(t *testing.T) {
	r := one(namespace(service("auth-v1", "app=auth,version=v1"), service("auth-v2", "app=auth,version=v2"),
		deployment("auth-v1", 3, "app=auth,version=v1"), deployment("auth-v2", 1, "app=auth,version=v2")), Options{})
	if r.Stable.Serving != 3 || r.Canary.Serving != 1 || r.Phase() != PhaseCanary {
		t.Errorf("%d/%d serve, %s", r.Stable.Serving, r.Canary.Serving, r.Phase())
	}
}
