package mover

import (
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// A pod that somebody has taken out of the Service by hand is kept like the others.
func TestKeepsWhatSomebodyHasDarkened(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		p := w.find("auth-v1").pods[1]
		delete(p.Labels, "serving")
		p.away = true
		if r := w.keeps(t.Context(), t, options()); r.Outcome != canary.Done || r.Release.Replicas() != (canary.Split{Stable: 3, Canary: 3}) {
			t.Errorf("ended as %s (%v) at %s", r.Outcome, r.Err, r.Release.Replicas())
		}
	})
}

// There is nothing to bake where no pod is left.
func TestBakesNothing(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 0, 1)
		o := options()
		o.Bake = 10 * time.Minute
		began := time.Now()
		if r := w.keeps(t.Context(), t, o); r.Outcome != canary.Done {
			t.Errorf("ended as %s (%v)", r.Outcome, r.Err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %s", took)
		}
	})
}
