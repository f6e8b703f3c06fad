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
			exit:  0, end: "as planned", loop: "",
		},
		{
			name: "stall-write-answer", fault: "the second scale is carried out, and never answered",
			rules: func(*scene) []*rule { return []*rule{on(scales, stallAnswer).from(2).only(1)} },
			exit:  0, end: "as planned", loop: "",
		},
		{
			name: "stall-list", fault: "a LIST is never answered",
			rules: func(*scene) []*rule { return []*rule{on(lists, stall).only(1)} },
			args:  []string{"shift", "--to", "50", "--timeout", "10s"},
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "stall-relist", fault: "a LIST in the middle is never answered",
			rules: func(*scene) []*rule { return []*rule{on(`LIST deployments`, stall).from(3).only(1)} },
			args:  []string{"shift", "--to", "50", "--timeout", "10s"},
			exit:  0, end: "as planned", loop: "does not ask for it",
		},
		{
			name: "black-hole", fault: "all connections go dead at the second scale, without a reset; new ones work",
			rules: func(*scene) []*rule { return []*rule{on(scales, blackHole(false)).from(2).only(1)} },
			exit:  0, end: "as planned", within: 60 * time.Second, loop: "",
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
			exit: 124, end: "as before", within: 15 * time.Second,
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
