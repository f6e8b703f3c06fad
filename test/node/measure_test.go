package node

import (
	"testing"
	"time"
)

// outcome is what a move cost the callers of auth. Durations are from its start.
type outcome struct {
	report
	least int           // ready endpoints
	done  time.Duration // until its commands had returned and the ready endpoints of all services were those it moves to
	last  time.Duration // until the last answer of the version that goes
}

// target is where a move goes to, and the version that it takes the traffic from.
type target struct {
	versions
	leaves string
}

// settle is how long the load goes on after a move, to see what is lost late: three seconds, and as long as pods take to stop.
func (a app) settle() time.Duration {
	if a.preStop || a.graceful {
		return 8 * time.Second
	}
	return 3 * time.Second
}

// measure runs a shell script, whose $1 is the namespace, under load from a second before it until some time after it.
func measure(t testing.TB, namespace, script string, to target, settle time.Duration) outcome {
	t.Helper()
	watched := watchEndpoints(t, namespace)
	defer watched.stop()
	l := startLoad(t, namespace, "auth").until(rate)
	began := time.Now()
	runs(t, "", "sh", "-ec", script, "sh", namespace)
	watched.until(t, to.versions)
	o := outcome{done: time.Since(began)}
	time.Sleep(settle)
	o.report = l.finish()
	watched.stop()
	o.least = watched.least["auth"]
	if to.leaves != "" {
		o.last = o.Versions[to.leaves].Last.Sub(began)
	}
	return o
}

// A Service without endpoints for two seconds is seen as that: what the benchmark counts is there when there is something to count.
func TestMeasure(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{})
	const noneForTwoSeconds = `patch() { kubectl patch service auth -n "$1" -p "{\"spec\":{\"selector\":{\"serving\":$2}}}"; }
patch "$1" '"never"'; sleep 2; patch "$1" null`
	o := measure(t, ns, noneForTwoSeconds, target{versions: versions{3, 1}}, time.Second)
	t.Logf("%s, at least %d endpoints ready, done after %s", o.report, o.least, o.done)
	if !o.Valid || o.Failed < 2*rate*8/10 || o.LongestOutage < 1.6 || o.LongestOutage > 4 || o.least != 0 || o.done < 2*time.Second {
		t.Errorf("want an outage of some two seconds, and no endpoint ready meanwhile")
	}
}
