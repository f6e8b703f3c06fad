package printer

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// explained is a problem with its way from the Deployment.
func explained() Status {
	status := messenger()[1]
	p := status.Problems[0]
	p.Chain = []canary.Link{
		{Object: "Deployment/chat-v2", Text: "1 of 2 pods serve"},
		{Depth: 1, Object: "ReplicaSet/chat-v2-7c9d", Text: "2 of 2 pods, 1 ready"},
		{Depth: 2, Object: p.Object, Text: "Running on node-1, not ready", Since: ago(45 * time.Second)},
		{Depth: 3, Text: "container chat: " + p.Message},
		{Depth: 3, Event: &canary.Happening{Reason: "Unhealthy", Message: "Liveness probe failed: HTTP probe failed with statuscode: 503\n", Count: 12, Last: ago(3 * time.Second)}},
	}
	status.Problems = []canary.Problem{p}
	return status
}

// The way to a problem stands between it and what to run next, in the wide table only.
func TestChain(t *testing.T) {
	golden(t, "chain", show(t, Table{Wide: true}, explained()))
	if narrow := show(t, Table{}, explained()); narrow != show(t, Table{}, messenger()[1]) {
		t.Errorf("the narrow table is\n%s", narrow)
	}
}

func TestHappening(t *testing.T) {
	for _, c := range []struct {
		event canary.Happening
		want  string
	}{
		{canary.Happening{Reason: "Failed", Message: "no", Count: 1}, "event Failed: no"},
		{canary.Happening{Reason: "Failed", Message: "no", Count: 1, Last: ago(time.Minute)}, "event Failed (60s ago): no"},
		{canary.Happening{Reason: "Failed", Message: "no", Count: 2}, "event Failed (2 times): no"},
		{canary.Happening{Reason: "Failed", Message: "no", Count: 2, Last: ago(time.Minute)}, "event Failed (2 times, last 60s ago): no"},
		{canary.Happening{Reason: "a\nb", Message: strings.Repeat("x", 10_000)}, "event a b: " + strings.Repeat("x", maxMessage-len("event a b: ")) + "..."},
	} {
		if got := Happening(c.event, noon); got != c.want {
			t.Errorf("%.80q, want %.80q", got, c.want)
		}
	}
}
