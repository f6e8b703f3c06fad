package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// refusals are what makes the core refuse a move, each with what mends it. A Service that is no release counts only where it
// was meant to be one: its selector matches nothing.
func (e *examination) refusals() []canary.Problem {
	r := e.release
	found := canary.Preflight(r, e.Snapshot, e.NamedRoles)
	if r.Stable != nil && len(e.Weights) == 1 {
		if t, err := e.aim(e.Weights[0], 0); err == nil {
			found = canary.PreflightTo(r, e.Snapshot, e.NamedRoles, t.Split)
		}
	}
	if r.Stable != nil && r.Replicas().Total() == 0 {
		found = append(found, canary.Problem{
			Code: canary.CodeNoReplicas, Severity: canary.Error, Object: "Service/" + r.Name,
			Message: "both versions of " + r.Name + " are at 0 replicas: nothing tells how many carry the full load",
			Next:    []string{"scale deployment " + r.Stable.Deployment.Name + " --replicas=1"},
		})
	}
	if r.Drifted() {
		found = append(found, canary.Problem{
			Code: canary.CodeDrifted, Severity: canary.Error, Object: "Service/" + r.Name,
			Message: fmt.Sprintf("replicas of %s were set to %s (stable/canary), and %s has made them %s: nothing tells how many carry the full load", r.Name, r.Record.Set, cmp.Or(r.Drifter.Name, "somebody else"), r.Replicas()),
			Next:    []string{"canary rollback " + r.Name},
		})
	}
	for i := range found {
		if found[i].Code == canary.CodeNoDeployment {
			found[i] = e.selectsNothing()
		}
		if mends := e.mend(found[i]); len(mends) > 0 {
			found[i].Next = mends
		}
	}
	return found
}

// mend is for the core's problems whose next commands only look, or that have none.
func (e *examination) mend(p canary.Problem) []string {
	r := e.release
	_, name, _ := strings.Cut(p.Object, "/")
	switch p.Code {
	case canary.CodePinnedService:
		var all []string
		for _, s := range r.Services {
			all = append(all, patch("Service/"+s.Name, "json", []change{{Op: "remove", Path: "/spec/selector/" + pointer(r.Label)}}))
		}
		return all[:1] // then it spans the versions
	case canary.CodeVersionLabel, canary.CodeNoVersionLabel:
		var all []string
		for _, v := range r.Versions() {
			d := v.Deployment
			label := strings.TrimPrefix(strings.TrimPrefix(d.Name, r.Name), "-")
			if value := d.PodLabels[r.Label]; value != "" {
				label = value
			}
			all = append(all, patch("Deployment/"+d.Name, "merge", podLabels(map[string]any{"version": label})))
		}
		return all
	case canary.CodeDuplicateVersion:
		return []string{"delete deployment " + name}
	case canary.CodeThirdVersion:
		return []string{"scale deployment " + name + " --replicas=0"}
	case canary.CodeSameImage:
		return setImage(e.sides[0], e.sides[1])
	case canary.CodeOverlap:
		return e.narrow(name)
	}
	return nil
}

// narrow makes a Deployment of the release anew with the version in its selector, which cannot be changed.
func (e *examination) narrow(name string) []string {
	label := e.release.Label
	for _, v := range e.release.Versions() {
		if d := v.Deployment; d.Name == name && d.MatchLabels[label] == "" && d.PodLabels[label] != "" {
			return []string{patch("Deployment/"+name, "json", []change{{Op: "add", Path: "/spec/selector/matchLabels/" + pointer(label), Value: d.PodLabels[label]}}) +
				" --dry-run=client -o yaml" + Pipe + "replace --force -f -"}
		}
	}
	return nil
}

func podLabels(labels map[string]any) any {
	return object{"spec": object{"template": object{"metadata": object{"labels": labels}}}}
}

// selectsNothing is of a Service that selects the pods of no Deployment: it may mean some in another namespace, or some
// of a Deployment that has other labels.
func (e *examination) selectsNothing() canary.Problem {
	svc := e.release.Services[0]
	p := canary.Problem{Code: canary.CodeNoDeployment, Severity: canary.Error, Object: "Service/" + svc.Name}
	if elsewhere := e.elsewhere(svc.Selector); elsewhere != "" {
		p.Message = fmt.Sprintf("Service %s selects no pod here; pods in namespace %s have the labels (%s), but a Service reaches those of its own namespace only", svc.Name, elsewhere, selector(svc.Selector))
		p.Next = []string{"delete service " + svc.Name}
		return p
	}
	p.Message = fmt.Sprintf("Service %s selects the pods of no Deployment in this namespace (%s)", svc.Name, selector(svc.Selector))
	meant := e.meant(svc)
	if len(meant) == 0 {
		p.Next = []string{"delete service " + svc.Name}
		return p
	}
	common := meant[0].MatchLabels
	for _, d := range meant[1:] {
		common = shared(common, d.MatchLabels)
	}
	p.Message += "; " + names(meant) + " by their names were meant"
	fields := object{}
	for key := range svc.Selector {
		fields[key] = nil
	}
	for key, value := range common {
		fields[key] = value
	}
	p.Next = []string{patch("Service/"+svc.Name, "merge", object{"spec": object{"selector": fields}})}
	return p
}

// elsewhere is the first other namespace that has pods with these labels; empty where it is none, or may not be seen.
func (e *examination) elsewhere(labels map[string]string) string {
	var found []string
	for _, pod := range e.AllPods {
		if pod.Namespace != e.Snapshot.Namespace && len(labels) > 0 && maps.Equal(shared(labels, pod.Labels), labels) {
			found = append(found, pod.Namespace)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return slices.Min(found)
}

// meant are the Deployments that are called like the Service, and that no Service selects.
func (e *examination) meant(svc canary.Service) (all []canary.Deployment) {
	for _, d := range e.Snapshot.Deployments {
		behind := slices.ContainsFunc(e.Snapshot.Services, func(s canary.Service) bool {
			return len(s.Selector) > 0 && maps.Equal(shared(s.Selector, d.PodLabels), s.Selector)
		})
		if !behind && strings.HasPrefix(d.Name, svc.Name+"-") && len(d.MatchLabels) > 0 {
			all = append(all, d)
		}
	}
	return all
}

// MayBeRelease says of a Service that selects no Deployment whether it is worth a word when it was not asked about: no pod
// answers for it.
func MayBeRelease(r *canary.Release, s *canary.Snapshot) bool {
	if len(r.Problems) == 0 || r.Problems[0].Code != canary.CodeNoDeployment {
		return false
	}
	selector := r.Services[0].Selector
	return !slices.ContainsFunc(s.Pods, func(p canary.Pod) bool { return maps.Equal(shared(selector, p.Labels), selector) })
}

// shared is what both have in common.
func shared(a, b map[string]string) map[string]string {
	both := map[string]string{}
	for key, value := range a {
		if other, ok := b[key]; ok && other == value {
			both[key] = value
		}
	}
	return both
}

func names(all []canary.Deployment) string {
	var words []string
	for _, d := range all {
		words = append(words, d.Name)
	}
	return strings.Join(words, ", ")
}

// selector writes labels as kubectl does.
func selector(labels map[string]string) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		words = append(words, key+"="+labels[key])
	}
	return strings.Join(words, ",")
}
