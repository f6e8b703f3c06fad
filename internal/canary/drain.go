package canary

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// drainLabel returns the label whose removal takes a pod out of all Services of a release and leaves it with its
// Deployment; empty where there is none (docs/design.md §5, Drain). The version label never is one, nor a recommended
// one, nor one by which a Service outside the release selects the same pods.
func (ix *index) drainLabel(g *group) string {
	if g.pinned {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(g.services[0].Selector)) {
		if key != g.label && !strings.HasPrefix(key, "app.kubernetes.io/") && ix.drains(g, key) {
			return key
		}
	}
	return ""
}

func (ix *index) drains(g *group, key string) bool {
	for _, svc := range g.services {
		if _, ok := svc.Selector[key]; !ok {
			return false
		}
	}
	for _, d := range g.deployments {
		rest := maps.Clone(d.PodLabels)
		delete(rest, key)
		if !d.Selector.Matches(rest) {
			return false
		}
	}
	for _, i := range ix.beside(g.deployments) {
		svc := ix.snapshot.Services[i]
		if _, ok := svc.Selector[key]; ok && !slices.ContainsFunc(g.services, func(s Service) bool { return s.Name == svc.Name }) {
			return false
		}
	}
	return true
}

// countDark fills in the pods of each version that were taken out of the Services.
func (ix *index) countDark(g *group, versions []Version) {
	for _, p := range ix.cheapest {
		v := owner(versions, p)
		switch {
		case v == nil || g.pinned || !active(p) || !dark(g.services, p):
		case ix.leaving(g.services, p):
			v.Leaving++
		default:
			v.Dark++
		}
	}
}

// leaving says whether a Service has the pod as a ready endpoint, and selects it no more.
func (ix *index) leaving(services []Service, p *Pod) bool {
	return slices.ContainsFunc(services, func(s Service) bool {
		return !contains(p.Labels, s.Selector) && slices.ContainsFunc(ix.endpoints[s.Name], func(e Endpoint) bool {
			return e.PodUID == p.UID && e.Ready && !e.Terminating
		})
	})
}

// active says whether a ReplicaSet counts the pod.
func active(p *Pod) bool { return !p.Terminating && p.Phase != "Failed" && p.Phase != "Succeeded" }

// dark says whether a pod was drained: some Service does not select it, and it goes first.
func dark(services []Service, p *Pod) bool {
	return p.Cheapest && slices.ContainsFunc(services, func(s Service) bool { return !contains(p.Labels, s.Selector) })
}

// Leaving returns up to n pods of a version that are to leave the Services, those first that no traffic misses, then the
// newest. Pods that are not ready are among them only with unready: a scale-down takes them before any other. One that
// somebody has taken out of the Services by hand is among them: it only becomes as cheap as the others.
func (r *Release) Leaving(s *Snapshot, v *Version, n int, unready bool) []Pod {
	serving := map[string]bool{}
	for _, e := range s.Endpoints {
		serving[e.PodUID] = serving[e.PodUID] || e.Ready && !e.Terminating && slices.ContainsFunc(r.Services, func(svc Service) bool { return svc.Name == e.Service })
	}
	ready := func(p *Pod) bool { return serving[p.UID] || condition(p, "Ready").Status }
	pods := slices.DeleteFunc(PodsOf(s, v), func(p *Pod) bool {
		return !active(p) || dark(r.Services, p) || !ready(p) && !unready
	})
	traffic := func(p *Pod) int {
		switch {
		case serving[p.UID]:
			return 2
		case ready(p):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(pods, func(a, b *Pod) int {
		return cmp.Or(cmp.Compare(traffic(a), traffic(b)), b.Created.Compare(a.Created))
	})
	var some []Pod
	for _, p := range pods[:min(n, len(pods))] {
		some = append(some, *p)
	}
	return some
}

// DarkPods returns up to n dark pods of a version, those first that have been up longest.
func (r *Release) DarkPods(s *Snapshot, v *Version, n int) []Pod {
	var some []Pod
	for _, p := range PodsOf(s, v) {
		if active(p) && dark(r.Services, p) {
			some = append(some, *p)
		}
	}
	slices.SortStableFunc(some, func(a, b Pod) int { return a.Created.Compare(b.Created) })
	return some[:min(n, len(some))]
}

// Relights is how many of the dark pods are to serve again on the way to a number of replicas: as many as the others lack.
func (v *Version) Relights(to int) int {
	return min(v.Dark, max(0, to-(v.Deployment.Replicas-v.Dark)))
}

// Relights is how many dark pods of both versions are to serve again on the way to a split.
func (r *Release) Relights(to Split) int {
	return r.Stable.Relights(to.Stable) + r.Canary.Relights(to.Canary)
}

// Lit is the split that the Deployments ask for, without dark pods.
func (r *Release) Lit() Split {
	s := r.Replicas()
	if r.Stable != nil {
		s.Stable -= min(r.Stable.Dark, s.Stable)
		s.Canary -= min(r.Canary.Dark, s.Canary)
	}
	return s
}

// Kept says that stable's pods run on, all dark, beside a canary that has the traffic.
func (r *Release) Kept() bool {
	return r.Stable != nil && r.Stable.Dark > 0 && r.Lit().Stable == 0 && r.Lit().Canary > 0
}

// LitPosition is the position of a move that leaves stable's pods dark instead of lowering them: dark ones are gone.
func (r *Release) LitPosition() Position {
	p := r.Position()
	if r.Stable != nil {
		p.Stable.Replicas = r.Lit().Stable
		p.Stable.Serving = min(p.Stable.Serving, p.Stable.Replicas)
		p.Stable.Ready = min(p.Stable.Ready, p.Stable.Replicas)
	}
	return p
}

// darkTrouble tells of dark pods that no promote keeps: a move was cut off before it lowered them.
func (r *Release) darkTrouble(next []string) []Problem {
	n := r.Stable.Dark + r.Canary.Dark
	if n == 0 || r.Kept() {
		return nil
	}
	return []Problem{{
		Code: CodeDark, Severity: Warning, Object: "Service/" + r.Name,
		Message: fmt.Sprintf("pods of %s run without traffic: %d, which a move has taken out of the Service", r.Name, n),
		Next:    next,
	}}
}

// NoDrain says how a release gets a label to drain by.
func NoDrain(r *Release) Problem {
	return Problem{
		Code: CodeNoDrain, Severity: Error, Object: "Service/" + r.Name,
		Message: "no label lets pods of " + r.Name + " leave the Service and run on: put one, such as serving: \"true\", into the pod templates of both Deployments, and then into the Service's selector, but not into the selectors of the Deployments",
	}
}
