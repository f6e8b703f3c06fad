package printer

import (
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// The machine contract: fields are only added within a version. The comments of these types and fields are the
// descriptions in docs/*.schema.json. APIVersion is that of all lists.
const (
	APIVersion  = "kubectl-canary/v1alpha1"
	listKind    = "ReleaseList"
	changesKind = "ChangeList"
)

// ReleaseList is what `-o json` prints: of status, and of a command that moves traffic.
type ReleaseList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// The releases, in order of namespace and name. Empty when there is none.
	Items []Release `json:"items"`
}

// Release is one or more Services and the versions behind them.
type Release struct {
	// Where its Services and Deployments are.
	Namespace string `json:"namespace"`
	// The name that commands take: that of its Service, of several the shortest.
	Name string `json:"name"`
	// The names of its Services.
	Services []string `json:"services"`
	// The state in one word: Broken, no endpoint is ready; Moving, somebody holds the lock; Drifted, replicas differ from what
	// was last set; Degraded, fewer ready endpoints than replicas; Stable, 0 %; Promoted, 100 %; Canary, between. The first of
	// these that holds. Empty for a Service that selects no Deployment.
	Phase canary.Phase `json:"phase"`
	// The canary's share of the traffic.
	Weight Weight `json:"weight"`
	// The replicas that carry the full load. Null when none is recorded.
	Baseline *int `json:"baseline"`
	// The version that has the traffic at 0 %. Null, like canary, when the two roles cannot be told: problems says why.
	Stable *Version `json:"stable"`
	// The version that has the traffic at 100 %.
	Canary *Version `json:"canary"`
	// Further versions: counted in every weight, never scaled.
	Others []Version `json:"others"`
	// Ready endpoints that belong to none of the versions.
	ForeignEndpoints int `json:"foreignEndpoints"`
	// How pods are taken out of the Service before they stop. Null when no label allows it.
	Drain *Drain `json:"drain"`
	// What is wrong. Empty when nothing is.
	Problems []Problem `json:"problems"`
	// The last change by this plugin. Null when none is recorded.
	LastChange *Change `json:"lastChange"`
	// The migration that it is in, or was when it was interrupted; of migrate, the one that has ended. Null when there is none.
	Migration *Migration `json:"migration"`
	// How the move of this release ended. Not there in the output of status.
	Outcome canary.Outcome `json:"outcome,omitempty"`
}

// Migration is a release's way through the steps of a schedule.
type Migration struct {
	// The same for all releases that migrate together.
	ID string `json:"id"`
	// Who runs it, or did last.
	By string `json:"by"`
	// When it began.
	Began time.Time `json:"began"`
	// The step it is at, from 1.
	Step int `json:"step"`
	// What it does there: Moving; Paused, it is at the step's weight and watched; Approval, it waits for one; Held, its gates did
	// not pass; Done, of migrate, when all is over.
	State canary.MigrationPhase `json:"state"`
	// Since when it does that, or its pause has run on.
	Since time.Time `json:"since"`
	// How much of the step's pause was over by then; it goes on unless it is halted or interrupted.
	PassedSeconds float64 `json:"passedSeconds"`
	// Whether somebody has stopped the pause's clock.
	Halted bool `json:"halted"`
	// Whether each step but the last waits for an approval.
	Approve bool `json:"approve"`
	// When its runner stopped. Null while it runs.
	Interrupted *time.Time `json:"interrupted"`
	// Why it is held. Empty when it is not.
	Reason string `json:"reason"`
	// The steps, in order.
	Steps []MigrationStep `json:"steps"`
}

// MigrationStep is one step of a migration: what was asked for, and what came of it.
type MigrationStep struct {
	// The weight asked for.
	Weight canary.Weight `json:"weight"`
	// How long it is to stay there.
	PauseSeconds float64 `json:"pauseSeconds"`
	// The weight that was served when it was there. Null until then.
	Reached *canary.Weight `json:"reached"`
	// How long the move to it took. Null until it was there.
	MoveSeconds *float64 `json:"moveSeconds"`
	// How long it has paused there.
	PausedSeconds float64 `json:"pausedSeconds"`
	// What the gates said last. Empty in the output of status, and for what another run has seen.
	Checks []Check `json:"checks"`
}

