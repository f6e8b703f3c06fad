package canary

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told writes links as a reader sees them, events by their reason.
func told(links []Link) []string {
	var lines []string
	for _, l := range links {
		text := l.Text
		if l.Event != nil {
			text = "event " + l.Event.Reason + ": " + l.Event.Message
		}
		if l.Object != "" {
			text = l.Object + ": " + text
		}
		lines = append(lines, strings.Repeat("  ", l.Depth)+text)
	}
	return lines
}

// onNode is a pod of a ReplicaSet on a node.
func onNode(p Pod) Pod {
	p.ReplicaSet, p.Node, p.Phase = "rs", "node-1", "Running"
	return p
}

// deep is a release whose canary has sick pods, with its ReplicaSets, one of which is an old one.
func deep(pods ...Pod) *Snapshot {
	s := troubled(pods...)
	s.Deployments[1].UpdatedPods = len(pods)
	uid := s.Deployments[1].UID
	s.ReplicaSets = []ReplicaSet{
		{Name: "rs", Deployment: uid, Replicas: len(pods), Pods: len(pods)}, {Name: "older", Deployment: uid},
		{Name: "foreign", Deployment: "another", Replicas: 3},
	}
	return s
}

func event(object, reason, message string, ago time.Duration) Happening {
	return Happening{Object: object, Warning: true, Reason: reason, Message: message, Count: 2, Last: noon.Add(-ago)}
}

