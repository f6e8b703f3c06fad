package analysis

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Cluster is what a Watcher asks, all through the API server.
type Cluster interface {
	// May says whether the user has a permission in a namespace.
	May(ctx context.Context, namespace string, p canary.Permission) bool
	// AskPod sends a GET to a pod: target is NAME:PORT or https:NAME:PORT. It returns the status and up to most bytes of the answer.
	// It gives a pod some seconds; canary.ErrNoAnswer says that the pod has not answered, any other error is not the pod's.
	AskPod(ctx context.Context, namespace, target, path string, most int64) (status int, body []byte, err error)
	// PodUsage returns what containers take of the pods that a selector picks; with an empty one of all.
	PodUsage(ctx context.Context, namespace, selector string) ([]canary.Used, error)
	// PodWarnings returns the Events of type Warning about pods.
	PodWarnings(ctx context.Context, namespace string) ([]canary.Happening, error)
}

// Sources says what a Watcher looks at, beside what becomes of the pods.
type Sources struct {
	Usage  bool    // CPU and memory, from metrics.k8s.io
	Scrape *Scrape // what pods count of their users' requests; nil for not asked
	Probe  *Probe  // own requests; nil for none
}

// Watcher sees how the versions of the releases of one namespace do, over a window of time:
//
//	w := NewWatcher(client, sources)
//	w.Begin(ctx, releases, snapshot)  // opens a window; again for the next one
//	go w.Run(ctx)                     // sends the probes and measures every few seconds, until ctx ends
//	w.See(releases, snapshot)         // at every state of the namespace that is observed, as Live.Observe shows them
//	w.Measure(ctx)                    // before a last look: measures now
//	w.Seen("auth", "v2"), w.Gaps()    // at any time, of the window so far
//
// Nothing here fails: a source without an answer is a Problem of its figures, or a Gap, and not asked too often.
// It is safe for use by several goroutines.
type Watcher struct {
	cluster Cluster
	sources Sources

	measuring sync.Mutex // held by Measure

	mu     sync.Mutex
	may    map[canary.Permission]bool // what was asked about
	window *window                    // nil before the first Begin
}

// NewWatcher returns a Watcher that has not begun.
func NewWatcher(c Cluster, s Sources) *Watcher {
	return &Watcher{cluster: c, sources: s, may: map[canary.Permission]bool{}}
}

// window is all that was seen since Begin. Watcher.mu guards it.
type window struct {
	namespace string
	began     time.Time
	first     time.Time // when the first measurement began; zero before, like the next
	measured  time.Time // when the last one began
	versions  []*version
	pods      map[string]*pod // by UID, also those that are gone
	warned    map[Warning]int // how often each had come up before, by all but its count; nil before the first list
	warnings  map[Warning]int // and by now
	noEvents  string          // why Events cannot be listed
	noUsage   string          // why there is no usage of any version
	probed    int             // requests so far: whose turn it is
}

// version is one of a release, as it was seen last.
type version struct {
	release  string
	name     string
	services []canary.Service
	now      canary.Version

	usage    *Usage
	probes   counted
	unprobed string // why the last probe was not sent, or not passed on
}

// pod is one of a version.
type pod struct {
	canary.Pod

	of   *version
	born bool // in the window: all that it counts is of the window
	gone bool
	life *life

	last     *reading // nil before the first
	compared bool     // with a reading of the window before it, or with the pod's birth
	restarts int      // of its containers, when it was read
	counted  counted
	unread   string // why it could not be read the last time
}

// Begin opens a window, and takes the readings that later ones are compared with, which may take some seconds. The window before is
// forgotten.
func (w *Watcher) Begin(ctx context.Context, releases []canary.Release, s *canary.Snapshot) {
	w.mu.Lock()
	w.window = &window{namespace: s.Namespace, began: time.Now(), pods: map[string]*pod{}}
	for i := range releases {
		r := &releases[i]
		for _, v := range r.Versions() {
			w.window.versions = append(w.window.versions, &version{release: r.Name, name: v.Name})
		}
	}
	w.window.see(releases, s, true)
	w.mu.Unlock()
	w.Measure(ctx)
}

// See takes in a state of the namespace, with the releases as they are found in it.
func (w *Watcher) See(releases []canary.Release, s *canary.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window != nil {
		w.window.see(releases, s, false)
	}
}

func (w *window) see(releases []canary.Release, s *canary.Snapshot, first bool) {
	now, there := time.Now(), map[string]bool{}
	for i := range releases {
		r := &releases[i]
		for _, v := range r.Versions() {
			known := w.version(r.Name, v.Name)
			if known == nil {
				continue // it has come in the window, and nothing was asked about it
			}
			known.now, known.services = *v, r.Services
			for _, p := range canary.PodsOf(s, v) {
				there[p.UID] = true
				w.seePod(known, p, first, now)
			}
		}
	}
	for uid, p := range w.pods {
		if !there[uid] && !p.gone {
			p.gone = true
			p.life.end(now)
		}
	}
}

func (w *window) seePod(of *version, now *canary.Pod, first bool, at time.Time) {
	p := w.pods[now.UID]
	switch {
	case p == nil && first:
		p = &pod{of: of, life: newLife(now)}
	case p == nil:
		p = &pod{of: of, born: true, life: bornLife()}
		p.life.see(now, at)
	default:
		p.life.see(now, at)
	}
	p.Pod, p.gone = *now, false
	w.pods[now.UID] = p
}

func (w *window) version(release, name string) *version {
	i := slices.IndexFunc(w.versions, func(v *version) bool { return v.release == release && v.name == name })
	if i < 0 {
		return nil
	}
	return w.versions[i]
}

// podsOf are those of a version that there are, or were in the window, in order of name.
func (w *window) podsOf(v *version) (all []*pod) {
	for _, p := range w.pods {
		if p.of == v {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *pod) int { return strings.Compare(a.Name+a.UID, b.Name+b.UID) })
	return all
}
