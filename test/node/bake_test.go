package node

import (
	"slices"
	"testing"
	"time"
)

// A rollback within a bake gives all traffic back in two seconds, and starts no pod.
func TestRollbackWithinBake(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{drain: true})
	old := pods(t, ns, "app=auth,version=v1")
	var took []time.Duration
	for range 5 {
		bake := startMove(t, ns, "promote", "auth", "--bake", "5m")
		bake.until("runs on without traffic until")
		l := startLoad(t, ns, "auth").until(2 * rate)
		began := time.Now()
		moves(t, ns, "rollback", "auth")
		time.Sleep(time.Second)
		r := l.stop()
		took = append(took, r.Versions["v2"].Last.Sub(began))
		t.Logf("%s; the last answer of v2 came after %s", r, took[len(took)-1].Round(time.Millisecond))
		r.wantNothingLost(t, rate)
		bake.kill()
		if now := pods(t, ns, "app=auth,version=v1"); now != old {
			t.Errorf("the pods were\n%sand are\n%s", old, now)
		}
		if at := replicas(t, ns, "auth"); at != "3/0" {
			t.Errorf("it is at %s", at)
		}
	}
	slices.Sort(took)
	if took[2] > 2*time.Second {
		t.Errorf("the median is %s, want 2s", took[2])
	}
}

// However a promote is killed, the rollback after it brings all back, and nothing is lost from the kill on.
func TestRollbackAfterKill(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{drain: true})
	for _, c := range []struct {
		name, says string
		wait       time.Duration
	}{
		{"before the drain", "auth: serving 60% ", 0},
		{"after the drain", "auth: took 2 of v1 out of the Service", 0},
		{"before the lower", "auth: took 2 of v1 out of the Service", 2900 * time.Millisecond},
		{"after the lower", "auth: lowered v1 2 → 0", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			moves(t, ns, "shift", "auth", "--to", "50")
			l := startLoad(t, ns, "auth")
			promote := startMove(t, ns, "promote", "auth", "--max-surge", "2")
			promote.until(c.says)
			time.Sleep(c.wait)
			promote.kill()
			moves(t, ns, "rollback", "auth")
			time.Sleep(2 * time.Second)
			l.stop().wantNothingLost(t, 2*rate)
			if at := replicas(t, ns, "auth"); at != "3/0" {
				t.Errorf("it is at %s", at)
			}
			if dark := pods(t, ns, "app=auth,!serving"); dark != "" {
				t.Errorf("pods are still dark: %s", dark)
			}
		})
	}
}
