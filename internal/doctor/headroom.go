package doctor

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// headroom is what quotas and limit ranges would refuse of moves of all the releases together, to any of the weights. Each
// quota and limit range is told of once for a release.
func (p *Patient) headroom() (found []Finding) {
	told := map[string]bool{}
	for _, w := range p.Weights {
		moves := p.moves(w)
		for i, problems := range canary.Headroom(p.Snapshot, moves, true) {
			release := moves[i].Release
			for _, problem := range problems {
				if key := release.Name + " " + problem.Code + " " + problem.Object; !told[key] {
					told[key] = true
					problem.Message += fmt.Sprintf(" (--to %s)", w)
					if mends := p.admit(problem, release); len(mends) > 0 {
						problem.Next = mends
					}
					found = append(found, Finding{release.Name, problem})
				}
			}
		}
	}
	return found
}

// moves are those of the releases that can move to a weight.
func (p *Patient) moves(w canary.Weight) (moves []canary.Moving) {
	for i := range p.Releases {
		e := &examination{Patient: p, release: &p.Releases[i]}
		if e.release.Stable == nil {
			continue
		}
		if plan, ok := e.plan(w); ok {
			moves = append(moves, canary.Moving{Release: e.release, Plan: plan})
		}
	}
	return moves
}

func (p *Patient) admit(problem canary.Problem, r *canary.Release) []string {
	_, name, _ := strings.Cut(problem.Object, "/")
	if problem.Code == canary.CodeQuota {
		return p.enlarge(name)
	}
	for _, l := range p.Snapshot.LimitRanges {
		if l.Name == name {
			return p.within(l, r)
		}
	}
	return nil
}

// enlarge raises what a quota has too little of to what all the weights need.
func (p *Patient) enlarge(name string) []string {
	i := slices.IndexFunc(p.Snapshot.Quotas, func(q canary.Quota) bool { return q.Name == name })
	if i < 0 {
		return nil
	}
	q := p.Snapshot.Quotas[i]
	hard := object{}
	for _, what := range slices.Sorted(maps.Keys(q.Hard)) {
		for most := q.Hard[what]; most > 0 && most < math.MaxInt64/2; most *= 2 {
			only := q
			only.Hard = canary.Amounts{what: most}
			if p.enough(only) {
				if most > q.Hard[what] {
					hard[what] = quantity(what, most)
				}
				break
			}
		}
	}
	if len(hard) == 0 {
		return nil
	}
	return []string{patch("ResourceQuota/"+name, "merge", object{"spec": object{"hard": hard}})}
}

func (p *Patient) enough(q canary.Quota) bool {
	s := *p.Snapshot
	s.Quotas = []canary.Quota{q}
	for _, w := range p.Weights {
		for _, problems := range canary.Headroom(&s, p.moves(w), true) {
			if slices.ContainsFunc(problems, func(p canary.Problem) bool { return p.Code == canary.CodeQuota }) {
				return false
			}
		}
	}
	return true
}

// within sets requests and limits of containers to what a limit range allows.
func (p *Patient) within(l canary.LimitRange, r *canary.Release) (mends []string) {
	for _, v := range []*canary.Version{r.Stable, r.Canary} {
		if v.Deployment.Template == nil {
			continue
		}
		for _, c := range v.Deployment.Template.Pod(p.Snapshot.LimitRanges).Containers {
			requests, limits := clamped(l, c.Requests), clamped(l, c.Limits)
			if maps.Equal(requests, c.Requests) && maps.Equal(limits, c.Limits) {
				continue
			}
			mend := "set resources deployment/" + v.Deployment.Name + " -c " + c.Name
			if len(requests) > 0 {
				mend += " --requests=" + settings(requests)
			}
			if len(limits) > 0 {
				mend += " --limits=" + settings(limits)
			}
			mends = append(mends, mend)
		}
	}
	return mends
}

func clamped(l canary.LimitRange, of canary.Amounts) canary.Amounts {
	out := maps.Clone(of)
	for _, item := range l.Items {
		for name, n := range out {
			if least, ok := item.Min[name]; ok && !item.Pod {
				n = max(n, least)
			}
			if most, ok := item.Max[name]; ok && !item.Pod {
				n = min(n, most)
			}
			out[name] = n
		}
	}
	return out
}

func settings(of canary.Amounts) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, name+"="+quantity(name, of[name]))
	}
	return strings.Join(all, ",")
}

// quantity writes thousandths as Kubernetes does.
func quantity(name string, thousandths int64) string {
	if strings.Contains(name, "memory") || strings.Contains(name, "storage") {
		return resource.NewQuantity(thousandths/1000, resource.BinarySI).String()
	}
	return resource.NewMilliQuantity(thousandths, resource.DecimalSI).String()
}
