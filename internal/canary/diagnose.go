package canary

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// PodsOf returns the pods of a version, in order of name.
func PodsOf(s *Snapshot, v *Version) []*Pod {
	var pods []*Pod
	for i := range s.Pods {
		if p := &s.Pods[i]; v.owns(p) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}

// Troubles lists what is wrong with a release right now: its shape, then the worst pod of each version that is not
// whole, then what an interrupted move or somebody else has left. grace is how long a pod may be starting.
func Troubles(r *Release, s *Snapshot, now time.Time, grace time.Duration) []Problem {
	found := slices.Clone(r.Problems)
	for _, v := range r.Versions() {
		pods := PodsOf(s, v)
		if p := stuckTerminating(pods, now.Add(-grace)); p != nil {
			found = append(found, *p)
		}
		if v.Serving+v.Dark >= v.Deployment.Replicas {
			continue
		}
		if p, _ := DiagnoseDeployment(&v.Deployment); p != nil {
			p.Chain = s.chain(v, nil)
			found = append(found, *p)
			continue
		}
		if p := worst(pods, now.Add(-grace)); p != nil {
			p.Chain = s.chain(v, p)
			p.Next = append(p.Next, "canary rollback "+r.Name)
			if r.Stable == nil || v.Name != r.Canary.Name {
				p.Next = p.Next[:len(p.Next)-1]
			}
			found = append(found, *p)
		}
	}
	if len(found) == 0 && r.Stable != nil && r.Replicas().Total() == 0 {
		found = append(found, Problem{
			Code: CodeNoReplicas, Severity: Error, Object: "Service/" + r.Name,
			Message: "both versions of " + r.Name + " are at 0 replicas: nothing serves",
			Next:    []string{fmt.Sprintf("canary rollback %s --replicas %d", r.Name, r.lastBaseline())},
		})
	}
	return append(found, r.ownTroubles()...)
}

// lastBaseline is the recorded one, else the least there can be.
func (r *Release) lastBaseline() int {
	if r.Lease.Record != nil {
		return max(1, r.Lease.Record.Baseline)
	}
	return 1
}

// worst returns the first definite problem, else the first of any kind. A pod created after a time, if one is given,
// may be merely starting.
func worst(pods []*Pod, starting time.Time) *Problem {
	var first *Problem
	for _, pod := range pods {
		p, definite := Diagnose(pod)
		switch {
		case p == nil || p.Code == CodeNotReady && !starting.IsZero() && pod.Created.After(starting):
			continue
		case definite:
			return p
		case first == nil:
			first = p
		}
	}
	return first
}

func (r *Release) ownTroubles() []Problem {
	switch {
	case r.Stable == nil || r.Lease.Held():
		return nil
	case r.Record == nil:
		return r.darkTrouble([]string{"canary rollback " + r.Name})
	case r.Record.Move != nil:
		m := r.Record.Move
		return []Problem{{
			Code: CodeInterrupted, Severity: Warning, Object: "Service/" + r.Name, Since: m.Since,
			Message: fmt.Sprintf("`%s` of %s by %s was cut off at %s (stable/canary), on the way from %s to %s", m.Command, r.Name, m.By, r.Replicas(), r.Record.Set, r.Record.Target),
			Next:    r.waysOn(),
		}}
	case r.Drifted():
		return []Problem{r.driftProblem()}
	}
	return r.darkTrouble(r.waysOn())
}

// waysOn are the two commands after a move that has stopped half-way: go on, or go back.
func (r *Release) waysOn() []string {
	forward := fmt.Sprintf("canary shift %s --to %s", r.Name, r.Record.Desired)
	switch r.Record.Desired {
	case Full:
		forward = "canary promote " + r.Name
	case None:
		return []string{"canary rollback " + r.Name}
	}
	return []string{forward, "canary rollback " + r.Name}
}

// WhyNotServing returns the worst problem of a version's pods; nil when none is known.
func WhyNotServing(s *Snapshot, v *Version) *Problem {
	if p, _ := DiagnoseDeployment(&v.Deployment); p != nil {
		return p
	}
	return worst(PodsOf(s, v), time.Time{})
}
