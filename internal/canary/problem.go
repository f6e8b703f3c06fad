package canary

import (
	"strings"
	"time"
)

// Severity is how bad a Problem is.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Problem is one thing that is wrong, or will surprise: which object, why, since when, and what to do.
type Problem struct {
	Code     string
	Severity Severity
	Object   string // Kind/name
	Message  string
	Since    time.Time // zero where unknown
	// Next are the commands to run next, without "kubectl" and without the user's connection flags.
	Next []string
	// Chain leads from the Deployment to the cause, for people; empty where there is none.
	Chain []Link
}

// Sentence names the object, unless the message does, and says what is wrong with it.
func (p Problem) Sentence() string {
	kind, name, _ := strings.Cut(p.Object, "/")
	if strings.Contains(p.Message, name) {
		return p.Message
	}
	return strings.ToLower(kind) + " " + name + " " + p.Message
}

// oneLine keeps what comes from the cluster from looking like lines of ours.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// The codes of problems. They are part of the JSON contract.
const (
	CodeNoSelector       = "NoSelector"
	CodeExternalName     = "ExternalName"
	CodeNoDeployment     = "NoDeployment"
	CodeOneVersion       = "OneVersion"
	CodeCatchAll         = "CatchAll"
	CodePinnedService    = "PinnedService"
	CodeNoVersionLabel   = "NoVersionLabel"
	CodeVersionLabel     = "VersionLabelGuessed"
	CodeDuplicateVersion = "DuplicateVersion"
	CodeSharedDeployment = "SharedDeployment"
	CodeUnknownVersion   = "UnknownVersion"
	CodeThirdVersion     = "ThirdVersion"
	CodeNoReplicas       = "NoReplicas"
	CodeOverlap          = "OverlappingSelectors"
	CodeSameImage        = "SameImage"
	CodePublishNotReady  = "PublishNotReady"
	CodeControlled       = "Controlled"
	CodeQuota            = "QuotaExceeded"
	CodeLimitRange       = "LimitRangeExceeded"
	CodeAutoscaler       = "Autoscaler"
	CodePaused           = "Paused"
	CodeMidRollout       = "MidRollout"
	CodeDrifted          = "Drifted"
	CodeConflict         = "Conflict"
	CodeInterrupted      = "Interrupted"
	CodeDark             = "DarkPods"
	CodeNoDrain          = "NoDrain"
)
