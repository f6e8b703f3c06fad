package cluster

import (
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// lowestCost makes a pod the first of those that are alike ready to go in a scale-down: the least that fits.
const lowestCost = "-2147483648"

// Drain takes a label off a pod, so that its Services select it no more, and makes it the one that the next scale-down
// takes. A pod that is gone is no error. A signal does not cut it off.
func (l *Live) Drain(ctx context.Context, pod canary.Pod, label string) error {
	return l.mark(ctx, pod, label, nil, lowestCost)
}

// Relight gives a drained pod its label back, and what it costs to delete is nothing special any more.
func (l *Live) Relight(ctx context.Context, pod canary.Pod, label, value string) error {
	return l.mark(ctx, pod, label, value, nil)
}

// mark sets a label and the deletion cost in one patch, which holds only for this very pod; nil takes away.
func (l *Live) mark(ctx context.Context, pod canary.Pod, label string, value, cost any) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": pod.UID, "labels": map[string]any{label: value}, "annotations": map[string]any{corev1.PodDeletionCost: cost},
	}})
	if err != nil {
		return err
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	for attempt := 0; ; attempt++ {
		now, err := l.client.core.Pods(l.namespace).Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
		switch {
		case err == nil:
			l.wrote(l.pods, pod.Name, now.ResourceVersion)
			return nil
		case apierrors.IsNotFound(err) || apierrors.IsConflict(err):
			return nil // gone, with another of its name in its place or not
		case refused(err) || apierrors.IsInvalid(err) || attempt == 1:
			return err
		}
		// Whether it came through is not known, and does not matter: it says the same again.
	}
}
