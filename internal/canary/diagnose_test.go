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
			code: "SchedulingGated", message: "SchedulingGated", since: later, next: "describe pod p",
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
			name: "a container that cannot be created", pod: sick("p", "CreateContainerError", "no command specified", 0),
			code: "CreateContainerError", message: "CreateContainerError (no command specified)", since: noon, next: "describe pod p", definite: true,
		},
		{
			name: "a container that cannot be run", pod: sick("p", "RunContainerError", "no such file", 0),
			code: "RunContainerError", message: "RunContainerError (no such file)", since: noon, next: "describe pod p", definite: true,
		},
		{
			name: "a kubelet that has not got the secret yet", pod: sick("p", "CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition", 0),
			code: "CreateContainerConfigError", message: "CreateContainerConfigError (failed to sync secret cache: timed out waiting for the condition)", since: noon, next: "describe pod p",
		},
		{
			name: "well until later", code: CodeCrashLoop, message: "CrashLoopBackOff (Error, exit 139 SIGSEGV, 1 restart)", since: later, next: "logs p --previous",
			pod: with(sick("p", CodeCrashLoop, "back-off 10s", 1), func(p *Pod) {
				p.Conditions[1].Since = later
				p.Containers[0].Last = &Ended{Reason: "Error", ExitCode: 139}
			}),
		},
		{
			name: "a program that is not there", code: CodeCrashLoop, message: "CrashLoopBackOff (StartError, exit 128, 2 restarts: exec: no such file)", since: noon,
			next: "describe pod p", definite: true,
			pod: with(sick("p", CodeCrashLoop, "back-off 10s", 2), func(p *Pod) {
				p.Containers[0].Last = &Ended{Reason: "StartError", ExitCode: 128, Message: "exec: no such\n file"}
			}),
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
			name: "an init container", code: CodeCrashLoop, message: "init container migrate CrashLoopBackOff (Error, exit 1, 3 restarts)", since: noon,
			next: "logs p -c migrate --previous", definite: true,
			pod: with(sick("p", "PodInitializing", "", 0), func(p *Pod) {
				p.Containers = append([]Container{{
					Name: "migrate", Init: true, Restarts: 3, Waiting: &Waiting{Reason: CodeCrashLoop}, Last: &Ended{Reason: "Error", ExitCode: 1},
				}}, p.Containers...)
			}),
		},
		{
			name: "the sidecar, not the container that only waits for it", code: "ImagePullBackOff", message: "container proxy ImagePullBackOff", since: noon, next: "describe pod p",
			pod: with(sick("p", "ContainerCreating", "", 0), func(p *Pod) {
				p.Containers = append(p.Containers, Container{Name: "log", Ready: true}, Container{Name: "proxy", Waiting: &Waiting{Reason: "ImagePullBackOff"}})
			}),
		},
		{
			name: "a probe that fails", pod: plain(Condition{Type: "Ready", Reason: "ContainersNotReady", Message: "containers with unready status: [app]", Since: later}),
			code: CodeNotReady, message: "not ready: ContainersNotReady (containers with unready status: [app])", since: later, next: "describe pod p",
		},
		{
			name: "between two crashes", code: CodeRestarting, message: "not ready: ContainersNotReady, container app was restarted (OOMKilled, exit 137, 3 restarts)",
			since: noon, next: "logs p -c app --previous",
			pod: with(sick("p", "", "", 3), func(p *Pod) {
				killed(p)
				p.Containers[0].Waiting = nil
				p.Containers = append([]Container{{Name: "ready since", Ready: true, Restarts: 1, Last: &Ended{}}}, p.Containers...)
			}),
		},
		{
			name: "just crashed", code: CodeRestarting, message: "not ready: ContainersNotReady, container app has ended (Error, exit 2)",
			since: noon, next: "logs p",
			pod: with(sick("p", "", "", 0), func(p *Pod) {
				p.Containers[0].Waiting, p.Containers[0].Ended = nil, &Ended{Reason: "Error", ExitCode: 2}
			}),
		},
		{
			name: "a volume that is not mounted", pod: sick("p", "ContainerCreating", "", 0),
			code: CodeNotReady, message: "not ready: ContainerCreating", since: noon, next: "describe pod p",
		},
		{
			name: "an init container that takes its time", code: CodeNotReady, message: "not ready: init container migrate has not ended", since: noon, next: "describe pod p",
			pod: with(sick("p", "PodInitializing", "", 0), func(p *Pod) {
				p.Containers = append([]Container{{Name: "done", Init: true, Ready: true, Ended: &Ended{}}, {Name: "migrate", Init: true, Running: true}}, p.Containers...)
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
	if p, definite := DiagnoseDeployment(&d); p != nil || definite {
		t.Errorf("nothing is wrong, and yet %+v", p)
	}
	d.Failure = quota()
	want := &Problem{
		Code: CodeFailedCreate, Severity: Error, Object: "Deployment/auth-v2", Since: noon, Next: []string{"describe deployment auth-v2"},
		Message: `FailedCreate (pods "auth-v2-x" is forbidden: exceeded quota: pods)`,
	}
	got, definite := DiagnoseDeployment(&d)
	if diff := cmp.Diff(want, got); diff != "" || !definite {
		t.Errorf("definite is %v (-want +got):\n%s", definite, diff)
	}
}

// What is refused for good ends a wait; what the next try may well get through does not.
func TestDefiniteFailures(t *testing.T) {
	for message, want := range map[string]bool{
		`pods "a" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=9, limited: pods=9`: true,
		`pods "a" is forbidden: failed quota: compute: must specify limits.cpu for: app`:                 true,
		`pods "a" is forbidden: maximum cpu usage per Container is 1, but limit is 2`:                    true,
		`pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true`:          true,
		`pods "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`:       true,
		`pods is forbidden: User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "pods" in API group "" in the namespace "messenger": rbac: RBAC: [clusterrole.rbac.authorization.k8s.io "system:discovery" not found]`: false,
		`admission webhook "images.example.test" denied the request: unsigned`:                                                                 true,
		`pods "a" is forbidden: error looking up service account ns/x: serviceaccount "x" not found`:                                           true,
		`Pod "a" is invalid: spec.containers[0].image: Required value`:                                                                         true,
		`pods "a" is forbidden: status unknown for quota: tight, resources: pods`:                                                              false,
		`Operation cannot be fulfilled on resourcequotas "tight": the object has been modified; please apply your changes to the latest`:       false,
		`Internal error occurred: failed calling webhook "x": failed to call webhook: Post "https://x": dial tcp: connect: connection refused`: false,
		`etcdserver: leader changed`: false,
		`Timeout: request did not complete within requested timeout - context deadline exceeded`: false,
	} {
		d := deployment("auth-v2", 1, "app=auth")
		d.Failure = &Failure{Reason: CodeFailedCreate, Message: message}
		if _, got := DiagnoseDeployment(&d); got != want {
			t.Errorf("definite is %v: %s", got, message)
		}
	}
}
