package canary

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Codes of what keeps pods from serving, as the cluster names them.
const (
	CodeCrashLoop        = "CrashLoopBackOff"
	CodeUnschedulable    = "Unschedulable"
	CodeNotReady         = "NotReady"
	CodeRestarting       = "Restarting" // not ready, and its container has ended before
	CodeFailedCreate     = "FailedCreate"
	CodeStuckTerminating = "StuckTerminating"
)

// waitingCodes are the reasons of a waiting container that are worth telling, and whether waiting longer is in vain.
var waitingCodes = map[string]bool{
	"InvalidImageName":           true,
	"ErrImageNeverPull":          true,
	"CreateContainerConfigError": true,
	"CreateContainerError":       true,
	"RunContainerError":          true,
	CodeCrashLoop:                true,
	"ErrImagePull":               false,
	"ImagePullBackOff":           false,
}

// crashesBeforeGivingUp is the restarts from which a crash loop is taken for what it is.
const crashesBeforeGivingUp = 2

// passing are words of messages that tell of a moment, not of a cause: the next try may well go through. An API server that has just
// been restarted knows no roles, and forbids controllers to create pods.
var passing = []string{
	"timed out", "i/o timeout", "deadline exceeded", "connection refused", "too many requests", "internal error", "etcdserver:",
	"cannot be fulfilled", "status unknown for quota", "failed calling webhook", "is reserved for", `cannot create resource "pods"`,
}

func passes(message string) bool {
	message = strings.ToLower(message)
	return slices.ContainsFunc(passing, func(words string) bool { return strings.Contains(message, words) })
}

// Diagnose says why a pod does not serve; nil when nothing is wrong with it, or it is only starting.
// definite means that it will not come up by waiting.
func Diagnose(p *Pod) (problem *Problem, definite bool) {
	if p.Terminating || p.Phase == "Failed" || p.Phase == "Succeeded" || condition(p, "Ready").Status {
		return nil, false
	}
	ready := condition(p, "Ready")
	found := Problem{Severity: Error, Object: "Pod/" + p.Name, Since: ready.Since, Next: []string{"describe pod " + p.Name}}
	if found.Since.IsZero() {
		found.Since = p.Created
	}
	for _, c := range p.Containers {
		if c.Waiting == nil {
			continue
		}
		definite, known := waitingCodes[c.Waiting.Reason]
		if !known {
			continue
		}
		found.Code = c.Waiting.Reason
		found.Message = p.prefix(c) + c.state()
		definite = definite && !passes(c.Waiting.Message)
		if c.Waiting.Reason == CodeCrashLoop {
			found.Next = p.afterEnd(c)
			definite = c.Restarts >= crashesBeforeGivingUp
		}
		return &found, definite
	}
	if s := condition(p, "PodScheduled"); s.Type != "" && !s.Status {
		found.Code, found.Message, found.Since = CodeUnschedulable, detail(s.Reason, s.Message), s.Since
		if s.Reason != "" {
			found.Code = s.Reason
		}
		return &found, false
	}
	if ready.Type == "" {
		return nil, false
	}
	found.Code, found.Message = CodeNotReady, detail(strings.TrimSuffix("not ready: "+ready.Reason, ": "), ready.Message)
	if c, ok := p.culprit(func(c Container) bool { return c.Ended != nil || c.Last != nil }); ok {
		found.Code = CodeRestarting
		found.Message = strings.TrimSuffix("not ready: "+ready.Reason, ": ") + ", " + c.kind() + c.state()
		found.Next = p.afterEnd(c)
	} else if c, ok := p.culprit(func(c Container) bool { return c.Waiting != nil || c.Init }); ok {
		found.Message = "not ready: " + p.prefix(c) + c.state()
	}
	return &found, false
}

// culprit is the first container that is not ready, and of which something holds.
func (p *Pod) culprit(holds func(Container) bool) (Container, bool) {
	if i := slices.IndexFunc(p.Containers, func(c Container) bool { return !c.Ready && holds(c) }); i >= 0 {
		return p.Containers[i], true
	}
	return Container{}, false
}

