package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func (e *examination) aim(w canary.Weight, baseline int) (canary.Target, error) {
	ask := e.Ask
	ask.Weight = w
	if baseline > 0 {
		ask.Replicas = baseline
	}
	return e.release.Aim(ask, !e.Snapshot.LeasesHidden)
}

// plan is how the release would move to a weight; false where it cannot.
func (e *examination) plan(w canary.Weight) (canary.Plan, bool) {
	t, err := e.aim(w, 0)
	if err != nil {
		return canary.Plan{}, false
	}
	ask := e.Ask
	ask.Weight = w
	plan, err := canary.NewPlan(e.release.Position(), t.Split, e.release.Bounds(ask, t))
	return plan, err == nil
}

// missed says whether what a target gives is not the weight.
func (e *examination) missed(w canary.Weight, t canary.Target) bool {
	return w != canary.None && w != canary.Full && max(t.Reach-w, w-t.Reach) > e.Ask.Tolerance
}

// weights are those that the pods there are cannot give.
func (e *examination) weights() []canary.Problem {
	if !e.NamedRoles && slices.ContainsFunc(e.release.Others, func(v canary.Version) bool { return v.Serving > 0 }) {
		return nil // a refusal, and the weights of what is left are others
	}
	var short []string
	at := 0
	for _, w := range e.Weights {
		t, err := e.aim(w, 0)
		if err != nil {
			return nil // the refusals say why
		}
		at = t.Baseline
		if e.missed(w, t) {
			short = append(short, fmt.Sprintf("%s%% becomes %s%% (%d of %d pods)", w, t.Reach, t.Split.Canary, t.Split.Total()))
		}
	}
	if len(short) == 0 {
		return nil
	}
	p := warning(CodeTooFew, "Service/"+e.release.Name, strings.Join(short, ", "))
	if enough := e.baseline(at); enough > 0 {
		p.Message += fmt.Sprintf(": a baseline of %d replicas would do, or --exact", enough)
		p.Next = []string{e.rebase(enough)}
	}
	return []canary.Problem{p}
}

// most is up to which baseline one is looked for that gives all weights.
const most = 100

func (e *examination) baseline(from int) int {
	for baseline := from; baseline <= most; baseline++ {
		fits := true
		for _, w := range e.Weights {
			t, err := e.aim(w, baseline)
			fits = fits && err == nil && !e.missed(w, t)
		}
		if fits {
			return baseline
		}
	}
	return 0
}

// rebase is the command that sets the baseline and keeps the weight, as nearly as it can.
func (e *examination) rebase(baseline int) string {
	now := e.release.Replicas()
	switch {
	case now.Canary == 0 || e.release.Record == nil && now.Canary <= now.Stable:
		return fmt.Sprintf("scale deployment %s --replicas=%d", e.release.Stable.Deployment.Name, baseline)
	case now.Stable == 0:
		return fmt.Sprintf("scale deployment %s --replicas=%d", e.release.Canary.Deployment.Name, baseline)
	}
	w, _ := canary.Share(now.Canary, now.Total())
	return fmt.Sprintf("canary shift %s --to %s --replicas %d", e.release.Name, w, baseline)
}
