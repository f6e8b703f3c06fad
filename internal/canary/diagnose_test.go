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
	killed := func(p *Pod) { p.Containers[0].Last = &Ended{Reason: "OOMKilled", ExitCode: 137} }
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
