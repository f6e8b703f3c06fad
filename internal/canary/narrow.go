package canary

import "slices"

// maxTwins is how many Services Narrow takes for one release; more are a sign that labels do not single it out.
const maxTwins = 8

// Narrow returns the named Service and after it those that select the same of its pods or fewer: what a release of it can
// consist of. It is false where a selector does not single the Service's release out, so that the whole namespace must
// be read: the name is not a Service's, or the Service selects nothing.
func Narrow(services []Service, name string) ([]Service, bool) {
	kind, object, err := splitName(name)
	i := slices.IndexFunc(services, func(s Service) bool { return s.Name == object })
	if err != nil || kind != kindService || i < 0 || len(services[i].Selector) == 0 {
		return nil, false
	}
	found := []Service{services[i]}
	for j, s := range services {
		if j != i && contains(s.Selector, services[i].Selector) {
			found = append(found, s)
		}
	}
	return found, len(found) <= maxTwins
}

// Suffices says whether a snapshot shows of a Service's release what the whole namespace would show. The snapshot has all
// Services, and of the rest what the Service's selector matches: Deployments and pods by their labels, endpoints of what
// Narrow returned. owners are the UIDs of the Deployments that own a ReplicaSet which the selector matches: a ReplicaSet
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
