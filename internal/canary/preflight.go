package canary

import (
	"fmt"
	"slices"
	"strings"
)

// Forceable says whether --force goes on in spite of a problem of this code, with a warning.
func Forceable(code string) bool {
	switch code {
	case CodeAutoscaler, CodePaused, CodeMidRollout, CodeOverlap, CodeSameImage, CodePublishNotReady, CodeControlled, CodeQuota, CodeLimitRange:
		return true
	}
	return false
}

// Preflight lists what speaks against writing to the release, wherever it is to go. namedRoles says that the user has named
// both sides. Drift and a missing baseline are found by Aim; what is against a plan by PreflightTo and Headroom.
func Preflight(r *Release, s *Snapshot, namedRoles bool) []Problem {
	return preflight(r, s, namedRoles, nil)
}

// PreflightTo is Preflight for a move to a split: it says what an autoscaler would make of that.
func PreflightTo(r *Release, s *Snapshot, namedRoles bool, target Split) []Problem {
	return preflight(r, s, namedRoles, &target)
}

func preflight(r *Release, s *Snapshot, namedRoles bool, target *Split) []Problem {
	var found []Problem
	for _, p := range r.Problems {
		if p.Severity == Error {
			found = append(found, p)
		}
	}
	if r.Stable == nil {
		if len(found) == 0 {
			found = slices.Clone(r.Problems) // what is only worth a note in a list is a reason not to write
			for i := range found {
				found[i].Severity = Error
			}
		}
		return found
	}
	for _, o := range r.Others {
		if (o.Deployment.Replicas > 0 || o.Serving > 0) && !namedRoles {
			found = append(found, Problem{
				Code: CodeThirdVersion, Severity: Error, Object: "Deployment/" + o.Deployment.Name,
				Message: fmt.Sprintf("a third version serves, %s: say which two to move with --stable %s --canary %s", o.Name, r.Stable.Name, r.Canary.Name),
			})
			break
		}
	}
	found = append(found, notReadyProblems(r)...)
	found = append(found, overlapProblems(r)...)
	found = append(found, sameProblems(r)...)
	found = append(found, controlledProblems(r)...)
	for _, v := range []*Version{r.Stable, r.Canary} {
		found = append(found, deploymentProblems(&v.Deployment)...)
	}
	return append(found, autoscalerProblems(r, s, target)...)
}

func deploymentProblems(d *Deployment) []Problem {
	switch {
	case d.Lags():
		return []Problem{{
			Code: CodeMidRollout, Severity: Error, Object: "Deployment/" + d.Name,
			Message: "the controller has not seen the last change of Deployment " + d.Name + " yet: it may be rolling out a new template",
			Next:    []string{"rollout status deployment/" + d.Name},
		}}
	case d.UpdatedPods < d.Pods:
		return []Problem{{
			Code: CodeMidRollout, Severity: Error, Object: "Deployment/" + d.Name,
			Message: fmt.Sprintf("Deployment %s is rolling out a new template (%d of %d pods updated): a scale now would spread over the old and the new pods", d.Name, d.UpdatedPods, d.Pods),
			Next:    []string{"rollout status deployment/" + d.Name},
		}}
	case d.Paused:
		return []Problem{{
			Code: CodePaused, Severity: Error, Object: "Deployment/" + d.Name,
			Message: fmt.Sprintf("Deployment %s is paused: replicas would move, but changes of its template would not", d.Name),
			Next:    []string{"rollout resume deployment/" + d.Name},
		}}
	}
	return nil
}

// notReadyProblems are of Services whose endpoints say ready of pods that are not.
func notReadyProblems(r *Release) (found []Problem) {
	for _, svc := range r.Services {
		if svc.NotReady {
			found = append(found, Problem{
				Code: CodePublishNotReady, Severity: Error, Object: "Service/" + svc.Name,
				Message: fmt.Sprintf("Service %s publishes the addresses of pods that are not ready (publishNotReadyAddresses): who serves cannot be told, and no floor be held", svc.Name),
				Next:    []string{"patch service " + svc.Name + ` -p '{"spec":{"publishNotReadyAddresses":false}}'`},
			})
		}
	}
	return found
}

// sameProblems is of two versions whose pods are the same. Where only their images are, the rest may be what is released.
func sameProblems(r *Release) []Problem {
	stable, canary := &r.Stable.Deployment, &r.Canary.Deployment
	if stable.SpecHash == 0 || stable.SpecHash != canary.SpecHash {
		return nil
	}
	return []Problem{{
		Code: CodeSameImage, Severity: Error, Object: "Deployment/" + canary.Name,
		Message: fmt.Sprintf("both versions run the same: the pod templates of Deployments %s and %s differ in labels and annotations only (image %s), so a shift changes nothing",
			stable.Name, canary.Name, oneLine(strings.Join(canary.Images, ", "))),
		Next: []string{"get deployments " + stable.Name + " " + canary.Name + " -o wide"},
	}}
}

// autoscalerProblems are of what sets the replicas of either side. With a target it is said what becomes of that.
func autoscalerProblems(r *Release, s *Snapshot, target *Split) (found []Problem) {
	for _, a := range s.Autoscalers {
		v, to := r.Stable, 0
		if target != nil {
			to = target.Stable
		}
		if a.Deployment == r.Canary.Deployment.Name {
			if v = r.Canary; target != nil {
				to = target.Canary
			}
		}
		if a.Deployment != v.Deployment.Name {
			continue
		}
		then := "it would undo a move, and stop at 0 replicas"
		if target != nil {
			then = a.becomes(v.Name, to)
		}
		who := a.actor()
		found = append(found, Problem{
			Code: CodeAutoscaler, Severity: Error, Object: "HorizontalPodAutoscaler/" + a.Name,
			Message: fmt.Sprintf("%s scales Deployment %s between %d and %d: %s", who.Name, a.Deployment, a.Min, a.Max, then),
			Next:    who.Next,
		})
	}
	return found
}

// becomes says what the autoscaler makes of a version that is set to some replicas.
func (a Autoscaler) becomes(version string, to int) string {
	switch {
	case to == 0 && a.KEDA != "":
		return fmt.Sprintf("it would start %s again from 0, at once or when its trigger says so", version)
	case to == 0:
		return fmt.Sprintf("it is switched off while %s is at 0, and a rollback would set it going again, from the replicas of then", version)
	case to < a.Min:
		return fmt.Sprintf("it would set %s back from %d to at least %d", version, to, a.Min)
	case to > a.Max:
		return fmt.Sprintf("it would set %s back from %d to at most %d", version, to, a.Max)
	}
	return fmt.Sprintf("it would not leave %s at %d, but scale it by its own numbers", version, to)
}
