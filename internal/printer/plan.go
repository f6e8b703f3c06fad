package printer

import (
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Plan shows what a move of one release would do.
func Plan(w io.Writer, style Style, r *canary.Release, t canary.Target, p canary.Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (stable %s/canary %s) %s %s, %s%% of the traffic, baseline %d\n", Safe(r.Name),
		p.From, Safe(r.Stable.Name), Safe(r.Canary.Name), style.Arrow(), p.Target, t.Reach, t.Baseline)
	at := p.From
	relit := relights(r, p)
	for i, round := range p.Rounds {
		steps := []string{}
		if i == 0 {
			steps = append(steps, relit...)
		}
		step := func(verb string, to canary.Split) {
			for _, s := range changes(r, at, to) {
				if p.Keep && s.version == r.Stable.Name {
					steps = append(steps, fmt.Sprintf("take %d of %s out of the Service", s.from-s.to, Safe(s.version)))
					continue
				}
				steps = append(steps, fmt.Sprintf("%s %s %d %s %d", verb, Safe(s.version), s.from, style.Arrow(), s.to))
			}
			at = to
		}
		step("lower", round.Room)
		step("raise", round.Raise)
		if round.Raise != round.Room || i == 0 && len(relit) > 0 {
			steps = append(steps, "wait until they serve")
		}
		step("lower", round.Lower)
		fmt.Fprintf(&b, "  round %d: %s\n", i+1, strings.Join(steps, ", "))
	}
	if len(p.Rounds) == 0 && len(relit) > 0 {
		fmt.Fprintf(&b, "  round 1: %s, wait until they serve\n", strings.Join(relit, ", "))
	}
	if p.Bake > 0 && r.Stable.Deployment.Replicas > 0 {
		fmt.Fprintf(&b, "  %s later: lower %s %d %s 0\n", p.Bake, Safe(r.Stable.Name), r.Stable.Deployment.Replicas, style.Arrow())
	} else if len(p.Rounds) == 0 && len(relit) == 0 {
		b.WriteString("  nothing to do\n")
	}
	if len(p.Rounds) > 0 {
		fmt.Fprintf(&b, "  at most %d pods (%s), at least %d ready\n", p.Peak.Total(), requests(r, p), p.Least)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// relights are the dark pods that are put back into the Service first.
func relights(r *canary.Release, p canary.Plan) []string {
	var steps []string
	relight := func(v *canary.Version, to int) {
		if n := v.Relights(to); n > 0 {
			steps = append(steps, fmt.Sprintf("put %d of %s back into the Service", n, Safe(v.Name)))
		}
	}
	relight(r.Stable, p.Target.Stable)
	relight(r.Canary, p.Target.Canary)
	return steps
}

type change struct {
	version  string
	from, to int
}

func changes(r *canary.Release, from, to canary.Split) []change {
	var all []change
	if from.Stable != to.Stable {
		all = append(all, change{r.Stable.Name, from.Stable, to.Stable})
	}
	if from.Canary != to.Canary {
		all = append(all, change{r.Canary.Name, from.Canary, to.Canary})
	}
	return all
}

// requests is the most CPU and memory that the pods ask for at any moment, each by itself.
func requests(r *canary.Release, p canary.Plan) string {
	a, b := r.Stable.Deployment.Requests, r.Canary.Deployment.Requests
	moments := []canary.Split{p.From}
	for _, round := range p.Rounds {
		moments = append(moments, round.Raise)
	}
	var cpu, memory int64
	for _, at := range moments {
		cpu = max(cpu, int64(at.Stable)*a.MilliCPU+int64(at.Canary)*b.MilliCPU)
		memory = max(memory, int64(at.Stable)*a.MemoryBytes+int64(at.Canary)*b.MemoryBytes)
	}
	return fmt.Sprintf("requesting %s CPU and %s memory",
		resource.NewMilliQuantity(cpu, resource.DecimalSI), resource.NewQuantity(memory, resource.BinarySI))
}
