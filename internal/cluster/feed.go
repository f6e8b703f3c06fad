package cluster

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
)

// feed holds one kind of object of a namespace, from a list and, while it is followed, a watch.
// client-go's informers hide outages and hang where a watch is forbidden; this says so.
type feed[T any] struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
	// convert reports false for an object that does not count.
	convert func(runtime.Object) (T, bool)

	mu       sync.Mutex
	items    map[string]item[T] // by namespace/name
	loaded   string             // version of the list
	version  string             // of the list or the newest event
	revision int                // how often the items have changed
}

type item[T any] struct {
	namespace string
	version   string
	value     T
}

// load lists anew. A watch event that is older than the list changes nothing afterwards.
func (f *feed[T]) load(ctx context.Context) error {
	list, err := f.list(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	listMeta, err := meta.ListAccessor(list)
	if err != nil {
		return err
	}
	items := map[string]item[T]{}
	err = meta.EachListItem(list, func(o runtime.Object) error {
		key, it, ok, err := f.item(o)
		if ok {
			items[key] = it
		}
		return err
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if newer(f.version, listMeta.GetResourceVersion()) {
		return nil // the watch has shown more meanwhile, and will not show it again
	}
	f.revision++
	f.items, f.loaded, f.version = items, listMeta.GetResourceVersion(), listMeta.GetResourceVersion()
	return nil
}

func (f *feed[T]) item(o runtime.Object) (key string, it item[T], ok bool, err error) {
	m, err := meta.Accessor(o)
	if err != nil {
		return "", it, false, err
	}
	value, ok := f.convert(o)
	return m.GetNamespace() + "/" + m.GetName(), item[T]{m.GetNamespace(), m.GetResourceVersion(), value}, ok, nil
}

// follow keeps the feed up to date until the context ends or the server says no. It calls changed after every change.
// A watch that breaks is taken up where it was, or with a new list where the server has forgotten that point.
func (f *feed[T]) follow(ctx context.Context, changed func()) error {
	for wait := minBackoff; ; wait = min(2*wait, maxBackoff) {
		began := time.Now()
		err := f.once(ctx, changed)
		if final(err) && ctx.Err() == nil {
			return err
		}
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			if err := f.load(ctx); final(err) {
				return err
			}
			changed()
		}
		if time.Since(began) > maxBackoff {
			wait = minBackoff
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait + rand.N(wait)):
		}
	}
}

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// final says that asking again is in vain.
func final(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err)
}

func (f *feed[T]) once(ctx context.Context, changed func()) error {
	f.mu.Lock()
	from := f.version
	f.mu.Unlock()
	w, err := f.watch(ctx, metav1.ListOptions{ResourceVersion: from, AllowWatchBookmarks: true})
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-w.ResultChan():
			if !open {
				return errWatchEnded
			}
			if event.Type == watch.Error {
				return apierrors.FromObject(event.Object)
			}
			if err := f.apply(event); err != nil {
				return err
			}
			if event.Type != watch.Bookmark {
				changed()
			}
		}
	}
}

var errWatchEnded = errors.New("the watch ended")

func (f *feed[T]) apply(event watch.Event) error {
	m, err := meta.Accessor(event.Object)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if newer(f.loaded, m.GetResourceVersion()) {
		return nil
	}
	f.version = m.GetResourceVersion()
	if event.Type == watch.Bookmark {
		return nil
	}
	key, it, ok, err := f.item(event.Object)
	if err != nil {
		return err
	}
	f.revision++
	if event.Type == watch.Deleted || !ok {
		delete(f.items, key)
		return nil
	}
	f.items[key] = it
	return nil
}

// newer compares resource versions, which are numbers that grow. Where they are not, nothing is taken to be newer.
func newer(a, b string) bool {
	c, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && c > 0
}

// add loads another feed, and takes over what it has.
func (f *feed[T]) add(ctx context.Context, other *feed[T]) error {
	if err := other.load(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revision++
	if f.items == nil {
		f.items = map[string]item[T]{}
	}
	maps.Copy(f.items, other.items)
	return nil
}

// retain forgets what does not count.
func (f *feed[T]) retain(counts func(T) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revision++
	maps.DeleteFunc(f.items, func(_ string, it item[T]) bool { return !counts(it.value) })
}

// has says whether the object is at least at the version, or gone.
func (f *feed[T]) has(key, version string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	it, there := f.items[key]
	return !there || !newer(version, it.version)
}

// changes is how often the items have changed.
func (f *feed[T]) changes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revision
}

// each calls use for every object, in no order.
func (f *feed[T]) each(use func(namespace string, value T)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, it := range f.items {
		use(it.namespace, it.value)
	}
}
