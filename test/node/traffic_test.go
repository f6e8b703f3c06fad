package node

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// Without a move nothing is lost: what the other tests count is the moves' doing.
func TestQuiet(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{})
	startLoad(t, ns, "auth").until(4000).stop().wantNothingLost(t, 3900)
}

// The canary's share of the requests is its share of the pods.
func TestSplit(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{})
	for _, percent := range []int{25, 50, 75} {
		moves(t, ns, "shift", "auth", "--to", fmt.Sprint(percent))
		time.Sleep(2 * time.Second) // kube-proxy is up to a second late
		want := float64(percent) / 100
		for again := range 2 { // chance alone goes beyond three standard deviations one time in 370
			r := startLoad(t, ns, "auth").until(6100).stop()
			off := math.Abs(r.share()-want) / math.Sqrt(want*(1-want)/float64(r.Requests))
			t.Logf("%d%%: %s, %.2f%% of them to v2, %.1f standard deviations off", percent, r, 100*r.share(), off)
			if r.Requests < 6000 || r.Failed > 0 {
				t.Errorf("want 6000 requests, and none lost")
			}
			if off <= 3 {
				break
			}
			if again == 1 {
				t.Errorf("%d%%: the share is twice beyond three standard deviations", percent)
			}
		}
	}
}

// enough requests to tell that none is lost.
const enough = 10_000

// With a label to drain by nothing is lost, though pods stop at once when they are told to.
func TestNothingLost(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{drain: true})
	l := startLoad(t, ns, "auth")
	for _, move := range [][]string{{"shift", "--to", "50"}, {"shift", "--to", "75"}, {"promote"}} {
		moves(t, ns, move...)
	}
	l.until(enough+100).stop().wantNothingLost(t, enough)
	l = startLoad(t, ns, "auth")
	moves(t, ns, "rollback")
	l.until(enough+100).stop().wantNothingLost(t, enough)
}

// Without the label there is no outage, and never are fewer endpoints ready than before or after. What is lost is logged.
func TestWithoutLabel(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{})
	for _, c := range []struct {
		move  []string
		least int
	}{{[]string{"shift", "--to", "50"}, 4}, {[]string{"promote"}, 3}, {[]string{"rollback"}, 3}} {
		watched, l := watchEndpoints(t, ns), startLoad(t, ns, "auth")
		moves(t, ns, c.move...)
		l.until(4000)
		r := l.stop()
		watched.stop()
		least := watched.least["auth"]
		t.Logf("%v: %s, at least %d endpoints ready", c.move, r, least)
		if r.LongestOutage > 1 || least < c.least {
			t.Errorf("%v: an outage of %.2fs, %d endpoints ready; want none, and %d", c.move, r.LongestOutage, least, c.least)
		}
	}
}
