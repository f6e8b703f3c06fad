package printer

import (
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// The machine contract of `metrics`; as with ReleaseList, comments are the descriptions in docs/metricslist.schema.json.
const metricsKind = "MetricsList"

// MetricsList is what `metrics -o json` prints.
type MetricsList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// The versions, in order of release: stable, canary, others. Empty when there is none.
	Items []VersionMetrics `json:"items"`
	// What could not be seen. Empty when nothing is missing.
	Gaps []Gap `json:"gaps"`
}

// VersionMetrics is how one version of a release does.
type VersionMetrics struct {
	// Where the release is.
	Namespace string `json:"namespace"`
	// The release's name.
	Release string `json:"release"`
	// The value of the version label.
	Version string `json:"version"`
	// Which of the release's versions it is: stable, canary or other.
	Role string `json:"role"`
	// The Deployment's name.
	Deployment string `json:"deployment"`
	// How long was looked, in seconds.
	Seconds float64 `json:"seconds"`
	// What the Deployment asks for.
	Replicas int `json:"replicas"`
	// Pods that get traffic.
	ReadyEndpoints int `json:"readyEndpoints"`
	// Its share of the release's ready endpoints, in percent. Null when no endpoint is ready.
	Weight *canary.Weight `json:"weight"`
	// Its share of the requests that the pods of all versions counted, in percent. Null when none was counted, or not of all versions.
	Share *canary.Weight `json:"share"`
	// How often containers of the pods that there are were started again since the pods began.
	Restarts int `json:"restarts"`
	// What became of its pods meanwhile.
	Life Life `json:"life"`
	// What a pod takes. Null when nothing measures it.
	Usage *Usage `json:"usage"`
	// The requests of its users, as the pods count them. Null when the pods were not asked.
	Requests *Traffic `json:"requests"`
	// The requests of this command. Null when it sent none.
	Probes *Traffic `json:"probes"`
}

// Life is what became of a version's pods while they were watched.
type Life struct {
	// How often containers were started again.
	Restarts int `json:"restarts"`
	// Of these, after they were killed for their memory.
	OOMKilled int `json:"oomKilled"`
	// Pods that are in a crash loop at the end.
	Crashing int `json:"crashing"`
	// How often a pod that was ready was not any more.
	Flaps int `json:"flaps"`
	// How long pods that had been ready were not, in seconds, summed up.
	NotReadySeconds float64 `json:"notReadySeconds"`
	// Events of type Warning about its pods.
	Warnings int `json:"warnings"`
}

// Usage is what a pod of a version takes: the mean of those that are measured.
type Usage struct {
	// Where the figures are from.
	Source string `json:"source"`
	// How many pods are measured.
	Pods int `json:"pods"`
	// In cores.
	CPU float64 `json:"cpu"`
	// In bytes.
	Memory float64 `json:"memory"`
	// Of the container that is closest to its limit, in percent of the limit. Null where none has one.
	CPUOfLimit *canary.Weight `json:"cpuOfLimit"`
	// Of the container that is closest to its limit, in percent of the limit. Null where none has one.
	MemoryOfLimit *canary.Weight `json:"memoryOfLimit"`
}

// Traffic is requests, and what became of them.
type Traffic struct {
	// Where the figures are from.
	Source string `json:"source"`
	// How many there were.
	Total float64 `json:"total"`
	// In a second.
	PerSecond float64 `json:"perSecond"`
	// Of these, answers of 5xx, and none at all. Null where the source does not tell.
	Errors *float64 `json:"errors"`
	// The same in percent of the requests. Null where the source does not tell, or there was none.
	ErrorShare *canary.Weight `json:"errorShare"`
	// Within how many seconds half of them were answered. Null, like the next, where the source does not tell, or there was none.
	P50 *float64 `json:"p50"`
	// The same of 95 %.
	P95 *float64 `json:"p95"`
	// The same of 99 %.
	P99 *float64 `json:"p99"`
	// The highest bound of the histogram that the last three are from: one that is as high may be higher. Null where there is none.
	Highest *float64 `json:"highest"`
}

// Gap is something that could not be seen.
type Gap struct {
	// Of which release. Empty where it is so for all.
	Release string `json:"release"`
	// Of which version. Empty where it is so for all.
	Version string `json:"version"`
	// What is not known.
	What string `json:"what"`
	// Why, for people. The wording may change.
	Why string `json:"why"`
	// What would make it known, for people. Empty where that is not known.
	Mend string `json:"mend"`
}

// NewMetricsList builds the contract.
func NewMetricsList(all []VersionMetrics, gaps []Gap) MetricsList {
	return MetricsList{APIVersion: APIVersion, Kind: metricsKind, Items: append([]VersionMetrics{}, all...), Gaps: append([]Gap{}, gaps...)}
}

// Names are the Deployments, as `-o name` prints them.
func (l MetricsList) Names() []string {
	names := make([]string, len(l.Items))
	for i, item := range l.Items {
		names[i] = "deployment.apps/" + Safe(item.Deployment)
	}
	return names
}
