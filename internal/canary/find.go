package canary

import (
	"fmt"
	"slices"
	"strings"
)

// Find returns the releases that the names name, each once, in order; all of them without names. A name is a release,
// or like svc/auth and deploy/auth-v2 a Service or Deployment of one.
func Find(s *Snapshot, o Options, names []string) ([]Release, error) {
	all := Discover(s, o)
	if len(names) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, name := range names {
		i, err := locate(all, name)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			return nil, missing(s, o, all, name)
		}
		wanted[all[i].Name] = true
	}
	return slices.DeleteFunc(all, func(r Release) bool { return !wanted[r.Name] }), nil
}

// The kinds of object that can name a release.
const (
	kindService    = "service"
	kindDeployment = "deployment"
)

// splitName reads KIND/NAME as kubectl does; a bare name is a Service's, as releases are named after them.
func splitName(name string) (kind, object string, err error) {
	given, object, qualified := strings.Cut(name, "/")
	if !qualified {
		given, object = kindService, name
	}
	switch kind = kindOf(given); {
	case object == "":
		err = fmt.Errorf("invalid name %q: want a release, service/NAME or deployment/NAME", name)
	case kind == "":
		err = fmt.Errorf("invalid name %q: a release is named by a Service or a Deployment, not by a %s", name, given)
	}
	return kind, object, err
}

// kindOf reads a kind as users write it; empty for one that names no release.
func kindOf(given string) string {
	switch strings.ToLower(given) {
	case "service", "services", "svc":
		return kindService
	case "deployment", "deployments", "deploy", "deployment.apps", "deployments.apps":
		return kindDeployment
	}
	return ""
}

// Objects returns the names of the release's objects of a kind, as users write kinds; none of one that it has nothing of.
func (r *Release) Objects(kind string) (names []string) {
	switch kindOf(kind) {
	case kindService:
		for _, s := range r.Services {
			names = append(names, s.Name)
		}
	case kindDeployment:
		for _, v := range r.Versions() {
			names = append(names, v.Deployment.Name)
		}
	}
	return names
}

// locate returns the index of the release that a name names, −1 for none.
func locate(all []Release, name string) (int, error) {
	kind, object, err := splitName(name)
	if err != nil {
		return 0, err
	}
	return slices.IndexFunc(all, func(r Release) bool { return slices.Contains(r.Objects(kind), object) }), nil
}

// missing says why there is no release of that name, and which there are.
func missing(s *Snapshot, o Options, found []Release, name string) error {
	o.All = true
	all := Discover(s, o)
	if i, err := locate(all, name); err == nil && i >= 0 && len(all[i].Problems) > 0 {
		return fmt.Errorf("%q is no release: %s", name, all[i].Problems[0].Message)
	}
	if len(found) == 0 {
		return fmt.Errorf("release %q not found in namespace %q: it has no release", name, s.Namespace)
	}
	names := make([]string, len(found))
	for i, r := range found {
		names[i] = r.Name
	}
	return fmt.Errorf("release %q not found in namespace %q: it has %s", name, s.Namespace, strings.Join(names, ", "))
}
