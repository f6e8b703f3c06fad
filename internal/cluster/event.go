package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Announce writes an Event on a Service, for `kubectl describe service`. It is best effort: an error changes nothing.
func (c *Client) Announce(ctx context.Context, namespace string, service canary.Service, kind, reason, message string) error {
	now := metav1.NewTime(c.Now())
	_, err := c.core.Events(namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: service.Name + ".", Namespace: namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: service.Name, UID: types.UID(service.UID)},
		Type:           kind, Reason: reason, Message: message, Count: 1,
		FirstTimestamp: now, LastTimestamp: now,
		Source:              corev1.EventSource{Component: FieldManager},
		ReportingController: FieldManager,
	}, metav1.CreateOptions{})
	return err
}
