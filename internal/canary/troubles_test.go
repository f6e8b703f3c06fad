package canary

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// troubled is a release whose canary has pods that do not serve.
func troubled(pods ...Pod) *Snapshot {
	s := auth(3, 0)
	s.Deployments[1].Replicas, s.Deployments[1].Pods = len(pods), len(pods)
	s.Pods = append(s.Pods, pods...)
	return s
}

func starting(name string, created time.Time) Pod {
	return Pod{
		Name: name, Owned: true, Created: created, Labels: labels("app=auth,version=v2"),
		Conditions: []Condition{{Type: "Ready", Reason: "ContainersNotReady", Since: created}},
	}
}

func TestTroubles(t *testing.T) {
	const grace = 10 * time.Second
	now := noon.Add(time.Minute)
	interrupted := recorded(3, 5000, Split{3, 0})
	interrupted.Target, interrupted.Move = Split{2, 2}, &Move{Command: "shift --to 50", By: "ann", Since: noon}
	promoting := interrupted
	promoting.Desired, promoting.Target = Full, Split{0, 3}
	going := interrupted
	going.Desired, going.Target = None, Split{3, 0}
	locked := auth(3, 1).record("auth", interrupted)
	locked.Leases["auth"] = Lease{Holder: "ann", Record: &interrupted}

	type line struct {
		Object, Message string
		Next            []string
	}
	for _, tc := range []struct {
		name string
		ns   *Snapshot
		want []line
	}{
		{"none", auth(3, 1), nil},
		{"a pod in its first seconds", troubled(starting("a", now.Add(-grace/2))), nil},
		{
			"one that takes too long", troubled(starting("a", now.Add(-2*grace))),
			[]line{{"Pod/a", "not ready: ContainersNotReady", []string{"describe pod a", "canary rollback auth"}}},
		},
		{
			"what is wrong by more than time is told at once", troubled(bornAt(sick("a", "ImagePullBackOff", "", 0), now)),
			[]line{{"Pod/a", "ImagePullBackOff", []string{"describe pod a", "canary rollback auth"}}},
		},
		{
			"the definite before the first, one a version", troubled(sick("a", "ImagePullBackOff", "", 0), sick("b", CodeCrashLoop, "", 5), sick("c", "InvalidImageName", "", 0)),
			[]line{{"Pod/b", "CrashLoopBackOff", []string{"logs b --previous", "canary rollback auth"}}},
		},
		{
			"an evicted pod hides nothing", troubled(evicted("a"), sick("b", "ImagePullBackOff", "", 0)),
			[]line{{"Pod/b", "ImagePullBackOff", []string{"describe pod b", "canary rollback auth"}}},
		},
		{
			"a stable pod is no reason to roll back", func() *Snapshot {
				s := auth(2, 1)
				s.Deployments[0].Replicas = 3
				p := sick("a", "ImagePullBackOff", "", 0)
				p.Labels = labels("app=auth,version=v1")
				s.Pods = append(s.Pods, p)
				return s
			}(),
			[]line{{"Pod/a", "ImagePullBackOff", []string{"describe pod a"}}},
		},
		{
			"a pod that should be gone", func() *Snapshot {
				s := auth(3, 1)
				s.Pods = append(s.Pods, leaving("a", now.Add(-2*grace), "example.test/hold", "other"), leaving("b", now.Add(-3*grace)))
				return s
			}(),
			[]line{{"Pod/a", "should be gone, and is still terminating (2 finalizers left: example.test/hold, other)", []string{"describe pod a"}}},
		},
		{
			"one whose node does not answer", func() *Snapshot {
				s := auth(3, 1)
				s.Pods = append(s.Pods, leaving("a", now.Add(grace)), leaving("b", now.Add(-2*grace)))
				return s
			}(),
			[]line{{"Pod/b", "should be gone, and is still terminating (its node may be down)", []string{"describe pod b"}}},
		},
		{
			"pods that may not be created", func() *Snapshot {
				s := troubled(sick("a", "ImagePullBackOff", "", 0))
				s.Deployments[1].Failure = quota()
				return s
			}(),
			[]line{{"Deployment/auth-v2", `FailedCreate (pods "auth-v2-x" is forbidden: exceeded quota: pods)`, []string{"describe deployment auth-v2"}}},
		},
		{
			"its shape", namespace(service("shop", "app=shop"), deployment("web", 1, "app=shop,part=web"), deployment("worker", 1, "app=shop,part=worker")),
			[]line{{"Deployment/web", "the Deployments web, worker differ only in the label part, which may not be a version: say so with --version-label part", nil}},
		},
		{
			"a move that was cut off", auth(3, 1).record("auth", interrupted),
			[]line{{"Service/auth", "`shift --to 50` of auth by ann was cut off at 3/1 (stable/canary), on the way from 3/0 to 2/2", []string{"canary shift auth --to 50", "canary rollback auth"}}},
		},
		{
			"a promote that was cut off", auth(2, 1).record("auth", promoting),
			[]line{{"Service/auth", "`shift --to 50` of auth by ann was cut off at 2/1 (stable/canary), on the way from 3/0 to 0/3", []string{"canary promote auth", "canary rollback auth"}}},
		},
		{
			"a rollback that was cut off has one way only", auth(3, 1).record("auth", going),
			[]line{{"Service/auth", "`shift --to 50` of auth by ann was cut off at 3/1 (stable/canary), on the way from 3/0 to 3/0", []string{"canary rollback auth"}}},
		},
		{"a move that is under way", locked, nil},
		{"a split as it was set", auth(3, 1).record("auth", recorded(3, 2500, Split{3, 1})), nil},
		{
			"all scaled away", auth(0, 0),
			[]line{{"Service/auth", "both versions of auth are at 0 replicas: nothing serves", []string{"canary rollback auth --replicas 1"}}},
		},
		{
			"all scaled away, and a baseline recorded", auth(0, 0).record("auth", recorded(3, 2500, Split{3, 1})),
			[]line{{"Service/auth", "both versions of auth are at 0 replicas: nothing serves", []string{"canary rollback auth --replicas 3"}}},
		},
		{
			"drift", auth(5, 1).record("auth", recorded(3, 2500, Split{3, 1})),
			[]line{{"Service/auth", "replicas of auth were set to 3/1 (stable/canary), and somebody else has made them 5/1", []string{"canary rollback auth"}}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []line
			for _, p := range Troubles(one(tc.ns, Options{}), tc.ns, now, grace) {
				got = append(got, line{p.Object, p.Message, p.Next})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func bornAt(p Pod, created time.Time) Pod {
	p.Created = created
	return p
}

// leaving is a terminating pod of v2 whose grace period ends then.
func leaving(name string, end time.Time, finalizers ...string) Pod {
	return Pod{Name: name, Owned: true, Labels: labels("app=auth,version=v2"), Terminating: true, GoneBy: end, Finalizers: finalizers}
}

func evicted(name string) Pod {
	p := starting(name, noon)
	p.Phase = "Failed"
	return p
}

// At a deadline even a pod that has just started is an answer.
func TestWhyNotServing(t *testing.T) {
	ns := troubled(starting("a", noon))
	r := one(ns, Options{})
	if p := WhyNotServing(ns, r.Canary); p == nil || p.Object != "Pod/a" {
		t.Errorf("got %+v", p)
	}
	if p := WhyNotServing(auth(3, 1), r.Stable); p != nil {
		t.Errorf("all serve, and yet %+v", p)
	}
	ns.Deployments[1].Failure = quota()
	if p := WhyNotServing(ns, one(ns, Options{}).Canary); p == nil || p.Code != CodeFailedCreate {
		t.Errorf("got %+v", p)
	}
}

func TestPodsOf(t *testing.T) {
	ns := auth(2, 1)
	ns.run(Pod{Name: "by-hand", Labels: labels("app=auth,version=v1")})
	var got []string
	for _, p := range PodsOf(ns, one(ns, Options{}).Stable) {
		got = append(got, p.Name)
	}
	if diff := cmp.Diff([]string{"auth-v1-0", "auth-v1-1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
