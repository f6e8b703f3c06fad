package cluster

import (
	"context"
	"encoding/json"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Write writes the record and keeps the lock; after a signal it writes nothing. A request that has come in meanwhile stays,
// but for the one that was taken, which may be nil. It fails with a *canary.LockedError where the lock is another's.
func (l *Lock) Write(ctx context.Context, record *canary.Record, taken *canary.Request) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	return l.update(ctx, func(lease *coordinationv1.Lease) error {
		next := *record
		if now, _ := toLease(lease); next.Migration != nil && now.lease.Record != nil && now.lease.Record.Migration != nil {
			if asked := now.lease.Record.Migration.Request; asked != nil && !asked.Is(taken) {
				next.Migration = next.Migration.Clone()
				next.Migration.Request = asked
			}
		}
		return recorded(lease, &next)
	})
}

func recorded(lease *coordinationv1.Lease, record *canary.Record) error {
	state, err := json.Marshal(record)
	if err == nil {
		lease.Annotations[stateAnnotation] = string(state)
	}
	return err
}

// FollowLeases calls look with all Leases by release, now and after every change, until the context ends. It fails where they
// may not be watched.
func (l *Live) FollowLeases(ctx context.Context, look func(map[string]canary.Lease)) error {
	leases := l.client.leases(l.namespace)
	if err := leases.load(ctx); err != nil {
		return err
	}
	show := func() {
		all, now := map[string]canary.Lease{}, l.client.Now()
		leases.each(func(_ string, n namedLease) { all[n.release] = n.at(now) })
		look(all)
	}
	show()
	return leases.follow(ctx, show)
}

// Amend changes the record of a release whose lock need not be ours. change gets the Lease as it is, and is called again
// where somebody else was faster.
func (l *Live) Amend(ctx context.Context, release string, change func(canary.Lease) (*canary.Record, error)) error {
	lock := &Lock{client: l.client, namespace: l.namespace, release: release}
	for attempt := 1; ; attempt++ {
		now, err := lock.read(ctx)
		if err != nil {
			return err
		}
		record, err := change(now.at(l.client.Now()))
		if err != nil {
			return err
		}
		next := now.object.DeepCopy()
		if err := recorded(next, record); err != nil {
			return err
		}
		_, err = l.client.coordination.Leases(l.namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
		if !apierrors.IsConflict(err) || attempt == tries {
			return err
		}
	}
}