// Check is what one check said of a release.
type Check struct {
	// Its name, such as restarts.
	Check string `json:"check"`
	// Pass, Fail or Inconclusive: too few observations, no data and a source that fails are never a pass.
	Verdict string `json:"verdict"`
	// Worth knowing, and no more: nothing depends on it.
	Info bool `json:"info"`
	// What was measured of the canary, in unit. Null when nothing was.
	Canary *float64 `json:"canary"`
	// The same of stable over the same time.
	Stable *float64 `json:"stable"`
	// What the canary's may be at most. Null when the check has no bound.
	Bound *float64 `json:"bound"`
	// The unit: %, s, cores, bytes or nothing.
	Unit string `json:"unit"`
	// How many observations of the canary it rests on.
	Observations float64 `json:"observations"`
	// Where the figures are from.
	Source string `json:"source"`
	// What was seen against what is allowed, for people. The wording may change.
	Message string `json:"message"`
}

// Weight is the canary's share of the traffic in percent, with at most two decimals: asked for, served, and what the replicas can reach.
type Weight struct {
	// What was asked for last. Null when nothing is recorded.
	Desired *canary.Weight `json:"desired"`
	// The canary's ready endpoints as a share of all ready endpoints. Null when no endpoint is ready, or nothing is the canary.
	Actual *canary.Weight `json:"actual"`
	// What the replicas that were set last give once all of them serve. Null when nothing is recorded.
	Reachable *canary.Weight `json:"reachable"`
}

// Version is a value of the version label, and the Deployment that carries it.
type Version struct {
	// The value of the version label.
	Version string `json:"version"`
	// The Deployment's name.
	Deployment string `json:"deployment"`
	// What the Deployment asks for.
	Replicas int `json:"replicas"`
	// Pods that the Deployment counts as ready.
	ReadyReplicas int `json:"readyReplicas"`
	// Pods that get traffic: ready endpoints of the release's Services, each pod counted once.
	ReadyEndpoints int `json:"readyEndpoints"`
	// Pods that run, and were taken out of the Service on purpose.
	Dark int `json:"dark"`
	// The images of the pod template's containers.
	Images []string `json:"images"`
}

// Drain names the label by which pods can be taken out of the Service before they stop.
type Drain struct {
	// The label's key.
	Label string `json:"label"`
}

// Problem is one thing that is wrong, or will surprise.
type Problem struct {
	// What it is, for programs: a reason of Kubernetes such as CrashLoopBackOff, or one of the plugin's own such as Drifted.
	Code string `json:"code"`
	// How bad it is: an error refuses a move, or stops it.
	Severity canary.Severity `json:"severity"`
	// What it is about, as Kind/name.
	Object string `json:"object"`
	// What it is, for people. The wording may change.
	Message string `json:"message"`
	// Since when. Null when that is not known.
	Since *time.Time `json:"since"`
	// The commands to run next, each complete.
	Next []string `json:"next"`
}

// Change is one change of the split by this plugin.
type Change struct {
	// When it ended.
	Time time.Time `json:"time"`
	// The user, as the API server knows them.
	By string `json:"by"`
	// The weight before, in percent.
	From canary.Weight `json:"from"`
	// The weight that was asked for, in percent.
	To canary.Weight `json:"to"`
	// The command's name, such as shift.
	Command string `json:"command"`
	// What --reason said. Empty when it was not given.
	Reason string `json:"reason"`
	// How it ended.
	Outcome canary.Outcome `json:"outcome"`
}

// ChangeList is what `history -o json` prints.
type ChangeList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// The changes, oldest first. Empty when none is known.
	Items []PastChange `json:"items"`
}

// PastChange is one change of a release's split by this plugin.
type PastChange struct {
	// Where the release is.
	Namespace string `json:"namespace"`
	// The release's name.
	Release string `json:"release"`
	// When it ended.
	Time time.Time `json:"time"`
	// The user, as the API server knows them.
	By string `json:"by"`
	// The weight before, in percent.
	From canary.Weight `json:"from"`
	// The weight that was asked for, in percent; that of the replicas after it, where the source is an Event.
	To canary.Weight `json:"to"`
	// The replicas before, without dark ones.
	Before Replicas `json:"before"`
	// The replicas after it, without dark ones.
	After Replicas `json:"after"`
	// The command, such as shift --to 50.
	Command string `json:"command"`
	// What --reason said. Empty when it was not given, or the source is an Event.
	Reason string `json:"reason"`
	// How it ended.
	Outcome canary.Outcome `json:"outcome"`
	// How long it took, in seconds, rounded up. Null when that is not known.
	Seconds *int `json:"seconds"`
	// What it is known from: the release's Lease, or an Event on its Service.
	Source canary.Source `json:"source"`
}

// Replicas are what the two Deployments of a release ask for.
type Replicas struct {
	Stable int `json:"stable"`
	Canary int `json:"canary"`
}
