// Package witness watches a namespace by itself: the code under test has no part in it.
package witness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

// History is everything that has happened to a namespace since it was begun. The watches of several kinds run each at its
// own speed, but resource versions are one sequence for all kinds: sorted by them, the events are what happened, in the
// order in which it happened.
type History struct {
	sources []source
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	events []Event
	last   time.Time // when the last event came
	broken error

	resumes bool
}

type source struct {
	kind string
	*cache.ListWatch
}

// Event is one object as it was written, or as it was deleted.
type Event struct {
	Version uint64
	Kind    string
	Object  metav1.Object
	Deleted bool
	Seen    time.Time
}

// Watch begins the history of a namespace.
func Watch(client kubernetes.Interface, namespace string) (_ *History, err error) {
	of := func(kind string, api rest.Interface) source {
		return source{kind, cache.NewListWatchFromClient(api, kind, namespace, fields.Everything())}
	}
	h := &History{sources: []source{
		of("pods", client.CoreV1().RESTClient()),
		of("events", client.CoreV1().RESTClient()),
		of("deployments", client.AppsV1().RESTClient()),
		of("replicasets", client.AppsV1().RESTClient()),
		of("endpointslices", client.DiscoveryV1().RESTClient()),
		of("leases", client.CoordinationV1().RESTClient()),
	}}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	defer func() {
		if err != nil {
			h.End()
		}
	}()
	for _, source := range h.sources {
		version, err := h.list(ctx, source)
		if err != nil {
			return nil, err
		}
		w, err := source.WatchWithContext(ctx, metav1.ListOptions{ResourceVersion: version})
		if err != nil {
			return nil, err
		}
		h.running.Go(func() { h.follow(ctx, source, w) })
	}
	return h, nil
}

// End stops watching.
func (h *History) End() {
	h.stop()
	h.running.Wait()
}

func (h *History) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = cmp.Or(h.broken, err)
}

func (h *History) add(kind string, what watch.EventType) func(runtime.Object) error {
	return func(o runtime.Object) error {
		m, err := meta.Accessor(o)
		if err != nil {
			return fmt.Errorf("watch of %s: %w", kind, err)
		}
		version, err := VersionOf(m.GetResourceVersion())
		if err != nil {
			return err
		}
		if foreign(o) {
			return nil
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.last = time.Now()
		h.events = append(h.events, Event{version, kind, m, what == watch.Deleted, h.last})
		return nil
	}
}

// VersionOf is a resource version as the number that it is.
func VersionOf(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }

// Sorted returns all events in the order in which they happened, once those of now have come.
func (h *History) Sorted(ctx context.Context) ([]Event, error) {
	if err := h.catchUp(ctx); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.events)
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.Version, b.Version) })
	return all, h.broken
}

// catchUp returns when the watches have shown what lists show now.
func (h *History) catchUp(ctx context.Context) error {
	for _, source := range h.sources {
		list, err := source.ListWithContext(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		listMeta, err := meta.ListAccessor(list)
		if err != nil {
			return err
		}
		at, err := VersionOf(listMeta.GetResourceVersion())
		if err != nil {
			return err
		}
		now, err := uids(list)
		if err != nil {
			return err
		}
		if err := patience.Until(func() error { return h.shows(source.kind, at, now) }); err != nil {
			return err
		}
	}
	return nil
}

// shows fails while the watch of a kind has not shown all that a list had at a version.
func (h *History) shows(kind string, at uint64, listed map[types.UID]uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil {
		return patience.NoMore(h.broken)
	}
	first, last := map[types.UID]Event{}, map[types.UID]Event{}
	for _, e := range h.events {
		uid := e.Object.GetUID()
		if e.Kind != kind {
			continue
		}
		if _, seen := first[uid]; !seen {
			first[uid] = e
		}
		last[uid] = e
	}
	for uid, version := range listed {
		if last[uid].Version < version {
			return fmt.Errorf("the watch of %s has not come to version %d", kind, version)
		}
	}
	for uid, e := range last {
		if _, there := listed[uid]; !there && !e.Deleted && first[uid].Version <= at {
			return fmt.Errorf("the watch of %s has not shown that %s is gone", kind, e.Object.GetName())
		}
	}
	return nil
}

// uids are the versions of what is in a list.
func uids(list runtime.Object) (map[types.UID]uint64, error) {
	versions := map[types.UID]uint64{}
	return versions, meta.EachListItem(list, func(o runtime.Object) error {
		m, err := meta.Accessor(o)
		if err != nil || foreign(o) {
			return err
		}
		versions[m.GetUID()], err = VersionOf(m.GetResourceVersion())
		return err
	})
}

// foreign says that an object is an Event of somebody else: they are many, and tell nothing here.
func foreign(o runtime.Object) bool {
	e, isEvent := o.(*corev1.Event)
	return isEvent && e.Source.Component != "kubectl-canary"
}

// Rest fails while something has happened within a time.
func (h *History) Rest(quiet time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if since := time.Since(h.last); since < quiet {
		return fmt.Errorf("the namespace is not at rest: an event came %s ago", since)
	}
	return nil
}

// Present is the resource version of now.
func Present(ctx context.Context, client kubernetes.Interface, namespace string) (uint64, error) {
	list, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return 0, err
	}
	return VersionOf(list.ResourceVersion)
}
