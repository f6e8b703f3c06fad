package canary

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Link is one step of the way from a Deployment to why its pods do not serve.
type Link struct {
	Depth  int    // of what it belongs to, from 0
	Object string // Kind/name; empty for a part of the object above it
	Text   string
	Since  time.Time // zero where unknown
	Event  *Happening
}

// maxHappenings is how many Events of one object are told.
const maxHappenings = 3

// chain leads from a version's Deployment over its ReplicaSet to a problem's pod and what keeps it from serving. Without a
// problem of a pod it ends at the ReplicaSets that lack pods.
func (s *Snapshot) chain(v *Version, p *Problem) []Link {
	d := &v.Deployment
	text := fmt.Sprintf("%d of %d pods serve", v.Serving, d.Replicas)
	if d.Paused {
		text += ", paused"
	}
	if d.Pods > d.UpdatedPods {
		text += fmt.Sprintf(", %d of an older template", d.Pods-d.UpdatedPods)
	}
	links := s.with(Link{Object: "Deployment/" + d.Name, Text: text})
	var pod *Pod
	if p != nil {
		pod = s.podNamed(v, p.Object)
	}
	for _, rs := range s.replicaSetsOf(d) {
		if pod == nil && rs.Pods < rs.Replicas || pod != nil && rs.Name == pod.ReplicaSet {
			text := fmt.Sprintf("%d of %d pods, %d ready", rs.Pods, rs.Replicas, rs.ReadyPods)
			links = append(links, s.with(Link{Depth: 1, Object: "ReplicaSet/" + rs.Name, Text: text})...)
		}
	}
	if pod == nil {
		return links
	}
	links = append(links, Link{Depth: 2, Object: p.Object, Text: pod.whereabouts(), Since: p.Since})
	links = append(links, pod.parts()...)
	links = append(links, s.happened(p.Object, 3, pod, p.Message)...)
	if n := s.alike(v, pod, p.Code); n > 0 {
		links = append(links, Link{Depth: 2, Text: "and " + count(n, "more pod") + " like it"})
	}
	return links
}

func (s *Snapshot) with(l Link) []Link {
	return append([]Link{l}, s.happened(l.Object, l.Depth+1, nil, "")...)
}

func (s *Snapshot) podNamed(v *Version, object string) *Pod {
	for _, p := range PodsOf(s, v) {
		if "Pod/"+p.Name == object {
			return p
		}
	}
	return nil
}

// replicaSetsOf returns those that have or want pods, in order of name.
func (s *Snapshot) replicaSetsOf(d *Deployment) []ReplicaSet {
	var all []ReplicaSet
	for _, rs := range s.ReplicaSets {
		if rs.Deployment == d.UID && (rs.Replicas > 0 || rs.Pods > 0) {
			all = append(all, rs)
		}
	}
	slices.SortFunc(all, func(a, b ReplicaSet) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// whereabouts says what a pod that does not serve is at, and where.
func (p *Pod) whereabouts() string {
	switch {
	case p.Node == "":
		return "on no node"
	case p.Phase == "":
		return "on " + p.Node + ", not ready"
	}
	return p.Phase + " on " + p.Node + ", not ready"
}

// alike counts the other pods of a version that have the same problem.
func (s *Snapshot) alike(v *Version, pod *Pod, code string) (n int) {
	for _, other := range PodsOf(s, v) {
		if p, _ := Diagnose(other); p != nil && p.Code == code && other.Name != pod.Name {
			n++
		}
	}
	return n
}

// parts are what of a pod keeps it from being ready: gates, scheduling and containers.
func (p *Pod) parts() []Link {
	var links []Link
	add := func(text string, since time.Time) { links = append(links, Link{Depth: 3, Text: text, Since: since}) }
	for _, gate := range p.SchedulingGates {
		add("scheduling gate "+gate+" is there still", p.Created)
	}
	if s := condition(p, "PodScheduled"); s.Type != "" && !s.Status && len(p.SchedulingGates) == 0 {
		add("scheduler: "+detail(s.Reason, s.Message), s.Since)
	}
	for _, c := range p.Containers {
		if c.Ready || c.Waiting != nil && c.Waiting.Reason == "PodInitializing" {
			continue
		}
		add(strings.TrimSuffix(c.kind(), " ")+": "+c.state(), time.Time{})
		for _, e := range []*Ended{c.Ended, c.Last} {
			if e != nil && e.Message != "" && !e.neverRan() {
				links = append(links, Link{Depth: 4, Text: "its last words: " + oneLine(e.Message)})
				break
			}
		}
	}
	for _, gate := range p.ReadinessGates {
		switch c := condition(p, gate); {
		case c.Type == "":
			add("readiness gate "+gate+": nobody has set it", time.Time{})
		case !c.Status:
			add("readiness gate "+gate+": "+detail(strings.TrimSuffix("not true, "+c.Reason, ", "), c.Message), c.Since)
		}
	}
	return links
}

// happened are the Events of an object that tell most, the last first; said has what need not be said again.
func (s *Snapshot) happened(object string, depth int, pod *Pod, said string) []Link {
	var links []Link
	for _, h := range Telling(s.Happenings, object, said) {
		if pod != nil && h.Reason == "FailedScheduling" && condition(pod, "PodScheduled").Status {
			continue // it is over
		}
		links = append(links, Link{Depth: depth, Event: &h})
	}
	return links
}

// Telling picks of some Events those of an object that say why it does not get on, the last first: one of each kind, and none
// that only says again what was said.
func Telling(all []Happening, object, said string) []Happening {
	mine := slices.DeleteFunc(slices.Clone(all), func(h Happening) bool { return h.Object != object })
	slices.SortFunc(mine, func(a, b Happening) int {
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Reason, b.Reason), strings.Compare(a.Message, b.Message))
	})
	var told []Happening
	kinds := map[string]bool{}
	for i, h := range mine {
		message := strings.TrimPrefix(oneLine(h.Message), "Error: ")
		about, _, _ := strings.Cut(message, ": ")
		kind := h.Reason + "\n" + about
		_, code := waitingCodes[message]
		switch {
		case !h.Warning && (h.Reason != "Pulling" || i > 0): // a pull that goes on
		case h.Reason == "BackOff", code, kinds[kind], len(told) == maxHappenings:
		case said != "" && strings.Contains(said, message):
		default:
			kinds[kind] = true
			told = append(told, h)
		}
	}
	return told
}
