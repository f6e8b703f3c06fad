package canary

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Codes of what keeps pods from serving, as the cluster names them.
const (
	CodeCrashLoop     = "CrashLoopBackOff"
	CodeUnschedulable = "Unschedulable"
	CodeNotReady      = "NotReady"
	CodeRestarting    = "Restarting" // not ready, and its container has ended before
	CodeFailedCreate  = "FailedCreate"
)

// waitingCodes are the reasons of a waiting container that are worth telling, and whether waiting longer is in vain.
var waitingCodes = map[string]bool{
	"InvalidImageName":           true,
	"ErrImageNeverPull":          true,
	"CreateContainerConfigError": true,
	CodeCrashLoop:                true,
	"ErrImagePull":               false,
	"ImagePullBackOff":           false,
	"CreateContainerError":       false,
	"RunContainerError":          false,
}

// crashesBeforeGivingUp is the restarts from which a crash loop is taken for what it is.
const crashesBeforeGivingUp = 2

// Diagnose says why a pod does not serve; nil when nothing is wrong with it, or it is only starting.
// definite means that it will not come up by waiting.
func Diagnose(p *Pod) (problem *Problem, definite bool) {
	if p.Terminating || p.Phase == "Failed" || p.Phase == "Succeeded" || condition(p, "Ready").Status {
		return nil, false
	}
	found := Problem{Severity: Error, Object: "Pod/" + p.Name, Since: p.Created}
	for _, c := range p.Containers {
		if c.Waiting == nil {
			continue
		}
		definite, known := waitingCodes[c.Waiting.Reason]
		if !known {
			continue
		}
		found.Code = c.Waiting.Reason
		found.Message = found.Code + waitingDetail(c)
		found.Next = []string{"describe pod " + p.Name}
		if c.Waiting.Reason == CodeCrashLoop {
			found.Next = []string{lastLogs(p, c)}
			definite = c.Restarts >= crashesBeforeGivingUp
		}
		return &found, definite
	}
	if s := condition(p, "PodScheduled"); s.Type != "" && !s.Status {
		found.Code, found.Message, found.Since = CodeUnschedulable, detail(s.Reason, s.Message), s.Since
		found.Next = []string{"describe pod " + p.Name}
		return &found, false
	}
	if ready := condition(p, "Ready"); ready.Type != "" {
		found.Code, found.Message, found.Since = CodeNotReady, detail(strings.TrimSuffix("not ready: "+ready.Reason, ": "), ready.Message), ready.Since
		found.Next = []string{"describe pod " + p.Name}
		if c, crashed := crashed(p); crashed {
			found.Code = CodeRestarting
			found.Message += ", " + c.Name + " was restarted" + waitingDetail(c)
			found.Next = []string{lastLogs(p, c)}
		}
		return &found, false
	}
	return nil, false
}

// crashed returns a container that runs for the moment, and has ended before.
func crashed(p *Pod) (Container, bool) {
	for _, c := range p.Containers {
		if c.Last != nil && !c.Ready {
			return c, true
		}
	}
	return Container{}, false
}

func lastLogs(p *Pod, c Container) string {
	if len(p.Containers) == 1 {
		return "logs " + p.Name + " --previous"
	}
	return "logs " + p.Name + " -c " + c.Name + " --previous"
}

// waitingDetail says how the container ended last, or what kept it from starting.
func waitingDetail(c Container) string {
	switch {
	case c.Last != nil:
		times := "restarts"
		if c.Restarts == 1 {
			times = "restart"
		}
		return fmt.Sprintf(" (%s, exit %d, %d %s)", oneLine(c.Last.Reason), c.Last.ExitCode, c.Restarts, times)
	case c.Waiting.Message != "":
		return " (" + oneLine(c.Waiting.Message) + ")"
	}
	return ""
}

func detail(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + " (" + oneLine(message) + ")"
}

func condition(p *Pod, kind string) Condition {
	if i := slices.IndexFunc(p.Conditions, func(c Condition) bool { return c.Type == kind }); i >= 0 {
		return p.Conditions[i]
	}
	return Condition{}
}

// DiagnoseDeployment says why a Deployment cannot create its pods; nil when it can.
func DiagnoseDeployment(d *Deployment) *Problem {
	if d.Failure == nil {
		return nil
	}
	return &Problem{
		Code: d.Failure.Reason, Severity: Error, Object: "Deployment/" + d.Name,
		Message: detail(d.Failure.Reason, d.Failure.Message), Since: d.Failure.Since,
		Next: []string{"describe deployment " + d.Name},
	}
}

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
		if v.Serving+v.Dark >= v.Deployment.Replicas {
			continue
		}
		if p := DiagnoseDeployment(&v.Deployment); p != nil {
			found = append(found, *p)
			continue
		}
		if p := worst(PodsOf(s, v), now.Add(-grace)); p != nil {
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
	if p := DiagnoseDeployment(&v.Deployment); p != nil {
		return p
	}
	return worst(PodsOf(s, v), time.Time{})
}
