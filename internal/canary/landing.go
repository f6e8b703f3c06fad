package canary

import (
	"fmt"
	"slices"
)

// Landing is a namespace, what manifests put into it, and what is there already.
type Landing struct {
	Namespace   string
	Services    []Service
	Deployments []Deployment
	Present     *Snapshot // nil for a namespace that is not there yet
}

// Astray is a Deployment of manifests that does not land where the Service is that selects its pods.
type Astray struct{ Deployment, In, Service, Of string }

func (a Astray) Error() string {
	return fmt.Sprintf("Service %s lands in namespace %s and selects the pods of Deployment %s, which lands in namespace %s: a Service finds pods of its own namespace only",
		a.Service, a.Of, a.Deployment, a.In)
}

// FindAstray lists the Deployments of manifests that a Service of the manifests in another namespace selects, where that
// Service selects no other in its own, or the Deployment has no Service in its own. It looks at namespaces as they will be.
func FindAstray(all []Landing) []Astray {
	after := make([]*index, len(all))
	for i, l := range all {
		after[i] = newIndex(l.after())
	}
	var found []Astray
	for i, here := range all {
		for _, d := range here.Deployments {
			served := slices.ContainsFunc(after[i].snapshot.Services, func(s Service) bool { return s.selects(&d) })
			for j, there := range all {
				if i == j {
					continue
				}
				for _, s := range there.Services {
					if s.selects(&d) && (!served || len(after[j].selected(s.Selector)) == 0) {
						found = append(found, Astray{Deployment: d.Name, In: here.Namespace, Service: s.Name, Of: there.Namespace})
					}
				}
			}
		}
	}
	return found
}

func (s Service) selects(d *Deployment) bool {
	return len(s.Selector) > 0 && contains(d.PodLabels, s.Selector)
}

// after is the namespace with what is put into it: of what both name, as the manifests have it.
func (l Landing) after() *Snapshot {
	s := &Snapshot{Namespace: l.Namespace, Services: slices.Clone(l.Services), Deployments: slices.Clone(l.Deployments)}
	if l.Present == nil {
		return s
	}
	for _, p := range l.Present.Services {
		if !slices.ContainsFunc(l.Services, func(given Service) bool { return given.Name == p.Name }) {
			s.Services = append(s.Services, p)
		}
	}
	for _, p := range l.Present.Deployments {
		if !slices.ContainsFunc(l.Deployments, func(given Deployment) bool { return given.Name == p.Name }) {
			s.Deployments = append(s.Deployments, p)
		}
	}
	return s
}

// Touched are the releases of what is there now that manifests for its namespace change.
func (l Landing) Touched(o Options) []Release {
	if l.Present == nil {
		return nil
	}
	return slices.DeleteFunc(Discover(l.Present, o), func(r Release) bool { return !l.Touches(&r) })
}

// Touches says whether the manifests have a Service or a Deployment of the release.
func (l Landing) Touches(r *Release) bool {
	return slices.ContainsFunc(r.Services, func(s Service) bool {
		return slices.ContainsFunc(l.Services, func(given Service) bool { return given.Name == s.Name })
	}) || slices.ContainsFunc(r.Versions(), func(v *Version) bool {
		return slices.ContainsFunc(l.Deployments, func(given Deployment) bool { return given.Name == v.Deployment.Name })
	})
}
