package test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// history is everything that has happened to a namespace since it was begun. It is this package's own watcher: the
// plugin's code has no part in it. The watches of several kinds run each at its own speed, but resource versions are one
// sequence for all kinds: sorted by them, the events are what happened, in the order in which it happened.
type history struct {
	sources []source
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	events []event
	last   time.Time // when the last event came
	broken error
}

type source struct {
	kind string
	*cache.ListWatch
}

// event is one object as it was written, or as it was deleted.
type event struct {
	version uint64
	kind    string
	object  metav1.Object
	deleted bool
	seen    time.Time
}

func (s *script) record(ts *testscript.TestScript) *history {
	if s.history == nil {
		h, err := watchNamespace(s.namespace)
		ts.Check(err)
		ts.Defer(h.end)
		s.history = h
	}
	return s.history
}

func watchNamespace(namespace string) (_ *history, err error) {
	of := func(kind string, client rest.Interface) source {
		return source{kind, cache.NewListWatchFromClient(client, kind, namespace, fields.Everything())}
	}
	h := &history{sources: []source{
		of("pods", cluster.client.CoreV1().RESTClient()),
		of("events", cluster.client.CoreV1().RESTClient()),
		of("deployments", cluster.client.AppsV1().RESTClient()),
		of("replicasets", cluster.client.AppsV1().RESTClient()),
		of("endpointslices", cluster.client.DiscoveryV1().RESTClient()),
		of("leases", cluster.client.CoordinationV1().RESTClient()),
	}}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	defer func() {
		if err != nil {
			h.end()
		}
	}()
	for _, source := range h.sources {
		list, err := source.ListWithContext(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		if err := meta.EachListItem(list, h.add(source.kind, watch.Added)); err != nil {
			return nil, err
		}
		listMeta, err := meta.ListAccessor(list)
		if err != nil {
			return nil, err
		}
		w, err := source.WatchWithContext(ctx, metav1.ListOptions{ResourceVersion: listMeta.GetResourceVersion()})
		if err != nil {
			return nil, err
		}
		h.running.Go(func() {
			defer w.Stop()
			for e := range w.ResultChan() {
				if err := h.add(source.kind, e.Type)(e.Object); err != nil {
					h.fail(err)
				}
			}
			if ctx.Err() == nil {
				h.fail(fmt.Errorf("the watch of %s has ended", source.kind))
			}
		})
	}
	return h, nil
}

func (h *history) end() {
	h.stop()
	h.running.Wait()
}

func (h *history) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = cmp.Or(h.broken, err)
}

func (h *history) add(kind string, what watch.EventType) func(runtime.Object) error {
	return func(o runtime.Object) error {
		m, err := meta.Accessor(o)
		if err != nil {
			return fmt.Errorf("watch of %s: %w", kind, err)
		}
		version, err := versionOf(m.GetResourceVersion())
		if err != nil {
			return err
		}
		if foreign(o) {
			return nil
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.last = time.Now()
		h.events = append(h.events, event{version, kind, m, what == watch.Deleted, h.last})
		return nil
	}
}

func versionOf(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }

// sorted returns all events in the order in which they happened, once those of now have come.
func (h *history) sorted(ctx context.Context) ([]event, error) {
	if err := h.catchUp(ctx); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.events)
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.version, b.version) })
	return all, h.broken
}

// catchUp returns when the watches have shown what lists show now.
func (h *history) catchUp(ctx context.Context) error {
	for _, source := range h.sources {
		list, err := source.ListWithContext(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		listMeta, err := meta.ListAccessor(list)
		if err != nil {
			return err
		}
		at, err := versionOf(listMeta.GetResourceVersion())
		if err != nil {
			return err
		}
		now := map[types.UID]uint64{}
		err = meta.EachListItem(list, func(o runtime.Object) error {
			m, err := meta.Accessor(o)
			if err != nil || foreign(o) {
				return err
			}
			now[m.GetUID()], err = versionOf(m.GetResourceVersion())
			return err
		})
		if err != nil {
			return err
		}
		if err := eventually(func() error { return h.shows(source.kind, at, now) }); err != nil {
			return err
		}
	}
	return nil
}

// shows fails while the watch of a kind has not shown all that a list had at a version.
func (h *history) shows(kind string, at uint64, listed map[types.UID]uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil {
		return final{h.broken}
	}
	first, last := map[types.UID]event{}, map[types.UID]event{}
	for _, e := range h.events {
		uid := e.object.GetUID()
		if e.kind != kind {
			continue
		}
		if _, seen := first[uid]; !seen {
			first[uid] = e
		}
		last[uid] = e
	}
	for uid, version := range listed {
		if last[uid].version < version {
			return fmt.Errorf("the watch of %s has not come to version %d", kind, version)
		}
	}
	for uid, e := range last {
		if _, there := listed[uid]; !there && !e.deleted && first[uid].version <= at {
			return fmt.Errorf("the watch of %s has not shown that %s is gone", kind, e.object.GetName())
		}
	}
	return nil
}

// foreign says that an object is an Event of somebody else: they are many, and tell nothing here.
func foreign(o runtime.Object) bool {
	e, isEvent := o.(*corev1.Event)
	return isEvent && e.Source.Component != "kubectl-canary"
}
