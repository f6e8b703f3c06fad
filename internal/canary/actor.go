package canary

import (
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

// Autoscaler says that it is one: nothing else of the controller manager writes a scale.
func (w Writer) Autoscaler() bool {
	return w.Manager == "kube-controller-manager" && w.Subresource == "scale"
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
var Marks = []string{
	markArgoCD, markArgoRollouts, markFlux, markFluxHelm, markHelm, markKruise, markKruiseCanary, markKruiseControl, markKruisePlan,
}

// Actor is somebody else who sets replicas, as a user knows it, and what makes it leave them alone.
type Actor struct {
	Name string
	Fix  string   // a sentence, without a full stop
	Next []string // the commands for that, as in a Problem
}

// actors are the field managers that are well known.
var actors = map[string]func(d *Deployment) Actor{
	"argocd-controller":             argoCD,
	"argocd-application-controller": argoCD,
	"kustomize-controller": func(d *Deployment) Actor {
		return Actor{
			named("Flux", "Kustomization", d.Marks[markFlux]), "let Flux skip the Deployment for the release, or drop `replicas` from the manifest in Git, after another manager has taken it over",
			[]string{"annotate deployment " + d.Name + " kustomize.toolkit.fluxcd.io/reconcile=disabled"},
		}
	},
	"helm-controller": func(d *Deployment) Actor {
		return Actor{
			named("Flux", "HelmRelease", d.Marks[markFluxHelm]), "let the HelmRelease ignore /spec/replicas (spec.driftDetection.ignore), or Flux skip the Deployment for the release",
			[]string{"annotate deployment " + d.Name + " helm.toolkit.fluxcd.io/driftDetection=disabled"},
		}
	},
	"helm": func(d *Deployment) Actor {
		return Actor{named("Helm", "release", d.Marks[markHelm]), "keep the chart from setting `replicas`, or give it the split's numbers in its values", nil}
	},
	"kubectl-client-side-apply": func(d *Deployment) Actor {
		return Actor{"kubectl apply", "drop `replicas` from what kubectl remembers of the manifest, then from the manifest", []string{"apply edit-last-applied deployment/" + d.Name}}
	},
	"kubectl-edit":        byHand("kubectl edit"),
	"kubectl-patch":       byHand("kubectl patch"),
	"kubectl-replace":     byHand("kubectl replace"),
	"flagger":             rival("Flagger", "Canary"),
	"rollouts-controller": rival("Argo Rollouts", "Rollout"),
	"kubectl-canary": func(*Deployment) Actor {
		return Actor{"another kubectl canary", "ask who ran it", []string{"canary history"}}
	},
}

// ActorOf says who has set the replicas of a Deployment last; false where nothing is known of it.
func (s *Snapshot) ActorOf(d *Deployment) (Actor, bool) {
	w := d.Writer
	switch {
	case w.Manager == "":
		return Actor{}, false
	case w.Autoscaler():
		return s.scalerOf(d), true
	case w.Manager == "kubectl" && w.Operation == "Apply":
		return Actor{"kubectl apply --server-side", "drop `replicas` from the manifest, after another manager has taken it over", nil}, true
	case w.Manager == "kubectl":
		return byHand("kubectl scale")(d), true
	}
	if known, ok := actors[w.Manager]; ok {
		return known(d), true
	}
	return Actor{oneLine(w.Manager), "let it leave spec.replicas of the Deployment alone", nil}, true
}

// scalerOf is the autoscaler of a Deployment.
func (s *Snapshot) scalerOf(d *Deployment) Actor {
	for _, a := range s.Autoscalers {
		if a.Deployment == d.Name {
			return a.actor()
		}
	}
	return Actor{"a HorizontalPodAutoscaler", "delete it for the release", nil}
}

func (a Autoscaler) actor() Actor {
	if a.KEDA != "" {
		return Actor{"KEDA (ScaledObject " + oneLine(a.KEDA) + ")", "pause it for the release", []string{"annotate scaledobject " + a.KEDA + " autoscaling.keda.sh/paused=true"}}
	}
	return Actor{"HorizontalPodAutoscaler " + a.Name, "delete it for the release", []string{"delete hpa " + a.Name}}
}

func argoCD(d *Deployment) Actor {
	return Actor{
		named("Argo CD", "application", argoApplication(d.Marks[markArgoCD])),
		"let the Application ignore it: ignoreDifferences {group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}, and the sync option RespectIgnoreDifferences=true", nil,
	}
}

// argoApplication is the first part of a tracking id, "APP:GROUP/KIND:NAMESPACE/NAME".
func argoApplication(id string) string {
	app, _, _ := strings.Cut(id, ":")
	return app
}

func byHand(command string) func(*Deployment) Actor {
	return func(*Deployment) Actor { return Actor{command, "ask who did it, and why", nil} }
}

func rival(tool, kind string) func(*Deployment) Actor {
	return func(*Deployment) Actor {
		return Actor{tool, "one of the two has to leave: delete the " + kind + ", or let it alone move the Deployment", nil}
	}
}

func named(tool, kind, name string) string {
	if name == "" {
		return tool
	}
	return tool + " (" + kind + " " + oneLine(name) + ")"
}
