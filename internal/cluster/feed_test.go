package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// source is what a feed lists and watches; the feed holds the pods' label "v".
type source struct {
	feed    *feed[string]
	listed  *corev1.PodList
	watches []metav1.ListOptions
	refuse  func(n int) error // why the nth watch, from 1, cannot be opened
	w       *watch.RaceFreeFakeWatcher
	changes int
	ended   error
}

var podsResource = schema.GroupResource{Resource: "pods"}

func aPod(name, version, value string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, ResourceVersion: version, Labels: map[string]string{"v": value}}}
}

func podList(version string, pods ...*corev1.Pod) *corev1.PodList {
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: version}}
	for _, p := range pods {
		list.Items = append(list.Items, *p)
	}
	return list
}

func newSource(listed *corev1.PodList) *source {
	s := &source{listed: listed, refuse: func(int) error { return nil }}
	s.feed = &feed[string]{
		list: func(context.Context, metav1.ListOptions) (runtime.Object, error) { return s.listed, nil },
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			s.watches = append(s.watches, o)
			if err := s.refuse(len(s.watches)); err != nil {
				return nil, err
			}
			s.w = watch.NewRaceFreeFake()
			context.AfterFunc(ctx, s.w.Stop)
			return s.w, nil
		},
		convert: func(o runtime.Object) (string, bool) {
			v := o.(*corev1.Pod).Labels["v"]
			return v, v != ""
		},
	}
	return s
}

// sleep lets time pass, and everything that is due come to rest.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// following loads and follows in a bubble of its own until test returns.
func following(t *testing.T, s *source, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if err := s.feed.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { s.ended = s.feed.follow(ctx, func() { s.changes++ }) }()
		synctest.Wait()
		test(t)
		cancel()
		synctest.Wait()
	})
}

func (s *source) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	got := map[string]string{}
	s.feed.mu.Lock()
	for key, it := range s.feed.items {
		got[it.value] = key
	}
	s.feed.mu.Unlock()
	if all := slices.Sorted(maps.Keys(got)); !slices.Equal(all, want) {
		t.Errorf("the feed has %q, want %q", all, want)
	}
}

func TestFeedFollows(t *testing.T) {
	s := newSource(podList("10", aPod("a", "5", "a1"), aPod("b", "6", "b1"), aPod("hidden", "7", "")))
	following(t, s, func(t *testing.T) {
		s.want(t, "a1", "b1")
		s.w.Add(aPod("c", "11", "c1"))
		s.w.Modify(aPod("a", "12", "a2"))
		s.w.Delete(aPod("b", "13", "b1"))
		s.want(t, "a2", "c1")
		s.w.Modify(aPod("c", "14", ""))
		s.want(t, "a2")
		if s.changes != 4 {
			t.Errorf("told of %d changes, want 4", s.changes)
		}
		if o := s.watches[0]; o.ResourceVersion != "10" || !o.AllowWatchBookmarks {
			t.Errorf("watched with %+v", o)
		}
	})
}

// A bookmark moves the place from which a broken watch goes on, and nothing else.
func TestFeedGoesOnAfterABookmark(t *testing.T) {
	s := newSource(podList("10", aPod("a", "5", "a1")))
	following(t, s, func(t *testing.T) {
		s.w.Action(watch.Bookmark, aPod("", "42", ""))
		s.want(t, "a1")
		if s.changes != 0 {
			t.Error("a bookmark is told of as a change")
		}
		s.w.Stop()
		sleep(time.Second)
		s.w.Modify(aPod("a", "43", "a2"))
		s.want(t, "a2")
		if len(s.watches) != 2 || s.watches[1].ResourceVersion != "42" {
			t.Errorf("watched from %+v", s.watches)
		}
	})
}

// The server forgets old versions: then a list takes up what was missed, whether it says so when the watch is opened or
// in the middle of it.
func TestFeedListsAnewAfter410(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old")
	for name, refusal := range map[string]error{"on open": expired, "as gone": &apierrors.StatusError{ErrStatus: metav1.Status{Code: 410, Reason: metav1.StatusReasonGone}}, "in the stream": nil} {
		t.Run(name, func(t *testing.T) {
			s := newSource(podList("10", aPod("a", "5", "a1"), aPod("b", "6", "b1")))
			s.refuse = func(n int) error {
				s.listed = podList("50", aPod("a", "45", "a9"))
				if n == 1 {
					return refusal
				}
				return nil
			}
			following(t, s, func(t *testing.T) {
				if refusal == nil {
					s.w.Error(&expired.ErrStatus)
				}
				sleep(time.Second)
				s.want(t, "a9")
				if s.changes != 1 || s.watches[1].ResourceVersion != "50" {
					t.Errorf("%d changes, watched from %+v", s.changes, s.watches)
				}
			})
		})
	}
}

// What the server will not answer otherwise next time ends the following, with the reason.
func TestFeedEndsWhereItIsForbidden(t *testing.T) {
	for _, refusal := range []error{
		apierrors.NewForbidden(podsResource, "", errors.New("no")), apierrors.NewUnauthorized("no"),
		apierrors.NewMethodNotSupported(podsResource, "watch"), apierrors.NewNotFound(podsResource, ""),
	} {
		s := newSource(podList("10"))
		s.refuse = func(int) error { return refusal }
		following(t, s, func(t *testing.T) {
			if !errors.Is(s.ended, refusal) || len(s.watches) != 1 {
				t.Errorf("ended with %v after %d watches, want %v", s.ended, len(s.watches), refusal)
			}
		})
	}
}

// A server that is away is asked again, ever more slowly.
func TestFeedBacksOff(t *testing.T) {
	s := newSource(podList("10"))
	var attempts atomic.Int32
	s.refuse = func(int) error {
		attempts.Add(1)
		return errLost
	}
	following(t, s, func(t *testing.T) {
		sleep(10 * time.Second)
		if n := attempts.Swap(0); n < 4 || n > 12 {
			t.Errorf("%d attempts in the first 10s", n)
		}
		sleep(time.Minute)
		if n := attempts.Load(); n < 5 || n > 12 {
			t.Errorf("%d attempts in the minute after", n)
		}
	})
	if s.ended != nil {
		t.Errorf("ended with %v though it was only told to stop", s.ended)
	}
}

// Refresh lists while the watch goes on. What comes late on either side must not undo what is newer.
func TestFeedTakesTheNewerOfListAndWatch(t *testing.T) {
	s := newSource(podList("10", aPod("a", "5", "a1"), aPod("b", "6", "b1")))
	following(t, s, func(t *testing.T) {
		s.listed = podList("20", aPod("a", "20", "a3"))
		if err := s.feed.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.w.Modify(aPod("a", "15", "a2"))
		s.w.Modify(aPod("b", "16", "b2"))
		s.want(t, "a3")
		s.w.Modify(aPod("a", "30", "a4"))
		s.want(t, "a4")
		s.listed = podList("25", aPod("a", "20", "a3"), aPod("c", "21", "c1"))
		if err := s.feed.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.want(t, "a4")
	})
}

func TestFeedHas(t *testing.T) {
	s := newSource(podList("10", aPod("a", "9", "a1")))
	if err := s.feed.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]bool{"8": true, "9": true, "10": false, "100": false} {
		if got := s.feed.has(ns+"/a", version); got != want {
			t.Errorf("at version %s: %t", version, got)
		}
	}
	if !s.feed.has(ns+"/gone", "5") {
		t.Error("what was deleted is waited for")
	}
}
