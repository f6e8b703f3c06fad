package cluster

import (
	"encoding/json"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const (
	leasePrefix     = "kubectl-canary."
	managedBy       = "app.kubernetes.io/managed-by"
	leaseSelector   = managedBy + "=" + FieldManager
	stateAnnotation = "kubectl-canary/state"
)

// A lock is given up for dead when it has not been renewed for leaseDuration.
const (
	leaseDuration = 30 * time.Second
	renewEvery    = 10 * time.Second
)

// namedLease is what a Lease object says; whether it has run out depends on the time of asking.
type namedLease struct {
	release string
	lease   canary.Lease
	object  *coordinationv1.Lease // what the next write of it starts from
}

func (n namedLease) at(now time.Time) canary.Lease {
	l := n.lease
	l.Expired = l.Holder != "" && now.After(l.Until)
	return l
}

// toLease reports false for a Lease that is no release's. A record that cannot be read is no record.
func toLease(l *coordinationv1.Lease) (namedLease, bool) {
	if len(l.Name) <= len(leasePrefix) || l.Name[:len(leasePrefix)] != leasePrefix {
		return namedLease{}, false
	}
	out := namedLease{release: l.Name[len(leasePrefix):], object: l}
	if l.Spec.HolderIdentity != nil {
		out.lease.Holder = *l.Spec.HolderIdentity
	}
	if l.Spec.AcquireTime != nil {
		out.lease.Since = l.Spec.AcquireTime.Time
	}
	if l.Spec.RenewTime != nil && l.Spec.LeaseDurationSeconds != nil {
		out.lease.Renewed = l.Spec.RenewTime.Time
		out.lease.Until = l.Spec.RenewTime.Add(time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second)
	}
	var record canary.Record
	if json.Unmarshal([]byte(l.Annotations[stateAnnotation]), &record) == nil && record.Sane() {
		if !record.Migration.Sane() {
			record.Migration = nil // of a later version, say: baseline and history count all the same
		}
		out.lease.Record = &record
	}
	return out, true
}

// held writes the lock and the record, if there is one, into a Lease; an empty holder releases it.
func held(l *coordinationv1.Lease, holder string, now time.Time, record *canary.Record) error {
	if l.Labels == nil {
		l.Labels = map[string]string{}
	}
	if l.Annotations == nil {
		l.Annotations = map[string]string{}
	}
	l.Labels[managedBy] = FieldManager
	delete(l.Annotations, stateAnnotation)
	if record != nil {
		state, err := json.Marshal(record)
		if err != nil {
			return err
		}
		l.Annotations[stateAnnotation] = string(state)
	}
	if holder == "" {
		l.Spec.HolderIdentity, l.Spec.RenewTime, l.Spec.AcquireTime = nil, nil, nil
		return nil
	}
	seconds, stamp := int32(leaseDuration/time.Second), metav1.NewMicroTime(now)
	transitions := int32(1)
	if l.Spec.LeaseTransitions != nil {
		transitions += *l.Spec.LeaseTransitions
	}
	l.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &holder, LeaseDurationSeconds: &seconds,
		AcquireTime: &stamp, RenewTime: &stamp, LeaseTransitions: &transitions,
	}
	return nil
}
