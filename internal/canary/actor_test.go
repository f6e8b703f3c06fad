package canary

import (
	"strings"
	"testing"
)

func TestActorOf(t *testing.T) {
	s := &Snapshot{Autoscalers: []Autoscaler{{Name: "other", Deployment: "auth-v1"}, {Name: "auth", Deployment: "auth-v2"}, {Name: "keda-hpa-x", Deployment: "keda", KEDA: "x"}}}
	for _, tc := range []struct {
		name      string
		d         Deployment
		want, fix string
	}{
		{"its autoscaler", Deployment{Name: "auth-v2", Writer: Writer{Manager: "kube-controller-manager", Operation: "Update", Subresource: "scale"}}, "HorizontalPodAutoscaler auth", "delete hpa auth"},
		{"one that is hidden", Deployment{Name: "chat", Writer: Writer{Manager: "kube-controller-manager", Subresource: "scale"}}, "a HorizontalPodAutoscaler", "delete it"},
		{"KEDA", Deployment{Name: "keda", Writer: Writer{Manager: "kube-controller-manager", Subresource: "scale"}}, "KEDA (ScaledObject x)", "annotate scaledobject x "},
		{"kubectl scale", Deployment{Writer: Writer{Manager: "kubectl", Operation: "Update", Subresource: "scale"}}, "kubectl scale", "ask who"},
		{"server-side apply", Deployment{Writer: Writer{Manager: "kubectl", Operation: "Apply"}}, "kubectl apply --server-side", "drop `replicas`"},
		{"client-side apply", Deployment{Writer: Writer{Manager: "kubectl-client-side-apply", Operation: "Update"}}, "kubectl apply", "edit-last-applied"},
		{"an application", Deployment{Marks: map[string]string{markArgoCD: "shop:apps/Deployment:ns/auth"}, Writer: Writer{Manager: "argocd-controller"}}, "Argo CD (application shop)", "ignoreDifferences"},
		{"Argo CD without a tracking id", Deployment{Writer: Writer{Manager: "argocd-controller"}}, "Argo CD", "ignoreDifferences"},
		{"Flux", Deployment{Marks: map[string]string{markFlux: "apps"}, Writer: Writer{Manager: "kustomize-controller"}}, "Flux (Kustomization apps)", "reconcile=disabled"},
		{"Flux without its label", Deployment{Writer: Writer{Manager: "helm-controller"}}, "Flux", "driftDetection=disabled"},
		{"a stranger", Deployment{Writer: Writer{Manager: "my\ntool"}}, "my tool", "spec.replicas"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := s.ActorOf(&tc.d)
			if !ok || got.Name != tc.want || !strings.Contains(got.Fix+" "+strings.Join(got.Next, " "), tc.fix) {
				t.Errorf("got %+v, %v; want %q, ...%s...", got, ok, tc.want, tc.fix)
			}
		})
	}
	if got, ok := s.ActorOf(&Deployment{Name: "auth-v1"}); ok {
		t.Errorf("nobody has written: %+v", got)
	}
}
