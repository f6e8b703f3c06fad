package cluster

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Past is what is known of earlier changes in a namespace.
type Past struct {
	Leases       map[string]canary.Lease // by release
	Notices      []canary.Notice
	EventsHidden bool // the user may not see Events
}

// ReadPast reads a namespace's Leases and the Events that this plugin has written. It fails where Leases are forbidden.
func (c *Client) ReadPast(ctx context.Context, namespace string) (Past, error) {
	past := Past{Leases: map[string]canary.Lease{}}
	leases := c.leases(namespace)
	var events *corev1.EventList
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return leases.load(ctx) })
	group.Go(func() (err error) {
		events, err = c.core.Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Service,source=" + FieldManager})
		past.EventsHidden, err = hidden(err)
		return err
	})
	if err := group.Wait(); err != nil {
		return past, err
	}
	leases.each(func(_ string, l namedLease) { past.Leases[l.release] = l.lease })
	if past.EventsHidden {
		return past, nil
	}
	for _, e := range events.Items {
		past.Notices = append(past.Notices, toNotice(&e))
	}
	return past, nil
}

func toNotice(e *corev1.Event) canary.Notice {
	at := e.LastTimestamp.Time
	if at.IsZero() {
		at = e.EventTime.Time
	}
	return canary.Notice{Release: e.InvolvedObject.Name, Reason: e.Reason, Message: e.Message, At: at.Truncate(time.Second)}
}
