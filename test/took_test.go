package test

import (
	"context"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
)

// took MIN MAX: how long the last exits or ends took, from the start of its command.
func cmdTook(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).last
	if len(args) != 2 || p == nil {
		ts.Fatalf("usage: exits CODE COMMAND..., and then took MIN MAX")
	}
	least, err := time.ParseDuration(args[0])
	ts.Check(err)
	most, err := time.ParseDuration(args[1])
	ts.Check(err)
	took := p.Until.Sub(p.Since)
	ts.Logf("it took %.1fs", took.Seconds())
	if took < least || took > most {
		ts.Fatalf("it took %s, want %s to %s", took, args[0], args[1])
	}
}

// after-restart N MAX: the last exits ended no later than this after a pod that was created meanwhile had restarted N
// times. It needs a bound that has been watched all the while.
func cmdAfterRestart(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if len(args) != 2 || s.last == nil || s.history == nil {
		ts.Fatalf("usage: bounds ..., exits CODE COMMAND..., and then after-restart N MAX")
	}
	restarts, err := strconv.ParseInt(args[0], 10, 32)
	ts.Check(err)
	most, err := time.ParseDuration(args[1])
	ts.Check(err)
	events, err := s.history.Sorted(context.Background())
	ts.Check(err)
	for _, e := range events {
		pod, isPod := e.Object.(*corev1.Pod)
		if !isPod || len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].RestartCount < int32(restarts) {
			continue
		}
		if pod.CreationTimestamp.Time.Before(s.last.Since.Truncate(time.Second)) {
			continue
		}
		after := s.last.Until.Sub(e.Seen)
		ts.Logf("it ended %.1fs after %s had restarted %d times", after.Seconds(), pod.Name, restarts)
		if after > most || after < 0 {
			ts.Fatalf("want 0s to %s", most)
		}
		return
	}
	ts.Fatalf("no new pod has restarted %d times", restarts)
}
