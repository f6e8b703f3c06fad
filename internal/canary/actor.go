package canary

import (
	"fmt"
	"strings"
	"time"
)

// Writer is who has set a Deployment's replicas last, from its managed fields.
type Writer struct {
	Manager     string
	Operation   string
	Subresource string
	At          time.Time // zero where the server does not tell: it never does of a scale
}

// The labels and annotations by which tools mark what they manage.
const (
	markArgoCD       = "argocd.argoproj.io/tracking-id"
	markArgoRollouts = "argo-rollouts.argoproj.io/managed-by-rollouts"
	markFlux         = "kustomize.toolkit.fluxcd.io/name"
	markFluxHelm     = "helm.toolkit.fluxcd.io/name"
	markHelm         = "meta.helm.sh/release-name"
	MarkKEDA         = "scaledobject.keda.sh/name" // on a HorizontalPodAutoscaler
)

// Marks are the labels and annotations that the core wants to know of a Deployment.
var Marks = []string{markArgoCD, markArgoRollouts, markFlux, markFluxHelm, markHelm}

// Actor is somebody else who sets replicas, as a user knows it, and what makes it leave them alone.
type Actor struct {
	Name string
	Fix  string // a sentence, without a full stop
}

const dropReplicas = "drop `replicas` from the manifest, and before that from what kubectl remembers of it (kubectl apply edit-last-applied)"

// actors are the field managers that are well known.
var actors = map[string]func(d *Deployment) Actor{
	"argocd-controller":             argoCD,
	"argocd-application-controller": argoCD,
	"kustomize-controller": func(d *Deployment) Actor {
		return Actor{named("Flux", "Kustomization", d.Marks[markFlux]), "drop `replicas` from the manifest in Git, or suspend it for the release: flux suspend kustomization " + orName(d.Marks[markFlux])}
	},
	"helm-controller": func(d *Deployment) Actor {
		return Actor{named("Flux", "HelmRelease", d.Marks[markFluxHelm]), "let it ignore /spec/replicas (spec.driftDetection.ignore of the HelmRelease), or suspend it for the release: flux suspend helmrelease " + orName(d.Marks[markFluxHelm])}
	},
	"helm": func(d *Deployment) Actor {
		return Actor{named("Helm", "release", d.Marks[markHelm]), "keep the chart from setting `replicas`, or give it the split's numbers in its values"}
	},
	"kubectl-client-side-apply": func(*Deployment) Actor { return Actor{"kubectl apply", dropReplicas} },
	"kubectl-edit":              byHand("kubectl edit"),
	"kubectl-patch":             byHand("kubectl patch"),
	"kubectl-replace":           byHand("kubectl replace"),
	"flagger": func(*Deployment) Actor {
		return Actor{"Flagger", "one of the two has to leave: delete the Canary, or let Flagger alone move it"}
	},
	"rollouts-controller": func(*Deployment) Actor {
		return Actor{"Argo Rollouts", "one of the two has to leave: delete the Rollout, or let it alone move it"}
	},
	"kubectl-canary": func(*Deployment) Actor { return Actor{"another kubectl canary", "kubectl canary history tells who"} },
}

// ActorOf says who has set the replicas of a Deployment last; false where nothing is known of it.
func (s *Snapshot) ActorOf(d *Deployment) (Actor, bool) {
	w := d.Writer
	switch {
	case w.Manager == "":
		return Actor{}, false
	case w.Manager == "kube-controller-manager" && w.Subresource == "scale":
		return s.scalerOf(d), true
	case w.Manager == "kubectl" && w.Operation == "Apply":
		return Actor{"kubectl apply --server-side", "drop `replicas` from the manifest, when another manager owns it"}, true
	case w.Manager == "kubectl":
		return byHand("kubectl scale")(d), true
	}
	if known, ok := actors[w.Manager]; ok {
		return known(d), true
	}
	return Actor{oneLine(w.Manager), "let it leave spec.replicas of the Deployment alone"}, true
}

// scalerOf is the autoscaler of a Deployment: the API has no other that writes as the controller manager.
func (s *Snapshot) scalerOf(d *Deployment) Actor {
	for _, a := range s.Autoscalers {
		switch {
		case a.Deployment != d.Name:
		case a.KEDA != "":
			return Actor{"KEDA (ScaledObject " + oneLine(a.KEDA) + ")", fmt.Sprintf("pause it for the release: kubectl annotate scaledobject %s autoscaling.keda.sh/paused=true", a.KEDA)}
		default:
			return Actor{"HorizontalPodAutoscaler " + a.Name, fmt.Sprintf("delete it for the release: kubectl delete hpa %s", a.Name)}
		}
	}
	return Actor{"a HorizontalPodAutoscaler", "delete it for the release"}
}

func argoCD(d *Deployment) Actor {
	return Actor{
		named("Argo CD", "application", argoApplication(d.Marks[markArgoCD])),
		"let the Application ignore it: ignoreDifferences {group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}, and the sync option RespectIgnoreDifferences=true",
	}
}

// argoApplication is the first part of a tracking id, "APP:GROUP/KIND:NAMESPACE/NAME".
func argoApplication(id string) string {
	app, _, _ := strings.Cut(id, ":")
	return app
}

func byHand(command string) func(*Deployment) Actor {
	return func(*Deployment) Actor { return Actor{command, "ask who did it, and why"} }
}

func named(tool, kind, name string) string {
	if name == "" {
		return tool
	}
	return tool + " (" + kind + " " + oneLine(name) + ")"
}

func orName(name string) string {
	if name == "" {
		return "NAME"
	}
	return oneLine(name)
}
