package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Lock is the lock of one release, held by this process. It is a courtesy to other operators: what keeps writes safe are
// their preconditions.
type Lock struct {
	client    *Client
	namespace string
	release   string
	holder    string

	// TookOver says that the lock was another's, who may have been writing.
	TookOver bool

	mu    sync.Mutex
	lease *coordinationv1.Lease
	stop  context.CancelFunc
	ended chan struct{}
}

// tries is how often taking a lock is tried while answers are lost, or its holder writes to it.
const tries = 10

// Acquire takes the lock of a release and writes the record beside it, on the Lease as it was read: one that has changed
// since is somebody else's. takeOver takes it from a holder who is at work. It returns a *canary.LockedError where
// another was faster, and the server's error where Leases are forbidden. No other process may have the name of the holder.
func (l *Live) Acquire(ctx context.Context, release, holder string, record *canary.Record, takeOver bool) (*Lock, error) {
	lock := &Lock{client: l.client, namespace: l.namespace, release: release, holder: holder}
	none := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leasePrefix + release}}
	lease := none
	l.leases.each(func(_ string, n namedLease) {
		if n.release == release {
			lease = n.object
		}
	})
	ctx, cancel := settling(ctx)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := lock.take(ctx, lease, record)
		if err == nil || refused(err) && !apierrors.IsAlreadyExists(err) {
			return lock, err
		}
		now, readErr := lock.read(ctx)
		if apierrors.IsNotFound(readErr) {
			now, readErr = namedLease{object: none}, nil
		}
		if readErr != nil {
			return nil, err // not that reads are forbidden, which would be taken for leave to go on without a lock
		}
		switch changed := now.object.ResourceVersion != lease.ResourceVersion; {
		case now.lease.Holder == holder:
			lock.lease = now.object // by a write whose answer was lost
			return lock, nil
		case changed && (!takeOver || attempt == tries):
			return nil, now.lease.LockedBy(release, l.client.Now())
		case attempt == tries || !changed && answered(err):
			return nil, err
		}
		lease = now.object
	}
}

func (l *Lock) take(ctx context.Context, lease *coordinationv1.Lease, record *canary.Record) (err error) {
	before, _ := toLease(lease)
	l.TookOver = before.lease.Holder != "" && !before.lease.Baking()
	lease = lease.DeepCopy()
	if err := held(lease, l.holder, l.client.Now(), record); err != nil {
		return err
	}
	api := l.client.coordination.Leases(l.namespace)
	if lease.ResourceVersion == "" {
		lease, err = api.Create(ctx, lease, metav1.CreateOptions{FieldManager: FieldManager})
	} else {
		lease, err = api.Update(ctx, lease, metav1.UpdateOptions{FieldManager: FieldManager})
	}
	if err == nil {
		l.lease = lease
	}
	return err
}

// read reads the Lease as it is now.
func (l *Lock) read(ctx context.Context) (namedLease, error) {
	lease, err := l.client.coordination.Leases(l.namespace).Get(ctx, leasePrefix+l.release, metav1.GetOptions{})
	if err != nil {
		return namedLease{}, err
	}
	named, _ := toLease(lease)
	return named, nil
}

// Check reads the lock again, and fails with a *canary.LockedError where it is another's. A user who may write Leases and
// not read them has to do without: that is no reason to stop half-way.
func (l *Lock) Check(ctx context.Context) error {
	now, err := l.read(ctx)
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.ours(now)
}

func (l *Lock) ours(now namedLease) error {
	if now.lease.Holder == l.holder {
		return nil
	}
	e := now.lease.LockedBy(l.release, l.client.Now())
	e.Lost = true
	return e
}

// Keep renews the lock until Release, or until the context ends. onLost is called once, when somebody else has it.
func (l *Lock) Keep(ctx context.Context, onLost func(error)) {
	ctx, l.stop = context.WithCancel(ctx)
	l.ended = make(chan struct{})
	go func() {
		defer close(l.ended)
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var taken *canary.LockedError
			if err := l.renew(ctx); errors.As(err, &taken) {
				onLost(err)
				return
			}
		}
	}()
}

func (l *Lock) renew(ctx context.Context) error {
	return l.update(ctx, func(lease *coordinationv1.Lease) error {
		now := metav1.NewMicroTime(l.client.Now())
		lease.Spec.RenewTime = &now
		return nil
	})
}

// Bake says in the record whether this process only waits. It fails with a *canary.LockedError where the lock is another's.
func (l *Lock) Bake(ctx context.Context, baking bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	return l.update(ctx, func(lease *coordinationv1.Lease) error {
		now, _ := toLease(lease)
		if now.lease.Record == nil || now.lease.Record.Move == nil {
			return nil
		}
		now.lease.Record.Move.Baking = baking
		return recorded(lease, now.lease.Record)
	})
}

// Release gives the lock back and writes the record. Where somebody else has the lock by now, theirs stays.
func (l *Lock) Release(ctx context.Context, record *canary.Record) error {
	if l.stop != nil {
		l.stop()
		<-l.ended
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	return l.update(ctx, func(lease *coordinationv1.Lease) error {
		return held(lease, "", l.client.Now(), record)
	})
}

func (l *Lock) update(ctx context.Context, change func(*coordinationv1.Lease) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for began, attempt := time.Now(), 0; ; attempt++ {
		next := l.lease.DeepCopy()
		if err := change(next); err != nil {
			return err
		}
		updated, err := l.client.coordination.Leases(l.namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
		if err == nil {
			l.lease = updated
			return nil
		}
		if refused(err) || errors.Is(err, ErrNoAnswer) || ctx.Err() != nil || attempt > 0 && (answered(err) || l.client.patient.over(began)) {
			return err
		}
		// An answer of ours may have been lost: then the Lease is newer, and still ours, or as it was to be.
		now, err := l.read(ctx)
		if err == nil && same(now.object, next) {
			l.lease = now.object
			return nil
		}
		if err == nil {
			err = l.ours(now)
		}
		if err != nil {
			return err
		}
		l.lease = now.object
	}
}

// same says whether a Lease has the lock and the record of another.
func same(a, b *coordinationv1.Lease) bool {
	return equality.Semantic.DeepEqual(a.Spec, b.Spec) && a.Annotations[stateAnnotation] == b.Annotations[stateAnnotation]
}
