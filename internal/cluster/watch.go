package cluster

import (
	"context"
	"errors"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Follow keeps what was read up to date until the context ends, by one watch for each kind that changes in a move.
// all adds Services and the locks and records of other operators.
func (l *Live) Follow(ctx context.Context, all bool) {
	start := func(follow func(context.Context, func()) error) {
		go func() {
			if err := follow(ctx, l.changed); err != nil {
				l.fail(err)
			}
		}()
	}
	start(l.deployments.follow)
	start(l.endpoints.follow)
	start(l.pods.follow)
	if all {
		start(l.services.follow)
	}
	if all && !l.leasesHidden {
		start(l.leases.follow)
	}
}

func (l *Live) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.next)
	l.next = make(chan struct{})
}

func (l *Live) fail(err error) {
	l.mu.Lock()
	l.err = errors.Join(l.err, err)
	l.mu.Unlock()
	l.changed()
}

// Observe calls look with what is known now and after every change, until it is done, fails, or the context ends.
// What our own writes have made is known before look is called.
func (l *Live) Observe(ctx context.Context, look func(*canary.Snapshot) (bool, error)) error {
	return l.ObserveAll(ctx, func() (bool, error) {
		if !l.caughtUp() {
			return false, nil
		}
		return look(l.Snapshot())
	})
}

// ObserveAll is Observe for a caller that takes its own snapshots, of several namespaces say.
func (l *Live) ObserveAll(ctx context.Context, look func() (bool, error)) error {
	for {
		l.mu.Lock()
		err, next := l.err, l.next
		l.mu.Unlock()
		if err != nil {
			return err
		}
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-next:
		}
	}
}

// caughtUp says whether the watch has shown every write of ours.
func (l *Live) caughtUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w, version := range l.written {
		if !w.has(w.key, version) {
			return false
		}
		delete(l.written, w)
	}
	return true
}

// store is what a feed is, whatever its objects are: has says whether one is at least at the version, or gone.
type store interface {
	has(key, version string) bool
}

// written is an object that we have written to.
type written struct {
	store
	key string // namespace/name
}

// wrote notes the version that a write has made of an object.
func (l *Live) wrote(to store, name, version string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written[written{to, l.namespace + "/" + name}] = version
}
