package faults

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// state is what Deployments and the server are like before the move: permissions, admission, roll-outs.
func state() []trial {
	forbidden := func(pattern string) func(*scene) []*rule {
		return func(*scene) []*rule {
			return []*rule{on(pattern, func(c *call) {
				time.Sleep(300 * time.Millisecond) // the others are written
				answer(403, metav1.StatusReasonForbidden, 0)(c)
			})}
		}
	}
	return []trial{
		{
			name: "forbidden-raise", fault: "who moves may not scale chat-v2",
			rules: forbidden(`^PATCH deployments/chat-v2/scale$`),
			exit:  1, end: "as before", loop: "0, auth 2/2, chat 2/1, floor broken",
			says: []string{`^Error from server \(Forbidden\): `, `^auth: put back to v1 3, v2 1 `, `^to try again: `},
		},
		{
			name: "forbidden-lower", fault: "who moves may not scale chat-v1",
			rules: forbidden(`^PATCH deployments/chat-v1/scale$`),
			exit:  1, end: "auth 2/2, chat 3/2", loop: "1, auth 2/2, chat 3/2, floor broken",
			says: []string{`^Error from server \(Forbidden\): `, `^chat: held at v1 3, v2 2 `, `^to go on: `, `^to roll back: `},
		},
		{
			name: "refused-raise", fault: "an admission policy answers 422 to the scale of chat-v2",
			rules: func(*scene) []*rule {
				return []*rule{on(`^PATCH deployments/chat-v2/scale$`, answer(422, metav1.StatusReasonInvalid, 0))}
			},
			exit: 1, end: "as before", loop: "0, auth 2/2, chat 2/1, floor broken",
			says: []string{`made up`, `^auth: put back to v1 3, v2 1 `}, silent: []string{`meanwhile`},
		},
		{
			name: "webhook-fails", fault: "500 to every scale of chat-v2: an admission webhook is away",
			rules: func(*scene) []*rule {
				return []*rule{on(`^PATCH deployments/chat-v2/scale$`, answer(500, metav1.StatusReasonInternalError, 0))}
			},
			exit: 1, end: "as before", loop: "0, auth 2/2, chat 2/1, floor broken",
			says: []string{`InternalError`, `^auth: put back to v1 3, v2 1 `},
		},
		{
			name: "lists-broken", fault: "500 to every LIST of Deployments in the middle",
			rules: func(*scene) []*rule {
				return []*rule{on(`^LIST deployments$`, answer(500, metav1.StatusReasonInternalError, 0)).from(3)}
			},
			exit: 1, end: "auth 3/2, chat 3/2", loop: "does not ask for it",
			says: []string{`InternalError`, `held at v1 3, v2 2 `, `^to go on: `},
		},
		{
			name: "no-leases", fault: "who moves may not see Leases",
			rules: func(*scene) []*rule { return []*rule{on(` leases`, answer(403, metav1.StatusReasonForbidden, 0))} },
			exit:  0, end: "as planned", loop: "does not ask for it",
			says: []string{`^Warning: leases are forbidden`},
		},
		{
			name: "paused", fault: "chat-v2 is paused",
			around: func(s *scene) func() { s.pause("chat-v2", true); return func() { s.pause("chat-v2", false) } },
			exit:   1, end: "as before", loop: "0, as planned, floor broken",
			says: []string{`^error: chat: .*paused`},
		},
		{
			name: "rolling-out", fault: "chat-v2 is in the middle of a roll-out",
			around: func(s *scene) func() { return s.rollOut("chat-v2") },
			exit:   1, end: "as before", loop: "0, as planned, floor broken",
			says: []string{`^error: chat: .*(roll|rolling)`},
		},
		{
			name: "warned", fault: "every answer carries a Warning header",
			rules: func(*scene) []*rule {
				return []*rule{on(``, func(c *call) { c.w.Header().Set("Warning", `299 - "made up"`); c.pass() })}
			},
			exit: 0, end: "as planned", loop: "0, as planned, floor broken",
			says: []string{`\AWarning: made up\n(?s:[^W]|W[^a])*\z`},
		},
		{
			name: "unready-stable", fault: "a pod of chat-v1 is not ready from the start",
			around: func(s *scene) func() { return s.unready("chat", "v1") },
			exit:   0, end: "as planned", floor: 3, loop: "0, as planned",
		},
	}
}

// change patches a Deployment.
func (s *scene) change(deployment string, spec map[string]any) {
	s.Helper()
	patch, err := json.Marshal(map[string]any{"spec": spec})
	s.must(err)
	_, err = cluster.client.AppsV1().Deployments(s.namespace).Patch(s.Context(), deployment, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	s.must(err)
}

// annotate says what goes wrong in the pods that a Deployment makes from now on; nil is nothing.
func (s *scene) annotate(deployment string, fault any) {
	s.Helper()
	s.change(deployment, map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{"sandbox.kubectl-canary/fault": fault},
	}}})
}

func (s *scene) pause(deployment string, paused bool) {
	s.Helper()
	s.change(deployment, map[string]any{"paused": paused})
	s.ready()
}

// rollOut begins to roll out pods that do not come up, until end rolls out such that do.
func (s *scene) rollOut(deployment string) (end func()) {
	s.Helper()
	s.annotate(deployment, "never-ready")
	time.Sleep(2 * time.Second)
	return func() {
		s.heal(deployment)
	}
}

// unready makes a pod of a version not ready, until end.
func (s *scene) unready(service, version string) (end func()) {
	s.Helper()
	api := cluster.client.CoreV1().Pods(s.namespace)
	all, err := api.List(s.Context(), metav1.ListOptions{LabelSelector: "app=" + service + ",version=" + version})
	s.must(err)
	patch := []byte(`{"metadata":{"annotations":{"sandbox.kubectl-canary/fault":"never-ready"}}}`)
	_, err = api.Patch(s.Context(), all.Items[0].Name, types.MergePatchType, patch, metav1.PatchOptions{})
	s.must(err)
	time.Sleep(2 * time.Second)
	return func() {}
}