func TestChain(t *testing.T) {
	head := func(pod string, more ...string) []string {
		return append([]string{"Deployment/auth-v2: 0 of 1 pods serve", "  ReplicaSet/rs: 1 of 1 pods, 0 ready", "    Pod/a: " + pod}, more...)
	}
	last := func(p Pod, c func(*Container)) Pod { c(&p.Containers[0]); return p }
	gated := starting("a", noon)
	gated.ReadinessGates = []string{"lb", "dns", "ok"}
	gated.Conditions = append(gated.Conditions, Condition{Type: "dns", Reason: "Waiting", Message: "no record"}, Condition{Type: "ok", Status: true})
	held := Pod{Name: "a", Owned: true, Labels: labels("app=auth,version=v2"), ReplicaSet: "rs", SchedulingGates: []string{"example.test/hold"},
		Conditions: []Condition{{Type: "PodScheduled", Reason: "SchedulingGated"}}}
	nowhere := held
	nowhere.SchedulingGates, nowhere.Conditions = nil, []Condition{{Type: "PodScheduled", Reason: "Unschedulable", Message: "0/3 nodes"}}
	init := onNode(sick("a", "PodInitializing", "", 0))
	init.Containers = append([]Container{
		{Name: "done", Init: true, Ready: true, Ended: &Ended{}},
		{Name: "migrate", Init: true, Restarts: 2, Waiting: &Waiting{Reason: CodeCrashLoop}, Last: &Ended{Reason: "Error", ExitCode: 1, Message: "no such table\n"}},
	}, init.Containers...)

	for _, tc := range []struct {
		name   string
		pods   []Pod
		events []Happening
		want   []string
	}{
		{
			"a crash, and what the probe has said", []Pod{onNode(last(sick("a", CodeCrashLoop, "back-off", 3), func(c *Container) { c.Last = &Ended{Reason: "OOMKilled", ExitCode: 137} }))},
			[]Happening{event("Pod/a", "BackOff", "Back-off restarting", 0), event("Pod/a", "Unhealthy", "Liveness probe failed: 503", time.Second), event("Pod/b", "Unhealthy", "another's", 0)},
			head("Running on node-1, not ready", "      container app: CrashLoopBackOff (OOMKilled, exit 137, 3 restarts)", "      event Unhealthy: Liveness probe failed: 503"),
		},
		{
			"an init container, and not those that wait for it", []Pod{init}, nil,
			head("Running on node-1, not ready", "      init container migrate: CrashLoopBackOff (Error, exit 1, 2 restarts)", "        its last words: no such table"),
		},
		{
			"readiness gates", []Pod{onNode(gated)}, nil,
			head("Running on node-1, not ready", "      readiness gate lb: nobody has set it", "      readiness gate dns: not true, Waiting (no record)"),
		},
		{"a scheduling gate", []Pod{held}, nil, head("on no node", "      scheduling gate example.test/hold is there still")},
		{
			"no node, said once", []Pod{nowhere}, []Happening{event("Pod/a", "FailedScheduling", "0/3  nodes", 0)},
			head("on no node", "      scheduler: Unschedulable (0/3 nodes)"),
		},
		{
			"a volume, and a node that was found late", []Pod{onNode(sick("a", "ContainerCreating", "", 0))},
			[]Happening{event("Pod/a", "FailedScheduling", "0/3 nodes", time.Hour), event("Pod/a", "FailedMount", `configmap "x" not found`, time.Second)},
			head("Running on node-1, not ready", "      container app: ContainerCreating", `      event FailedMount: configmap "x" not found`),
		},
		{
			"others alike", []Pod{onNode(sick("a", "InvalidImageName", "", 0)), sick("b", "InvalidImageName", "", 0), sick("c", "ErrImagePull", "", 0)}, nil,
			[]string{
				"Deployment/auth-v2: 0 of 3 pods serve", "  ReplicaSet/rs: 3 of 3 pods, 0 ready",
				"    Pod/a: Running on node-1, not ready", "      container app: InvalidImageName", "    and 1 more pod like it",
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := deep(tc.pods...)
			s.Happenings = tc.events
			got := Troubles(one(s, Options{}), s, noon.Add(time.Minute), 0)
			if len(got) != 1 {
				t.Fatalf("%d problems: %v", len(got), codes(got))
			}
			if diff := cmp.Diff(tc.want, told(got[0].Chain)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Pods that may not be created are missed by a ReplicaSet, whose Events say how often, and why by now.
func TestChainWithoutPods(t *testing.T) {
	s := deep(starting("a", noon))
	s.Deployments[1].Failure, s.Deployments[1].Paused, s.Deployments[1].UpdatedPods = quota(), true, 0
	s.ReplicaSets[0].Pods = 0
	s.Happenings = []Happening{event("ReplicaSet/rs", "FailedCreate", "Error creating: exceeded quota", 0), event("ReplicaSet/rs", "FailedCreate", "Error creating: of before", time.Minute)}
	want := []string{
		"Deployment/auth-v2: 0 of 1 pods serve, paused, 1 of an older template", "  ReplicaSet/rs: 0 of 1 pods, 0 ready",
		"    event FailedCreate: Error creating: exceeded quota",
	}
	if diff := cmp.Diff(want, told(Troubles(one(s, Options{}), s, noon, 0)[0].Chain)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTelling(t *testing.T) {
	normal := func(reason string, ago time.Duration) Happening {
		h := event("Pod/a", reason, reason+" it", ago)
		h.Warning = false
		return h
	}
	many := []Happening{}
	for i := range 9 {
		many = append(many, event("Pod/a", fmt.Sprint("R", i), "m", time.Duration(i)))
	}
	for _, tc := range []struct {
		name string
		all  []Happening
		said string
		want []string
	}{
		{"a pull that goes on", []Happening{normal("Scheduled", time.Minute), normal("Pulling", time.Second)}, "", []string{"Pulling"}},
		{"a pull that is over", []Happening{normal("Pulling", time.Minute), normal("Pulled", time.Second)}, "", nil},
		{
			"the last of each kind, each probe a kind", []Happening{
				event("Pod/a", "Unhealthy", "Readiness probe failed: 500", 3), event("Pod/a", "Unhealthy", "Readiness probe failed: 503", 2), event("Pod/a", "Unhealthy", "Liveness probe failed: 500", 1),
			}, "", []string{"Unhealthy Liveness probe failed: 500", "Unhealthy Readiness probe failed: 503"},
		},
		{
			"the pull, not what it is called", []Happening{
				event("Pod/a", "Failed", "Error: ImagePullBackOff", 0), event("Pod/a", "Failed", "Error: ErrImagePull", 1), event("Pod/a", "Failed", `Failed to pull image "x": not found`, 2),
			}, "", []string{`Failed Failed to pull image "x": not found`},
		},
		{"what was said", []Happening{event("Pod/a", "Failed", `Error: secret "db"  not found`, 0)}, `CreateContainerConfigError (secret "db" not found)`, nil},
		{"not too many", many, "", []string{"R0 m", "R1 m", "R2 m"}},
	} {
		var got []string
		for _, h := range Telling(tc.all, "Pod/a", tc.said) {
			got = append(got, strings.TrimSuffix(h.Reason+" "+h.Message, " Pulling it"))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}
