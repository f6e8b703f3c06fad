package mover

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const (
	controllerLag = 50 * time.Millisecond // from a write to what the controllers make of it
	startTime     = time.Second           // of a pod
	drainTime     = 3 * time.Second       // that pods run on after they have left the Service
	settleTime    = 3 * time.Second       // that it is watched at the end
)

// world is a namespace in memory, on synctest's clock: controllers that act after a while, and pods that start, serve and
// go. It holds every moment against the bounds of the releases that move.
type world struct {
	t check
	// step is called, with nothing locked, before each call of the mover, and before pods change. An error is the call's.
	step func(what string) error
	// lost makes a write take effect, and its answer an error.
	lost func(deployment string) error
	// start makes of a new pod of a Deployment what it becomes; nil lets it serve after startTime.
	start map[string]func(*canary.Pod)
	// full names the Deployments for which a quota allows no more pods.
	full map[string]bool
	// stopping are pods that are about to be gone, of whatever else is in the namespace.
	stopping []canary.Pod
	// drainable gives the releases that are added a label by which pods can be drained.
	drainable bool
	sliceLag  time.Duration // from a label to the EndpointSlices
	// undrainable makes of a patch of a pod of a Deployment an error.
	undrainable map[string]error
	mu          sync.Mutex
	services    []canary.Service
	deployments []*deployment
	bounds      map[string]canary.Bounds
	next        chan struct{} // closed at the next change
	observed    []canary.Pod  // the last time
	podsLag     bool          // Refresh shows pods as they were observed last
	created     int
	stopped     bool // after an interrupt: no write may begin
	writes      []string
	cut         []string // pods that were stopped while they had traffic, or just after
}

// check is what a world needs of a test, or of a property.
type check interface {
	Helper()
	Errorf(format string, args ...any)
}

type deployment struct {
	canary.Deployment
	release string
	pods    []*pod
}

type pod struct {
	canary.Pod
	ready bool
	away  bool // from the EndpointSlices, since left
	left  time.Time
}

func (p *pod) serves() bool { return p.ready && !p.away }

type equals map[string]string

func (e equals) Matches(labels map[string]string) bool {
	for k, v := range e {
		if labels[k] != v {
			return false
		}
	}
	return true
}

func newWorld(t check) *world {
	return &world{
		t: t, start: map[string]func(*canary.Pod){}, full: map[string]bool{}, bounds: map[string]canary.Bounds{}, undrainable: map[string]error{}, next: make(chan struct{}),
		step: quietly, sliceLag: controllerLag, lost: quietly,
	}
}

// release adds a Service and two Deployments whose pods all serve.
func (w *world) release(name string, stable, second int) {
	service := canary.Service{Name: name, Selector: map[string]string{"app": name}}
	if w.drainable {
		service.Selector["serving"] = "true"
	}
	w.services = append(w.services, service)
	for version, replicas := range map[string]int{"v1": stable, "v2": second} {
		match := map[string]string{"app": name, "version": version}
		labels := maps.Clone(match)
		maps.Copy(labels, service.Selector)
		d := &deployment{release: name, Deployment: canary.Deployment{
			Name: name + "-" + version, UID: "uid-" + name + "-" + version, PodLabels: labels, MatchLabels: match,
			Selector: equals(match), Replicas: replicas, Generation: 1, Observed: 1,
		}}
		w.deployments = append(w.deployments, d)
		for range replicas {
			w.newPod(d).ready = true
		}
	}
}

func (w *world) newPod(d *deployment) *pod {
	w.created++
	p := &pod{Pod: canary.Pod{
		Name: fmt.Sprintf("%s-%d", d.Name, w.created), UID: fmt.Sprint(w.created), Labels: maps.Clone(d.PodLabels), Owned: true, Created: time.Now(),
	}}
	d.pods = append(d.pods, p)
	return p
}

func (w *world) find(name string) *deployment {
	i := slices.IndexFunc(w.deployments, func(d *deployment) bool { return d.Name == name })
	return w.deployments[i]
}

