// Package analysis judges a canary by what is seen of it, and of stable over the same time.
package analysis

import "time"

// Seen is what was observed of one version of a release over a window of time.
type Seen struct {
	Version string
	Pods    int           // ready endpoints at the end of the window
	Span    time.Duration // how long the window is
	Life    Life          // from the API server, which always answers
	Usage   *Usage        // nil where nothing measures it
	Users   *Traffic      // what users sent, as the pods or a Prometheus count it; nil where nobody was asked
	Probes  *Traffic      // our own requests; nil where none were sent
	Figures []Figure      // what the queries of an analysis file came to, in any order
}

// Life is what became of a version's pods in a window.
type Life struct {
	Restarts  int           // of containers
	OOMKilled int           // of these, killed for their memory
	Crashing  int           // pods that are in a crash loop at the end
	Flaps     int           // how often a pod that was ready was not any more
	NotReady  time.Duration // how long pods that had been ready were not, summed up
	Warnings  []Warning     // Events about the pods
}

// Warning is an Event of type Warning about pods of one version, by its reason.
type Warning struct {
	Reason, Object, Message string
	Count                   int
}

// Usage is what the pods of a version take, as the mean of those that were measured.
type Usage struct {
	Source  string  // says where the figures are from
	Problem string  // why there are no figures, or none to trust: then they are not looked at
	Pods    int     // measured
	CPU     float64 // cores, of a pod
	Memory  float64 // bytes, of a pod
	// Of the pod that is closest to its limit, the share of the limit; nil where there is no limit.
	CPUOfLimit, MemoryOfLimit *float64
}

// Traffic is requests that were answered, or not, in a window.
type Traffic struct {
	Source   string // says where the figures are from
	Problem  string // why there are no figures, or none to trust: then they are not looked at
	Requests float64
	Errors   float64   // of these: answers of 5xx, and none at all; NaN where no status is told
	Latency  Histogram // empty where the source has none
}

// Figure is what a query of an analysis file came to.
type Figure struct {
	Name    string // the query's
	Source  string
	Problem string // why there is no figure: then Value is not looked at
	Value   float64
}
