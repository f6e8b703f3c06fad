package canary

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPreflight(t *testing.T) {
	alter := func(s *Snapshot, i int, f func(*Deployment)) *Snapshot {
		f(&s.Deployments[i])
		return s
	}
	third := func(replicas int) *Snapshot {
		s := namespace(service("auth", "app=auth"), deployment("auth-v1", 3, "app=auth,version=v1"),
			deployment("auth-v2", 1, "app=auth,version=v2"), deployment("auth-v0", replicas, "app=auth,version=v0"))
		return s
	}
	scaled := func(deployment string) *Snapshot {
		s := auth(3, 1)
		s.Autoscalers = []Autoscaler{{Name: "hpa", Deployment: deployment, Min: 2, Max: 9}}
		return s
	}
	hashed := func(stable, canary uint64) *Snapshot {
		s := auth(3, 1)
		s.Deployments[0].SpecHash, s.Deployments[1].SpecHash = stable, canary
		s.Deployments[0].Images, s.Deployments[1].Images = []string{"auth:1"}, []string{"auth:1"}
		return s
	}
	for _, tc := range []struct {
		name    string
		ns      *Snapshot
		options Options
		named   bool
		want    []Problem
	}{
		{name: "nothing", ns: auth(3, 1)},
		{
			name: "its shape", ns: namespace(service("auth", "app=auth,version=v1"), deployment("a", 3, "app=auth,version=v1"), deployment("b", 1, "app=auth,version=v2")),
			want: []Problem{{
				Code: CodePinnedService, Severity: Error, Object: "Service/auth",
				Message: "Service auth selects one version only, and no Service spans the versions: take the label version out of its selector",
			}},
		},
		{
			name: "no release at all: what is only noted in a list is a reason here", options: Options{All: true},
			ns: namespace(service("one", "app=one"), deployment("one", 1, "app=one,version=v1")),
			want: []Problem{{
				Code: CodeOneVersion, Severity: Error, Object: "Service/one",
				Message: "Service one has one version, Deployment one: there is nothing to shift to",
			}},
		},
		{
			name: "a third version", ns: third(1),
			want: []Problem{{
				Code: CodeThirdVersion, Severity: Error, Object: "Deployment/auth-v0",
				Message: "a third version serves, v0: say which two to move with --stable v1 --canary v2",
			}},
		},
		{name: "a third version, both sides named", ns: third(1), named: true},
		{name: "a third version without replicas", ns: third(0)},
		{
			name: "a rollout of a new template", ns: alter(auth(3, 1), 1, func(d *Deployment) { d.UpdatedPods = 0 }),
			want: []Problem{{
				Code: CodeMidRollout, Severity: Error, Object: "Deployment/auth-v2",
				Message: "Deployment auth-v2 is rolling out a new template (0 of 1 pods updated): a scale now would spread over the old and the new pods",
				Next:    []string{"rollout status deployment/auth-v2"},
			}},
		},
		{
			name: "a template that the controller has not seen, paused or not",
			ns:   alter(auth(3, 1), 0, func(d *Deployment) { d.Generation, d.Paused = 2, true }),
			want: []Problem{{
				Code: CodeMidRollout, Severity: Error, Object: "Deployment/auth-v1",
				Message: "the controller has not seen the last change of Deployment auth-v1 yet: it may be rolling out a new template",
				Next:    []string{"rollout status deployment/auth-v1"},
			}},
		},
		{name: "a scale that is under way is no rollout", ns: alter(auth(3, 1), 0, func(d *Deployment) { d.Replicas = 5 })},
		{
			name: "paused", ns: alter(auth(3, 1), 0, func(d *Deployment) { d.Paused = true }),
			want: []Problem{{
				Code: CodePaused, Severity: Error, Object: "Deployment/auth-v1",
				Message: "Deployment auth-v1 is paused: replicas would move, but changes of its template would not",
				Next:    []string{"rollout resume deployment/auth-v1"},
			}},
		},
		{
			name: "an autoscaler", ns: scaled("auth-v1"),
			want: []Problem{{
				Code: CodeAutoscaler, Severity: Error, Object: "HorizontalPodAutoscaler/hpa",
				Message: "HorizontalPodAutoscaler hpa scales Deployment auth-v1 between 2 and 9: it would undo a move, and stop at 0 replicas",
				Next:    []string{"delete hpa hpa"},
			}},
		},
		{
			name: "endpoints of pods that are not ready",
			ns: func() *Snapshot {
				s := auth(3, 1)
				s.Services[0].NotReady = true
				return s
			}(),
			want: []Problem{{
				Code: CodePublishNotReady, Severity: Error, Object: "Service/auth",
				Message: "Service auth publishes the addresses of pods that are not ready (publishNotReadyAddresses): who serves cannot be told, and no floor be held",
				Next:    []string{`patch service auth -p '{"spec":{"publishNotReadyAddresses":false}}'`},
			}},
		},
		{
			name: "the same pods", ns: hashed(7, 7),
			want: []Problem{{
				Code: CodeSameImage, Severity: Error, Object: "Deployment/auth-v2",
				Message: "both versions run the same: the pod templates of Deployments auth-v1 and auth-v2 differ in labels and annotations only (image auth:1), so a shift changes nothing",
				Next:    []string{"get deployments auth-v1 auth-v2 -o wide"},
			}},
		},
		{name: "the same image in other pods", ns: hashed(7, 8)},
		{name: "an autoscaler of something else", ns: scaled("chat-v1")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Preflight(one(tc.ns, tc.options), tc.ns, tc.named)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// All reasons are told at once, so that nobody has to find them one by one.
func TestPreflightTellsAll(t *testing.T) {
	ns := auth(3, 1)
	ns.Deployments[0].Paused, ns.Deployments[1].Paused = true, true
	ns.Autoscalers = []Autoscaler{{Deployment: "auth-v1"}, {Deployment: "auth-v2"}}
	want := []string{CodePaused, CodePaused, CodeAutoscaler, CodeAutoscaler}
	if diff := cmp.Diff(want, codes(Preflight(one(ns, Options{}), ns, false))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// --force goes on where the cluster may be right as it is, never where two versions cannot be told apart.
func TestForceable(t *testing.T) {
	for code, want := range map[string]bool{
		CodeAutoscaler: true, CodePaused: true, CodeMidRollout: true, CodeOverlap: true, CodeSameImage: true, CodePublishNotReady: true,
		CodeControlled: true, CodeQuota: true, CodeLimitRange: true, CodeThirdVersion: false, CodePinnedService: false,
		CodeVersionLabel: false, CodeSharedDeployment: false, CodeUnknownVersion: false, "": false,
	} {
		if got := Forceable(code); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}