// on sets what is called before each step, from any goroutine.
func (w *world) on(step func(what string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step = step
}

func (w *world) before(what string) error {
	w.mu.Lock()
	step := w.step
	w.mu.Unlock()
	return step(what)
}

// quietly lets everything be as it is.
func quietly(string) error { return nil }

// change does something to the world, checks it, and tells whoever observes.
func (w *world) change(what string, do func()) {
	_ = w.before(what)
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
	w.check(what)
	close(w.next)
	w.next = make(chan struct{})
}

func (w *world) check(when string) {
	for release, b := range w.bounds {
		ready, pods := 0, 0
		for _, d := range w.deployments {
			if d.release != release {
				continue
			}
			pods += len(d.pods)
			for _, p := range d.pods {
				if p.serves() {
					ready++
				}
			}
		}
		if ready < b.Floor || pods > b.Ceiling {
			w.t.Errorf("%s: %s has %d pods, %d of them ready; the bounds are %+v", when, release, pods, ready, b)
		}
	}
}

// scale sets replicas as anybody may. The controllers follow.
func (w *world) scale(name string, to int) {
	w.change(fmt.Sprintf("%s is scaled to %d", name, to), func() {
		d := w.find(name)
		d.Replicas = to
		d.Generation++
		time.AfterFunc(controllerLag/2, func() { w.change(name+" is observed", func() { d.Observed = d.Generation }) })
		time.AfterFunc(controllerLag, func() { w.change("controllers act on "+name, func() { w.reconcile(d) }) })
	})
}

// other is somebody else who scales: what becomes of the bounds then is not the mover's doing.
func (w *world) other(name string, to int) {
	w.mu.Lock()
	delete(w.bounds, w.find(name).release)
	w.mu.Unlock()
	w.scale(name, to)
}

// reconcile is what the controllers of Deployments and ReplicaSets do: unready pods go first, then the cheapest.
func (w *world) reconcile(d *deployment) {
	for len(d.pods) < d.Replicas {
		if w.full[d.Name] {
			d.Failure = &canary.Failure{Reason: canary.CodeFailedCreate, Message: "exceeded quota", Since: time.Now()}
			break
		}
		p := w.newPod(d)
		if become := w.start[d.Name]; become != nil {
			become(&p.Pod)
			continue
		}
		time.AfterFunc(startTime, func() { w.change(p.Name+" is ready", func() { p.ready = true }) })
	}
	for len(d.pods) > d.Replicas {
		i := slices.IndexFunc(d.pods, func(p *pod) bool { return !p.ready })
		if i < 0 {
			i = max(0, slices.IndexFunc(d.pods, func(p *pod) bool { return p.Cheapest }))
		}
		if p := d.pods[i]; p.serves() || p.ready && time.Since(p.left) < drainTime {
			w.cut = append(w.cut, p.Name)
		}
		d.pods = slices.Delete(d.pods, i, i+1)
	}
}

// seen is the pod as the API shows it: a copy.
func (p *pod) seen() canary.Pod {
	c := p.Pod
	c.Labels = maps.Clone(p.Labels)
	if p.ready {
		c.Conditions = []canary.Condition{{Type: "Ready", Status: true}}
	}
	return c
}

// label gives a pod a label, or with an empty value takes it away. The EndpointSlices follow.
func (w *world) label(d *deployment, p *pod, key, value string) {
	w.change(fmt.Sprintf("%s is labelled %s=%s", p.Name, key, value), func() {
		p.Labels[key], p.Cheapest = value, value == ""
		if value == "" {
			delete(p.Labels, key)
		}
		time.AfterFunc(w.sliceLag, func() {
			w.change("the endpoints of "+p.Name+" follow", func() {
				if away := !w.selects(d.release, p); away != p.away {
					p.away, p.left = away, time.Now()
				}
			})
		})
	})
}

// selects says whether a Service selects a pod.
func (w *world) selects(service string, p *pod) bool {
	i := slices.IndexFunc(w.services, func(s canary.Service) bool { return s.Name == service })
	return equals(w.services[i].Selector).Matches(p.Labels)
}

func (w *world) snapshot() *canary.Snapshot {
	s := &canary.Snapshot{Namespace: "messenger", Services: w.services, Pods: slices.Clone(w.stopping), Leases: map[string]canary.Lease{}}
	for _, d := range w.deployments {
		c := d.Deployment
		c.Pods = len(d.pods)
		c.UpdatedPods = max(0, c.Pods-max(0, d.Deployment.Pods-d.Deployment.UpdatedPods)) // a roll-out that is under way
		for _, p := range d.pods {
			s.Pods = append(s.Pods, p.seen())
			if !p.away {
				s.Endpoints = append(s.Endpoints, canary.Endpoint{Service: d.release, PodUID: p.UID, Ready: p.ready})
			}
			if p.ready {
				c.ReadyPods++
			}
		}
		s.Deployments = append(s.Deployments, c)
	}
	return s
}

func (w *world) now() *canary.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshot()
}
