package printer

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name           string
		stable, second int
		sick           int // pods of the canary that do not serve
		dark           int // pods of stable
		keep           bool
		bake           time.Duration
		target         canary.Split
		surge          int
	}{
		{name: "plan-shift", stable: 3, second: 1, target: canary.Split{Stable: 2, Canary: 2}, surge: 1},
		{name: "plan-promote", stable: 8, second: 0, target: canary.Split{Canary: 8}, surge: 2},
		{name: "plan-rollback-sick", stable: 1, second: 3, sick: 3, target: canary.Split{Stable: 3}, surge: 0},
		{name: "plan-relights", stable: 3, dark: 3, second: 3, target: canary.Split{Stable: 2, Canary: 2}, surge: 1},
		{name: "plan-keeps", stable: 3, second: 1, keep: true, target: canary.Split{Canary: 3}, surge: 3},
		{name: "plan-bakes", stable: 3, second: 1, keep: true, bake: 15 * time.Minute, target: canary.Split{Canary: 3}, surge: 3},
		{name: "plan-only-relights", stable: 3, dark: 1, second: 1, target: canary.Split{Stable: 3, Canary: 1}, surge: 1},
		{name: "plan-nothing", stable: 2, second: 2, target: canary.Split{Stable: 2, Canary: 2}, surge: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := release("auth", c.stable, c.second)
			r.Canary.Serving -= c.sick
			r.Canary.Deployment.ReadyPods -= c.sick
			r.Stable.Serving, r.Stable.Dark = c.stable-c.dark, c.dark
			r.Canary.Deployment.Requests = canary.Resources{MilliCPU: 1500, MemoryBytes: 1 << 30}
			reach, _ := canary.Share(c.target.Canary, c.target.Total())
			plan, err := canary.NewPlan(r.Position(), c.target, canary.NewBounds(r.Position(), r.Pods(), c.target, c.surge, 0))
			if err != nil {
				t.Fatal(err)
			}
			plan.Keep, plan.Bake = c.keep, c.bake
			var out strings.Builder
			if err := Plan(&out, Style{Unicode: true}, &r, canary.Target{Split: c.target, Reach: reach, Baseline: c.target.Total()}, plan); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, out.String())
		})
	}
}
