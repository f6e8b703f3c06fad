package canary

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Options is what the user says about how releases are formed.
type Options struct {
	VersionLabel   string // empty: found
	Stable, Canary string // version names; empty: found
	// All lists the Services with fewer than two versions too; without it they are no releases.
	All bool
	// Roles pins the roles of releases by name, so that a move in progress keeps the ones it was planned with.
	Roles map[string]Roles
}

// Roles names the two versions that a move shifts pods between.
type Roles struct{ Stable, Canary string }

// Discover finds the releases of a namespace (docs/design.md §3), in order of their names: the Services that select pods of
// at least two Deployments, and those that would but for a pinned version.
func Discover(s *Snapshot, o Options) []Release {
	ix := newIndex(s)
	var groups []*group
	bySet := map[string]*group{}
	for i := range s.Services {
		svc, set := &s.Services[i], ix.sets[i]
		if len(set) < 2 {
			continue
		}
		key := setKey(set)
		if g, ok := bySet[key]; ok {
			g.services = append(g.services, *svc)
			continue
		}
		g := &group{services: []Service{*svc}, deployments: set}
		bySet[key] = g
		groups = append(groups, g)
	}
	for _, g := range groups {
		g.label, g.problems = versionLabel(g.deployments, o.VersionLabel)
	}
	groups = slices.DeleteFunc(groups, func(g *group) bool { return catchAll(g, s, ix) })
	markShared(groups)
	groups = append(groups, pinned(s, ix, groups)...)
	if o.All {
		groups = append(groups, singles(s, ix, groups)...)
	}

	releases := make([]Release, 0, len(groups))
	for _, g := range groups {
		releases = append(releases, ix.release(g, o))
	}
	slices.SortFunc(releases, func(a, b Release) int { return cmp.Compare(a.Name, b.Name) })
	return releases
}

// group is a release in the making: the Services that share a set of Deployments.
type group struct {
	services    []Service
	deployments []*Deployment
	label       string
	pinned      bool // each Service selects one version only
	problems    []Problem
}

// name is the shortest Service name, then the first in order.
func (g *group) name() string {
	slices.SortFunc(g.services, func(a, b Service) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return g.services[0].Name
}

func setKey(set []*Deployment) string {
	names := make([]string, len(set))
	for i, d := range set {
		names[i] = d.Name
	}
	return strings.Join(names, " ")
}

// catchAll says whether a Service merely gathers what other Services serve: every Deployment is behind another Service
// with fewer of them, and it is no release of its own, or one of those Services is. Services that differ from it by the
// version alone stand beside a release, and cover nothing.
func catchAll(g *group, s *Snapshot, ix *index) bool {
	seen := map[string]bool{}
	nested := false
	for _, i := range ix.beside(g.deployments) {
		set := ix.sets[i]
		if len(set) >= len(g.deployments) {
			continue
		}
		rest := maps.Clone(s.Services[i].Selector)
		delete(rest, g.label)
		if slices.Equal(ix.selected(rest), g.deployments) {
			continue
		}
		inside := !slices.ContainsFunc(set, func(d *Deployment) bool { return !slices.Contains(g.deployments, d) })
		nested = nested || inside && len(set) > 1
		for _, d := range set {
			seen[d.Name] = true
		}
	}
	covered := !slices.ContainsFunc(g.deployments, func(d *Deployment) bool { return !seen[d.Name] })
	return covered && (nested || len(g.problems) > 0 || differ(g.deployments, "app") || differ(g.deployments, "app.kubernetes.io/name"))
}

// differ says that the Deployments are of different applications by a label that commonly names one.
func differ(set []*Deployment, label string) bool {
	distinct, everywhere := values(set, label)
	return everywhere && distinct > 1
}

// markShared adds a problem to the groups that have a Deployment in common.
func markShared(groups []*group) {
	in := map[string][]*group{}
	for _, g := range groups {
		for _, d := range g.deployments {
			in[d.Name] = append(in[d.Name], g)
		}
	}
	for _, g := range groups {
		for _, d := range g.deployments {
			for _, other := range in[d.Name] {
				if other != g {
					g.problems = append(g.problems, Problem{
						Code: CodeSharedDeployment, Severity: Error, Object: "Deployment/" + d.Name,
						Message: "Deployment " + d.Name + " is also behind Service " + other.name() + ", which has other versions: moving one would move the other",
					})
				}
			}
		}
	}
}

// pinned finds Services whose selector has the version in it, where no Service spans the versions: a shift could not
// move their traffic.
func pinned(s *Snapshot, ix *index, groups []*group) []*group {
	spanned := map[string]bool{}
	for _, g := range groups {
		for _, d := range g.deployments {
			spanned[d.Name] = true
		}
	}
	byKey := map[string]*group{}
	var found []*group
	for i := range s.Services {
		svc := &s.Services[i]
		own := ix.sets[i]
		if len(own) != 1 || spanned[own[0].Name] {
			continue
		}
		for _, label := range versionLabels {
			_, pinnedHere := svc.Selector[label]
			if !pinnedHere || len(svc.Selector) < 2 {
				continue
			}
			rest := map[string]string{}
			for k, v := range svc.Selector {
				if k != label {
					rest[k] = v
				}
			}
			set := ix.selected(rest)
			if l, problems := versionLabel(set, ""); len(set) < 2 || l != label || len(problems) > 0 {
				continue
			}
			key := setKey(set)
			g, ok := byKey[key]
			if !ok {
				g = &group{deployments: set, label: label, pinned: true}
				byKey[key] = g
				found = append(found, g)
			}
			g.services = append(g.services, *svc)
			break
		}
	}
	for _, g := range found {
		name := g.name()
		g.problems = []Problem{{
			Code: CodePinnedService, Severity: Error, Object: "Service/" + name,
			Message: "Service " + name + " selects one version only, and no Service spans the versions: take the label " + g.label + " out of its selector",
		}}
	}
	return found
}

// singles are the Services that form no release, each with what it lacks. A catch-all that was ignored is one of them.
func singles(s *Snapshot, ix *index, groups []*group) []*group {
	listed := map[string]bool{}
	for _, g := range groups {
		for _, svc := range g.services {
			listed[svc.Name] = true
		}
	}
	var found []*group
	for i, svc := range s.Services {
		if listed[svc.Name] {
			continue
		}
		set := ix.sets[i]
		p := Problem{Severity: Info, Object: "Service/" + svc.Name}
		switch {
		case svc.ExternalName:
			p.Code, p.Message = CodeExternalName, "Service "+svc.Name+" is an ExternalName: it has no pods to shift between"
		case len(svc.Selector) == 0:
			p.Code, p.Message = CodeNoSelector, "Service "+svc.Name+" has no selector: who writes its endpoints decides where traffic goes"
		case len(set) == 0:
			p.Code, p.Message = CodeNoDeployment, "Service "+svc.Name+" selects the pods of no Deployment in this namespace"
		case len(set) == 1:
			p.Code, p.Message = CodeOneVersion, "Service "+svc.Name+" has one version, Deployment "+set[0].Name+": there is nothing to shift to"
		default:
			p.Code, p.Message = CodeCatchAll, "Service "+svc.Name+" spans the Deployments "+names(set)+", which other Services serve as releases of their own"
		}
		label, _ := versionLabel(set, "")
		found = append(found, &group{services: []Service{svc}, deployments: set, label: label, problems: []Problem{p}})
	}
	return found
}
