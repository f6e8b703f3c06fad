package printer

import (
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// noon is when everything is printed.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func version(service, name string, serving, replicas int) canary.Version {
	return canary.Version{Name: name, Serving: serving, Deployment: canary.Deployment{
		Name: service + "-" + name, Replicas: replicas, Pods: replicas, ReadyPods: serving,
		Images: []string{service + "-service:" + name}, Created: ago(4 * time.Minute),
		Requests: canary.Resources{MilliCPU: 100, MemoryBytes: 64 << 20},
	}}
}

// release is one whose Deployments stand complete at the split.
func release(name string, stable, second int) canary.Release {
	v1, v2 := version(name, "v1", stable, stable), version(name, "v2", second, second)
	return canary.Release{
		Namespace: "messenger", Name: name, Services: []canary.Service{{Name: name}},
		Stable: &v1, Canary: &v2, Label: "version",
	}
}

// recorded adds a record of a change, four minutes ago, from 3/0 to the split.
func recorded(r canary.Release, w canary.Weight, split canary.Split) canary.Release {
	r.Record = &canary.Record{
		Schema: canary.RecordSchema, Stable: "v1", Canary: "v2", Baseline: 3, Desired: w, Target: split, Set: split,
		Changes: []canary.Change{{
			Time: ago(4 * time.Minute), By: "jane@example.com", From: canary.None, To: w, Before: canary.Split{Stable: 3},
			After: split, Command: "shift", Reason: "a <b> & c", Outcome: canary.Done,
		}},
	}
	r.Lease.Record = r.Record
	return r
}

// moving is a release that an operator began to move to the split twenty seconds ago.
func moving(r canary.Release, w canary.Weight, split canary.Split) canary.Release {
	r = recorded(r, w, split)
	r.Record.Set = canary.Split{Stable: 3, Canary: 1}
	r.Record.Move = &canary.Move{Command: "shift --to 50", By: "jane@example.com", Since: ago(20 * time.Second)}
	r.Lease.Holder, r.Lease.Since = "jane@example.com@laptop/x1", ago(20*time.Second)
	return r
}

var crashing = canary.Problem{
	Code: canary.CodeCrashLoop, Severity: canary.Error, Object: "Pod/chat-v2-7c9d-x2",
	Message: "CrashLoopBackOff (OOMKilled, exit 137, 3 restarts)", Since: ago(45 * time.Second),
	Next: []string{"logs chat-v2-7c9d-x2 --previous", "canary rollback chat"},
}

// messenger is the namespace of docs/design.md §7.
func messenger() []Status {
	chat, users := moving(release("chat", 3, 2), 5000, canary.Split{Stable: 2, Canary: 2}), release("users", 3, 1)
	chat.Canary.Serving, chat.Canary.Deployment.ReadyPods = 1, 1
	for _, v := range users.Versions() {
		v.Serving, v.Deployment.ReadyPods = 0, 0
	}
	return []Status{
		{Release: recorded(release("auth", 3, 1), 2500, canary.Split{Stable: 3, Canary: 1})},
		{Release: chat, Problems: []canary.Problem{crashing}},
		{Release: release("friends", 3, 1)},
		{Release: users},
	}
}

// command completes next commands as the plugin does, for a user who named a context.
func command(next, namespace string) string {
	return "kubectl " + next + " -n " + namespace + " --context staging"
}