// prefix names a container, unless it is the only one of its pod.
func (p *Pod) prefix(c Container) string {
	if len(p.Containers) == 1 && !c.Init {
		return ""
	}
	return c.kind()
}

// kind is a container's name, and what it is, before what is to be said of it.
func (c Container) kind() string {
	if c.Init {
		return "init container " + c.Name + " "
	}
	return "container " + c.Name + " "
}

// state says in what state a container is, and what is known of why.
func (c Container) state() string {
	switch {
	case c.Waiting != nil && c.Waiting.Reason == CodeCrashLoop && c.Last != nil:
		return c.Waiting.Reason + " (" + c.ending(c.Last) + ")"
	case c.Waiting != nil:
		return detail(oneLine(c.Waiting.Reason), c.Waiting.Message)
	case c.Ended != nil:
		return "has ended (" + c.ending(c.Ended) + ")"
	case c.Last != nil:
		return "was restarted (" + c.ending(c.Last) + ")"
	case c.Init && c.Running:
		return "has not ended"
	case c.Running && !c.Ready:
		return "runs, and is not ready"
	}
	return "has not started"
}

// signals are the names of those that end a program by its own fault or by somebody's will; the others are only numbers.
var signals = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM",
}

// ending says how a container ended, and how often it was started again. Of one that could not even be started it says why.
func (c Container) ending(e *Ended) string {
	s := fmt.Sprintf("exit %d", e.ExitCode)
	if e.Reason != "" {
		s = oneLine(e.Reason) + ", " + s
	}
	if name := signals[e.ExitCode-128]; name != "" && e.Reason != "OOMKilled" {
		s += " " + name
	}
	if c.Restarts > 0 {
		s += ", " + count(c.Restarts, "restart")
	}
	if e.neverRan() && e.Message != "" {
		s += ": " + oneLine(e.Message)
	}
	return s
}

// neverRan says that there is nothing that the container could have logged.
func (e *Ended) neverRan() bool { return e.Reason == "StartError" || e.Reason == "ContainerCannotRun" }

// afterEnd are the commands that show why a container ended.
func (p *Pod) afterEnd(c Container) []string {
	command, end := "logs "+p.Name, c.Last
	if c.Ended != nil {
		end = c.Ended
	}
	if len(p.Containers) > 1 {
		command += " -c " + c.Name
	}
	switch {
	case end != nil && end.neverRan():
		command = "describe pod " + p.Name
	case c.Ended == nil:
		command += " --previous"
	}
	return []string{command}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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

// DiagnoseDeployment says why a Deployment cannot create its pods; nil when it can. definite is as in Diagnose.
func DiagnoseDeployment(d *Deployment) (problem *Problem, definite bool) {
	if d.Failure == nil {
		return nil, false
	}
	return &Problem{
		Code: d.Failure.Reason, Severity: Error, Object: "Deployment/" + d.Name,
		Message: detail(d.Failure.Reason, d.Failure.Message), Since: d.Failure.Since,
		Next: []string{"describe deployment " + d.Name},
	}, !passes(d.Failure.Message)
}

// OverQuota says that a quota has refused pods. It counts those that are stopping until they are gone.
func (f *Failure) OverQuota() bool { return f != nil && strings.Contains(f.Message, "exceeded quota") }

// stuckTerminating tells of the first of some pods that is still there some time after its end.
func stuckTerminating(pods []*Pod, end time.Time) *Problem {
	for _, p := range pods {
		if !p.Terminating || p.GoneBy.IsZero() || p.GoneBy.After(end) {
			continue
		}
		why := "its node may be down"
		if len(p.Finalizers) > 0 {
			why = count(len(p.Finalizers), "finalizer") + " left: " + oneLine(strings.Join(p.Finalizers, ", "))
		}
		return &Problem{
			Code: CodeStuckTerminating, Severity: Warning, Object: "Pod/" + p.Name, Since: p.GoneBy,
			Message: "should be gone, and is still terminating (" + why + ")", Next: []string{"describe pod " + p.Name},
		}
	}
	return nil
}
