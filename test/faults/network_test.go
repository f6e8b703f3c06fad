package faults

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	scales = `^PATCH deployments/[^/]+/scale$`
	lists  = `^LIST (deployments|services|pods|endpointslices|leases)$`
)

// network are faults of connections.
func network() []trial {
	return []trial{
		{
			name: "drop-list", fault: "the connection is closed instead of the first LIST's being answered",
			rules: func(*scene) []*rule { return []*rule{on(lists, drop).only(1)} },
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "drop-write", fault: "the connection is closed instead of the second scale's being passed on",
			rules: func(*scene) []*rule { return []*rule{on(scales, drop).from(2).only(1)} },
			exit:  0, end: "as planned", loop: "0, auth 3/2, chat 2/2, floor broken",
		},
		{
			name: "swallow-write", fault: "the second scale is carried out, and its answer lost",
			rules: func(*scene) []*rule { return []*rule{on(scales, swallow).from(2).only(1)} },
			exit:  0, end: "as planned", loop: "0, as planned, floor broken",
		},
		{
			name: "stall-write", fault: "the second scale is never answered, nor carried out",
			rules: func(*scene) []*rule { return []*rule{on(scales, stall).from(2).only(1)} },
			exit:  0, end: "as planned", loop: "hangs, auth 3/2, chat 3/1",
		},
		{
			name: "stall-write-answer", fault: "the second scale is carried out, and never answered",
			rules: func(*scene) []*rule { return []*rule{on(scales, stallAnswer).from(2).only(1)} },
			exit:  0, end: "as planned", loop: "hangs, auth 2/2, chat 3/1",
		},
		{
			name: "stall-list", fault: "a LIST is never answered",
			rules: func(*scene) []*rule { return []*rule{on(lists, stall).only(1)} },
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "stall-relist", fault: "a LIST in the middle is never answered",
			rules: func(*scene) []*rule { return []*rule{on(`LIST deployments`, stall).from(3).only(1)} },
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "black-hole", fault: "all connections go dead at the second scale, without a reset; new ones work",
			rules: func(*scene) []*rule { return []*rule{on(scales, blackHole(false)).from(2).only(1)} },
			exit:  0, end: "as planned", within: 60 * time.Second, loop: "hangs, auth 3/2, chat 3/1",
		},
		{
			name: "black-hole-for-good", fault: "all connections go dead for good after the raise; `--timeout 10s`",
			rules: func(*scene) []*rule { return []*rule{on(`LIST deployments`, blackHole(true)).from(3).only(1)} },
			args:  []string{"shift", "--to", "50", "--timeout", "10s"},
			exit:  124, end: "auth 3/2, chat 3/2", within: 25 * time.Second, loop: "does not ask for it",
			says:   []string{`no answer within 10s`, `^auth: held at v1 3, v2 2 `, `^to go on: `},
			around: func(s *scene) func() { return s.proxy.line.revive }, mend: (*scene).expireLocks,
		},
		{
			name: "slow", fault: "every answer comes 200 ms late",
			rules: func(*scene) []*rule { return []*rule{on(``, late(200*time.Millisecond))} },
			exit:  0, end: "as planned", loop: "0, as planned, floor broken",
		},
		{
			name: "late-watch", fault: "watches are opened 3 s late, and all answers to LISTs come 1 s late",
			rules: func(*scene) []*rule { return []*rule{on(`^WATCH `, late(3*time.Second)), on(lists, late(time.Second))} },
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "lock-swallowed", fault: "the locks are taken and given back, and every second answer is lost",
			rules: func(*scene) []*rule {
				return []*rule{on(`^(POST|PUT) leases`, swallow).only(1), on(`^PUT leases`, swallow).from(2).only(1)}
			},
			exit: 0, end: "as planned", loop: "does not ask for it", silent: []string{`lock could not be released`},
		},
		{
			name: "unavailable-carried-out", fault: "503 with Retry-After: 1 to the second scale, which was carried out",
			rules: func(*scene) []*rule {
				return []*rule{on(scales, carriedOutBut(answer(503, metav1.StatusReasonServiceUnavailable, 1))).from(2).only(1)}
			},
			exit: 0, end: "as planned", loop: "0, as planned, floor broken",
		},
		{
			name: "unavailable", fault: "503 to everything for 10 requests, after the locks are taken",
			rules: func(*scene) []*rule {
				return []*rule{on(`^(LIST|WATCH|GET leases|PATCH)`, answer(503, metav1.StatusReasonServiceUnavailable, 0)).from(8).only(10)}
			},
			exit: 0, end: "as planned",
		},
		{
			name: "cut-watch", fault: "each watch is cut after its first event, five times",
			rules: func(*scene) []*rule { return []*rule{on(`^WATCH `, cutAfter(1)).only(15)} },
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "expired-open", fault: "410 when a watch is opened, three times",
			rules: func(*scene) []*rule {
				return []*rule{on(`^WATCH `, answer(410, metav1.StatusReasonExpired, 0)).only(3)}
			},
			exit: 0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "expired-stream", fault: "410 as an event of a watch, three times",
			rules: func(*scene) []*rule { return []*rule{on(`^WATCH `, expire).only(3)} },
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "too-many-writes", fault: "429 with Retry-After: 1 to the first three scales",
			rules: func(*scene) []*rule {
				return []*rule{on(scales, answer(429, metav1.StatusReasonTooManyRequests, 1)).only(3)}
			},
			exit: 0, end: "as planned", loop: "0, as planned, floor broken",
		},
		{
			name: "too-many-long-list", fault: "429 with Retry-After: 120 to all LISTs",
			rules: func(*scene) []*rule { return []*rule{on(lists, answer(429, metav1.StatusReasonTooManyRequests, 120))} },
			args:  []string{"shift", "--to", "50", "--timeout", "10s"},
			exit:  124, end: "as before", within: 15 * time.Second, loop: "does not ask for it",
		},
		{
			name: "too-many-long-write", fault: "429 with Retry-After: 120 to the second scale",
			rules: func(*scene) []*rule {
				return []*rule{on(scales, answer(429, metav1.StatusReasonTooManyRequests, 120)).from(2).only(1)}
			},
			args: []string{"shift", "--to", "50", "--timeout", "10s"},
			exit: 124, end: "as before", within: 15 * time.Second, loop: "hangs, auth 3/2, chat 3/1",
		},
		{
			name: "unavailable-write", fault: "503 to the second scale",
			rules: func(*scene) []*rule {
				return []*rule{on(scales, answer(503, metav1.StatusReasonServiceUnavailable, 0)).from(2).only(1)}
			},
			exit: 0, end: "as planned", loop: "0, auth 3/2, chat 2/2, floor broken",
		},
		{
			name: "timeout-carried-out", fault: "504 to the second scale, which was carried out",
			rules: func(*scene) []*rule {
				return []*rule{on(scales, carriedOutBut(answer(504, metav1.StatusReasonTimeout, 0))).from(2).only(1)}
			},
			exit: 0, end: "as planned", loop: "0, as planned, floor broken",
		},
		{
			name: "error-list", fault: "500 to a LIST in the middle",
			rules: func(*scene) []*rule {
				return []*rule{on("LIST deployments", answer(500, metav1.StatusReasonInternalError, 0)).from(3).only(1)}
			},
			exit: 0, end: "as planned", loop: "does not ask for it",
		},
	}
}
