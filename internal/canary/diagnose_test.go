package canary

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sick is a pod with one container that waits.
func sick(name, reason, message string, restarts int) Pod {
	return Pod{
		Name: name, Owned: true, Created: noon, Phase: "Pending", Labels: labels("app=auth,version=v2"),
		Conditions: []Condition{{Type: "PodScheduled", Status: true}, {Type: "Ready", Reason: "ContainersNotReady", Since: noon}},
		Containers: []Container{{Name: "app", Restarts: restarts, Waiting: &Waiting{reason, message}}},
	}
}

func TestDiagnose(t *testing.T) {
	later := noon.Add(time.Minute)
	with := func(p Pod, f func(*Pod)) Pod { f(&p); return p }
	killed := func(p *Pod) { p.Containers[0].Last = &Ended{Reason: "OOMKilled", ExitCode: 137, At: later} }
	plain := func(conditions ...Condition) Pod { return Pod{Name: "p", Created: noon, Conditions: conditions} }

	for _, tc := range []struct {
		name     string
		pod      Pod
		code     string
		message  string
		since    time.Time
		next     string
		definite bool
	}{
		{name: "ready", pod: plain(Condition{Type: "Ready", Status: true})},
		{name: "nothing known yet", pod: plain()},
		{name: "ready, though a container waits", pod: with(sick("p", CodeCrashLoop, "", 9), func(p *Pod) { p.Conditions[1].Status = true })},
		{name: "terminating", pod: with(sick("p", CodeCrashLoop, "", 9), func(p *Pod) { p.Terminating = true })},
		{name: "evicted", pod: with(sick("p", CodeCrashLoop, "", 9), func(p *Pod) { p.Phase = "Failed" })},
		{name: "run to its end", pod: with(sick("p", "", "", 0), func(p *Pod) { p.Phase = "Succeeded" })},

		{
			name: "unschedulable", pod: plain(Condition{Type: "PodScheduled", Reason: "Unschedulable", Message: "0/3 nodes are available", Since: later}),
			code: CodeUnschedulable, message: "Unschedulable (0/3 nodes are available)", since: later, next: "describe pod p",
		},
		{
			name: "gated", pod: plain(Condition{Type: "PodScheduled", Reason: "SchedulingGated", Since: later}),
			code: CodeUnschedulable, message: "SchedulingGated", since: later, next: "describe pod p",
		},
		{
			name: "no such image", pod: sick("p", "ErrImagePull", "not found", 0),
			code: "ErrImagePull", message: "ErrImagePull (not found)", since: noon, next: "describe pod p",
		},
		{
			name: "no such image, backing off", pod: sick("p", "ImagePullBackOff", "Back-off pulling image", 0),
			code: "ImagePullBackOff", message: "ImagePullBackOff (Back-off pulling image)", since: noon, next: "describe pod p",
		},
		{
			name: "a name that is none", pod: sick("p", "InvalidImageName", "", 0),
			code: "InvalidImageName", message: "InvalidImageName", since: noon, next: "describe pod p", definite: true,
		},
		{
			name: "an image that must be there and is not", pod: sick("p", "ErrImageNeverPull", "", 0),
			code: "ErrImageNeverPull", message: "ErrImageNeverPull", since: noon, next: "describe pod p", definite: true,
		},
		{
			name: "a missing secret", pod: sick("p", "CreateContainerConfigError", `secret "db" not found`, 0),
			code: "CreateContainerConfigError", message: `CreateContainerConfigError (secret "db" not found)`, since: noon, next: "describe pod p", definite: true,
		},
		{
			name: "a container that cannot be created", pod: sick("p", "CreateContainerError", "", 0),
			code: "CreateContainerError", message: "CreateContainerError", since: noon, next: "describe pod p",
		},
		{
			name: "a container that cannot be run", pod: sick("p", "RunContainerError", "", 0),
			code: "RunContainerError", message: "RunContainerError", since: noon, next: "describe pod p",
		},
		{
			name: "a first crash may be a database that is late", pod: sick("p", CodeCrashLoop, "back-off 10s", 1),
			code: CodeCrashLoop, message: "CrashLoopBackOff (back-off 10s)", since: noon, next: "logs p --previous",
		},
		{
			name: "the second is not", pod: with(sick("p", CodeCrashLoop, "back-off", 2), killed),
			code: CodeCrashLoop, message: "CrashLoopBackOff (OOMKilled, exit 137, 2 restarts)", since: noon, next: "logs p --previous", definite: true,
		},
		{
			name: "an init container", code: CodeCrashLoop, message: "CrashLoopBackOff (Error, exit 1, 3 restarts)", since: noon,
			next: "logs p -c migrate --previous", definite: true,
			pod: with(sick("p", "PodInitializing", "", 0), func(p *Pod) {
				p.Containers = append([]Container{{
					Name: "migrate", Restarts: 3, Waiting: &Waiting{Reason: CodeCrashLoop}, Last: &Ended{Reason: "Error", ExitCode: 1},
				}}, p.Containers...)
			}),
		},
		{
			name: "the sidecar, not the container that only waits for it", code: "ImagePullBackOff", message: "ImagePullBackOff", since: noon, next: "describe pod p",
			pod: with(sick("p", "ContainerCreating", "", 0), func(p *Pod) {
				p.Containers = append(p.Containers, Container{Name: "log", Ready: true}, Container{Name: "proxy", Waiting: &Waiting{Reason: "ImagePullBackOff"}})
			}),
		},
		{
			name: "a probe that fails", pod: plain(Condition{Type: "Ready", Reason: "ContainersNotReady", Message: "containers with unready status: [app]", Since: later}),
			code: CodeNotReady, message: "not ready: ContainersNotReady (containers with unready status: [app])", since: later, next: "describe pod p",
		},
		{
			name: "between two crashes", code: CodeRestarting, message: "not ready: ContainersNotReady, app was restarted (OOMKilled, exit 137, 3 restarts)",
			since: noon, next: "logs p -c app --previous",
			pod: with(sick("p", "", "", 3), func(p *Pod) {
				killed(p)
				p.Containers[0].Waiting = nil
				p.Containers = append([]Container{{Name: "ready since", Ready: true, Restarts: 1, Last: &Ended{}}}, p.Containers...)
			}),
		},
		{
			name: "a readiness gate", pod: plain(Condition{Type: "Ready", Reason: "ReadinessGatesNotReady", Message: `corresponding condition of pod readiness gate "lb" does not exist.`, Since: later}),
			code: CodeNotReady, message: `not ready: ReadinessGatesNotReady (corresponding condition of pod readiness gate "lb" does not exist.)`, since: later, next: "describe pod p",
		},
		{
			name: "not ready, for no reason", pod: plain(Condition{Type: "Ready", Since: later}),
			code: CodeNotReady, message: "not ready", since: later, next: "describe pod p",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, definite := Diagnose(&tc.pod)
			var want *Problem
			if tc.code != "" {
				want = &Problem{Code: tc.code, Severity: Error, Object: "Pod/p", Message: tc.message, Since: tc.since, Next: []string{tc.next}}
			}
			if diff := cmp.Diff(want, got); diff != "" || definite != tc.definite {
				t.Errorf("definite is %v (-want +got):\n%s", definite, diff)
			}
		})
	}
}

// quota is what a Deployment says of pods that it may not create.
func quota() *Failure {
	return &Failure{Reason: CodeFailedCreate, Message: `pods "auth-v2-x" is forbidden: exceeded quota: pods`, Since: noon}
}

func TestDiagnoseDeployment(t *testing.T) {
	d := deployment("auth-v2", 1, "app=auth")
	if p := DiagnoseDeployment(&d); p != nil {
		t.Errorf("nothing is wrong, and yet %+v", p)
	}
	d.Failure = quota()
	want := &Problem{
		Code: CodeFailedCreate, Severity: Error, Object: "Deployment/auth-v2", Since: noon, Next: []string{"describe deployment auth-v2"},
		Message: `FailedCreate (pods "auth-v2-x" is forbidden: exceeded quota: pods)`,
	}
	if diff := cmp.Diff(want, DiagnoseDeployment(&d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

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
