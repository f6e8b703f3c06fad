package canary

import (
	"slices"
	"strings"
)

// index makes look-ups in a snapshot cheap: discovery runs at every change of a watched namespace.
type index struct {
	snapshot  *Snapshot
	byLabel   map[string][]*Deployment // by "key=value" of the pod template, in order of name
	sets      [][]*Deployment          // what each Service selects
	behind    map[*Deployment][]int    // the Services that select it
	endpoints map[string][]Endpoint    // by Service
	pods      map[string]*Pod          // by UID
	cheapest  []*Pod
	overlaps  overlaps
}

func newIndex(s *Snapshot) *index {
	ix := &index{
		snapshot: s, byLabel: map[string][]*Deployment{}, behind: map[*Deployment][]int{},
		endpoints: map[string][]Endpoint{}, pods: make(map[string]*Pod, len(s.Pods)),
	}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		for k, v := range d.PodLabels {
			ix.byLabel[k+"="+v] = append(ix.byLabel[k+"="+v], d)
		}
	}
	for _, ds := range ix.byLabel {
		slices.SortFunc(ds, func(a, b *Deployment) int { return strings.Compare(a.Name, b.Name) })
	}
	for i, svc := range s.Services {
		set := ix.selected(svc.Selector)
		ix.sets = append(ix.sets, set)
		for _, d := range set {
			ix.behind[d] = append(ix.behind[d], i)
		}
	}
	for _, e := range s.Endpoints {
		ix.endpoints[e.Service] = append(ix.endpoints[e.Service], e)
	}
	for i := range s.Pods {
		p := &s.Pods[i]
		ix.pods[p.UID] = p
		if p.Cheapest {
			ix.cheapest = append(ix.cheapest, p)
		}
	}
	return ix
}

// selected returns the Deployments whose pods a Service selector matches, in order of name; none for an empty one.
func (ix *index) selected(selector map[string]string) []*Deployment {
	var fewest []*Deployment
	for k, v := range selector {
		if ds := ix.byLabel[k+"="+v]; fewest == nil || len(ds) < len(fewest) {
			fewest = ds
		}
		if len(fewest) == 0 {
			return nil
		}
	}
	var set []*Deployment
	for _, d := range fewest {
		if contains(d.PodLabels, selector) {
			set = append(set, d)
		}
	}
	return set
}

// beside returns the Services that select any of the Deployments, in order.
func (ix *index) beside(set []*Deployment) []int {
	var all []int
	for _, d := range set {
		all = append(all, ix.behind[d]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func contains(labels, selector map[string]string) bool {
	for k, v := range selector {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// release measures a group: its versions, their roles, and the endpoints of each.
func (ix *index) release(g *group, o Options) Release {
	r := Release{
		Namespace: ix.snapshot.Namespace, Name: g.name(), Services: g.services,
		Label: g.label, Problems: g.problems, index: ix,
	}
	r.Lease = ix.snapshot.Leases[r.Name]
	versions := make([]Version, 0, len(g.deployments))
	for _, d := range g.deployments {
		name := d.PodLabels[g.label]
		if name == "" {
			name = d.Name
		}
		versions = append(versions, Version{Name: name, Deployment: *d, label: g.label})
	}
	slices.SortStableFunc(versions, func(a, b Version) int { return CompareVersions(a.Name, b.Name) })
	r.Foreign = ix.count(g, versions)
	r.Drain = ix.drainLabel(g)
	if len(versions) < 2 || slices.ContainsFunc(r.Problems, shapeless) {
		r.Others = versions
		return r
	}
	assignRoles(&r, versions, o)
	drifter, by := ix.snapshot.drifter(&r)
	r.Drifter, r.DriftedAt = drifter, by.At
	return r
}

// shapeless says that a problem leaves no two versions to tell apart.
func shapeless(p Problem) bool {
	switch p.Code {
	case CodeDuplicateVersion, CodeNoVersionLabel, CodeCatchAll:
		return true
	}
	return false
}

// count fills in the ready endpoints of each version, and returns those of none. A pod serves when it is ready in every
// Service of the release; it counts once, however many slices and address families name it. A slice may still name a pod
// that is going or gone: that one serves no more.
func (ix *index) count(g *group, versions []Version) (foreign int) {
	need := len(g.services)
	if g.pinned {
		need = 1 // each of them selects one version only
	}
	ready := map[string]int{}
	endpointOnly := map[string]bool{}
	for _, svc := range g.services {
		seen := map[string]bool{}
		for _, e := range ix.endpoints[svc.Name] {
			id := e.PodUID
			if id == "" {
				id = e.Address
				endpointOnly[id] = true
			}
			if e.Ready && !e.Terminating && !seen[id] {
				seen[id] = true
				ready[id]++
			}
		}
	}
	for id, services := range ready {
		if services < need {
			continue
		}
		p, isPod := ix.pods[id]
		switch v := owner(versions, p); {
		case v != nil && !p.Terminating:
			v.Serving++
		case v == nil && (isPod && !p.Terminating || endpointOnly[id]):
			foreign++
		}
	}
	ix.countDark(g, versions)
	return foreign
}

// owner returns the version whose Deployment the pod belongs to.
func owner(versions []Version, p *Pod) *Version {
	for i := range versions {
		if p != nil && versions[i].owns(p) {
			return &versions[i]
		}
	}
	return nil
}

// owns says whether the pod is the Deployment's. The version label decides where selectors overlap.
func (v *Version) owns(p *Pod) bool {
	d := &v.Deployment
	return p.Owned && d.Selector.Matches(p.Labels) && p.Labels[v.label] == d.PodLabels[v.label]
}
