package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
)

// gate judges the canaries of a migration while it pauses.
type gate interface {
	// Begin opens the window of a step.
	Begin(ctx context.Context, releases []canary.Release)
	// Judge says what the checks of each release come to so far; final is the end of the pause. It gives up when ctx ends.
	Judge(ctx context.Context, final bool) map[string][]analysis.Result
}

// gateOptions is what a canary is held to.
type gateOptions struct {
	interval time.Duration
}

func (o *gateOptions) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&o.interval, "interval", 10*time.Second, "How often to look at the checks")
}

func (o *gateOptions) complete(*pflag.FlagSet) error {
	if o.interval <= 0 {
		return fmt.Errorf("invalid --interval %s: want more than 0", o.interval)
	}
	return nil
}

// podGate holds canaries to what the API server says of their pods: none may restart or crash.
type podGate struct {
	live    *cluster.Live
	options canary.Options
	begun   map[string]int // restarts of each container at the begin, by pod and container
	names   []string
}

func newGate(r *run) gate { return &podGate{live: r.live, options: r.choose.options} }

func (g *podGate) Begin(_ context.Context, releases []canary.Release) {
	g.begun, g.names = map[string]int{}, nil
	for _, r := range releases {
		g.names = append(g.names, r.Name)
	}
	for _, p := range g.live.Snapshot().Pods {
		for _, c := range p.Containers {
			g.begun[p.UID+"/"+c.Name] = c.Restarts
		}
	}
}

func (g *podGate) Judge(context.Context, bool) map[string][]analysis.Result {
	s := g.live.Snapshot()
	found := map[string]canary.Release{}
	for _, r := range canary.Discover(s, g.options) {
		found[r.Name] = r
	}
	all := map[string][]analysis.Result{}
	for _, name := range g.names {
		r := found[name]
		if r.Canary == nil {
			all[name] = []analysis.Result{{Check: "restarts", Verdict: analysis.Inconclusive, Message: errGone.Error()}}
			continue
		}
		stable, second := g.restarts(s, r.Stable), g.restarts(s, r.Canary)
		res := analysis.Result{
			Check: "restarts", Verdict: analysis.Pass, Canary: &second, Stable: &stable, Bound: new(float64),
			Seen: float64(r.Canary.Deployment.Pods), Source: "the API server", Message: fmt.Sprintf("containers of %s restarted %g times", r.Canary.Name, second),
		}
		if second > 0 {
			res.Verdict = analysis.Fail
		}
		all[name] = []analysis.Result{res}
	}
	return all
}

var errGone = errors.New("the release is no longer there")

func (g *podGate) restarts(s *canary.Snapshot, v *canary.Version) float64 {
	n := 0
	for _, p := range canary.PodsOf(s, v) {
		for _, c := range p.Containers {
			n += max(0, c.Restarts-g.begun[p.UID+"/"+c.Name])
		}
	}
	return float64(n)
}
