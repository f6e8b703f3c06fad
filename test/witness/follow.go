package witness

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// list takes in what there is of a kind now, as far as it is newer than what was seen, and returns the version of that.
func (h *History) list(ctx context.Context, s source) (string, error) {
	list, err := s.ListWithContext(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	listMeta, err := meta.ListAccessor(list)
	if err != nil {
		return "", err
	}
	at, err := VersionOf(listMeta.GetResourceVersion())
	if err != nil {
		return "", err
	}
	there, err := uids(list)
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	last := h.latest(s.kind)
	for uid, e := range last {
		if _, is := there[uid]; !is && !e.Deleted {
			h.events = append(h.events, Event{at, s.kind, e.Object, true, time.Now()})
		}
	}
	h.mu.Unlock()
	err = meta.EachListItem(list, h.add(s.kind, watch.Added))
	return listMeta.GetResourceVersion(), err
}

// follow takes in what a watch shows. When the API server goes away, what was between its last word and the list that is made
// when it is back is not seen: nobody can write meanwhile.
func (h *History) follow(ctx context.Context, s source, w watch.Interface) {
	for {
		for e := range w.ResultChan() {
			if e.Type == watch.Error {
				break
			}
			if err := h.add(s.kind, e.Type)(e.Object); err != nil {
				h.fail(err)
			}
		}
		w.Stop()
		if ctx.Err() != nil {
			return
		}
		if !h.mayResume() {
			h.fail(fmt.Errorf("the watch of %s has ended", s.kind))
			return
		}
		for {
			version, err := h.list(ctx, s)
			if err == nil {
				w, err = s.WatchWithContext(ctx, metav1.ListOptions{ResourceVersion: version})
			}
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// Resume lets watches go on when they have ended, from now on.
func (h *History) Resume() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resumes = true
}

func (h *History) mayResume() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.resumes
}

// latest are the last events of each object of a kind.
func (h *History) latest(kind string) map[types.UID]Event {
	last := map[types.UID]Event{}
	for _, e := range h.events {
		if e.Kind == kind {
			last[e.Object.GetUID()] = e
		}
	}
	return last
}
