package canary

import (
	"fmt"
	"slices"
)

// Forceable says whether --force goes on in spite of a problem of this code, with a warning.
func Forceable(code string) bool {
	return code == CodeAutoscaler || code == CodePaused || code == CodeMidRollout
}

// Preflight lists what speaks against writing to the release. namedRoles says that the user has named both sides.
// Drift and a missing baseline are found by Aim.
func Preflight(r *Release, s *Snapshot, namedRoles bool) []Problem {
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
	for _, v := range []*Version{r.Stable, r.Canary} {
		found = append(found, deploymentProblems(&v.Deployment)...)
	}
	for _, a := range s.Autoscalers {
		if a.Deployment == r.Stable.Deployment.Name || a.Deployment == r.Canary.Deployment.Name {
			found = append(found, Problem{
				Code: CodeAutoscaler, Severity: Error, Object: "HorizontalPodAutoscaler/" + a.Name,
				Message: fmt.Sprintf("HorizontalPodAutoscaler %s scales Deployment %s between %d and %d: it would undo a move, and stop at 0 replicas", a.Name, a.Deployment, a.Min, a.Max),
			})
		}
	}
	return found
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
