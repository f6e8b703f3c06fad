package canary

import "slices"

// ServiceNamed returns the Service that a NAME on the command line names; false where it names something else.
func ServiceNamed(name string) (service string, ok bool) {
	kind, service, err := splitName(name)
	return service, err == nil && kind == kindService
}

// Twins returns the other Services that select the same pods as one, or fewer of them: with it they may be a release.
func Twins(services []Service, of Service) []Service {
	var twins []Service
	for _, s := range services {
		if s.Name != of.Name && contains(s.Selector, of.Selector) {
			twins = append(twins, s)
		}
	}
	return twins
}

// Selecting returns the Services that select pods of any of the Deployments.
func Selecting(s *Snapshot) map[string]bool {
	names := map[string]bool{}
	for i, set := range newIndex(s).sets {
		if len(set) > 0 {
			names[s.Services[i].Name] = true
		}
	}
	return names
}

// Suffices says whether a snapshot shows of a Service's release what the whole namespace would show. The snapshot has all
// Services, and of the rest what the Service's selector matches: Deployments and pods by their labels, and endpoints of
// it and its Twins. owners are the UIDs of the Deployments that own a ReplicaSet which the selector matches: a ReplicaSet
// has the labels of the pod template, a Deployment need not.
func Suffices(s *Snapshot, svc Service, owners []string) bool {
	ix := newIndex(s)
	own := ix.selected(svc.Selector)
	if len(own) < 2 {
		return false
	}
	for _, uid := range owners {
		if !slices.ContainsFunc(s.Deployments, func(d Deployment) bool { return d.UID == uid }) {
			return false
		}
	}
	// Dark pods do not match the selector: there are fewer to see than the Deployment has.
	if slices.ContainsFunc(own, func(d *Deployment) bool { return d.Pods > owned(s, d) }) {
		return false
	}
	// A wider Service may have Deployments that were not read: a catch-all, say.
	for _, i := range ix.beside(own) {
		if !contains(s.Services[i].Selector, svc.Selector) {
			return false
		}
	}
	return !slices.ContainsFunc(s.Endpoints, func(e Endpoint) bool {
		return e.Ready && !e.Terminating && e.PodUID != "" && ix.pods[e.PodUID] == nil
	})
}

// owned is how many pods the Deployment may have, going by its selector.
func owned(s *Snapshot, d *Deployment) int {
	n := 0
	for i := range s.Pods {
		if p := &s.Pods[i]; p.Owned && active(p) && d.Selector.Matches(p.Labels) {
			n++
		}
	}
	return n
}
