package doctor

import (
	"fmt"
	"strings"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// budgets that hold for one version only: they were written for its replicas, and a move changes these.
func (e *examination) budgets() (found []canary.Problem) {
	for _, budget := range e.Budgets {
		selects, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err != nil {
			continue
		}
		var of []string
		for _, s := range e.sides {
			if selects.Matches(labels.Set(s.Deployment.PodLabels)) {
				of = append(of, s.Deployment.Name)
			}
		}
		name := "PodDisruptionBudget/" + budget.Name
		switch len(of) {
		case 0:
		case len(e.sides):
			p := warning(CodeBudget, name,
				fmt.Sprintf("PodDisruptionBudget %s (%s) holds for evictions of all versions together; a move is no eviction, and keeps its own floor", budget.Name, allowance(budget)))
			p.Severity = canary.Info
			found = append(found, p)
		default:
			found = append(found, warning(CodeBudget, name,
				fmt.Sprintf("PodDisruptionBudget %s (%s) is of %s only: with fewer of its pods after a shift it may let no node be drained, and the other version is not protected; it does not stop a move", budget.Name, allowance(budget), list(of)),
				patch(name, "json", []change{{Op: "replace", Path: "/spec/selector", Value: object{"matchLabels": e.release.Services[0].Selector}}})))
		}
	}
	return found
}

func allowance(b *policyv1.PodDisruptionBudget) string {
	var words []string
	if n := b.Spec.MinAvailable; n != nil {
		words = append(words, "minAvailable "+n.String())
	}
	if n := b.Spec.MaxUnavailable; n != nil {
		words = append(words, "maxUnavailable "+n.String())
	}
	return strings.Join(words, ", ")
}
