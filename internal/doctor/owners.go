package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// quietActors set replicas when somebody tells them to, and not again by themselves.
var quietActors = []string{"kubectl-canary", "kubectl-edit", "kubectl-patch", "kubectl-replace", "kubectl-create", "kubectl-client-side-apply", "kube-controller-manager", "kubectl"}

// pausedBy are the annotations by which Flux leaves an object alone.
var pausedBy = map[string]string{
	"kustomize-controller": "kustomize.toolkit.fluxcd.io/reconcile",
	"helm-controller":      "helm.toolkit.fluxcd.io/driftDetection",
}

// gitOps set replicas again by themselves, or with the next release of theirs.
var gitOps = []string{"argocd-controller", "argocd-application-controller", "kustomize-controller", "helm-controller", "helm"}

// owners are those who will set the replicas again. Autoscalers are the core's to refuse.
func (e *examination) owners() (found []canary.Problem) {
	var applied []string
	for _, s := range e.sides {
		d, object := &s.Deployment, "Deployment/"+s.Deployment.Name
		actor, known := e.Snapshot.ActorOf(d)
		switch manager := d.Writer.Manager; {
		case known && slices.Contains(gitOps, manager):
			if key := pausedBy[manager]; key == "" || s.object.Annotations[key] != "disabled" {
				found = append(found, owned(canary.Warning, object, actor, fmt.Sprintf("%s has set the replicas of Deployment %s: %s", actor.Name, d.Name, will(manager))))
			}
		case known && d.Writer.Operation == "Apply" && manager == "kubectl":
			found = append(found, owned(canary.Info, object, actor, fmt.Sprintf("the manifest of Deployment %s that was applied on the server's side sets replicas: applied again, it is refused, or with --force-conflicts undoes a shift", d.Name)))
		case appliedReplicas(s.object.Annotations):
			applied = append(applied, d.Name)
		case known && !slices.Contains(quietActors, manager):
			found = append(found, owned(canary.Info, object, actor, fmt.Sprintf("%s has set the replicas of Deployment %s: if it does so again, a shift is undone", actor.Name, d.Name)))
		}
	}
	if len(applied) > 0 {
		found = append(found, canary.Problem{
			Code: CodeReplicasOwned, Severity: canary.Info, Object: "Deployment/" + applied[0],
			Message: fmt.Sprintf("what `kubectl apply` was given for %s sets replicas: applied again, it undoes a shift; drop `replicas` from the manifest, and let kubectl forget that it was there", list(applied)),
			Next:    []string{"annotate deployment " + strings.Join(applied, " ") + " " + corev1.LastAppliedConfigAnnotation + "-"},
		})
	}
	return found
}

func will(manager string) string {
	if manager == "helm" {
		return "the next `helm upgrade` may undo a shift"
	}
	return "its next sync undoes a shift, unless it was told to leave them alone"
}

func owned(severity canary.Severity, object string, by canary.Actor, message string) canary.Problem {
	if by.Fix != "" {
		message += "; " + by.Fix
	}
	return canary.Problem{Code: CodeReplicasOwned, Severity: severity, Object: object, Message: message, Next: by.Next}
}

// appliedReplicas says whether the manifest of the last client-side apply has replicas.
func appliedReplicas(annotations map[string]string) bool {
	var applied struct{ Spec struct{ Replicas *int } }
	err := json.NewDecoder(strings.NewReader(annotations[corev1.LastAppliedConfigAnnotation])).Decode(&applied)
	return err == nil && applied.Spec.Replicas != nil
}
