package canary

import "time"

// Release is one or more Services and the versions behind them.
type Release struct {
	Namespace string
	Name      string
	Services  []Service
	Label     string   // the version label
	Drain     string   // the label whose removal takes a pod out of the Services; empty where there is none
	Stable    *Version // nil, like Canary, where the roles cannot be told: Problems says why
	Canary    *Version
	Others    []Version // further versions, in version order
	Foreign   int       // ready endpoints that belong to no version
	Lease     Lease
	Record    *Record   // the Lease's record, where it still fits the versions
	Problems  []Problem // of the release's shape: any that is an error refuses writes
	Drifter   Actor     // who has made it drift; empty where nobody has, or it is not known
	DriftedAt time.Time // zero where the server does not tell

	index *index // of the snapshot that it is from
}

// Version is a value of the version label and the Deployment that carries it.
type Version struct {
	Name       string
	Deployment Deployment
	Serving    int // ready endpoints
	Dark       int // pods that were taken out of the Services
	Leaving    int // pods that were taken out of the Services, and that an EndpointSlice still has

	label string // the version label
}

// Serving is all ready endpoints of the release's Services.
func (r *Release) Serving() int {
	n := r.Foreign
	for _, v := range r.Versions() {
		n += v.Serving
	}
	return n
}

// OthersServing is the ready endpoints that a move does not touch.
func (r *Release) OthersServing() int {
	n := r.Serving()
	if r.Stable != nil {
		n -= r.Stable.Serving + r.Canary.Serving
	}
	return n
}

// Versions lists all versions: stable, canary, others.
func (r *Release) Versions() []*Version {
	var all []*Version
	if r.Stable != nil {
		all = append(all, r.Stable, r.Canary)
	}
	for i := range r.Others {
		all = append(all, &r.Others[i])
	}
	return all
}

// Replicas is the split that the Deployments ask for.
func (r *Release) Replicas() Split {
	if r.Stable == nil {
		return Split{}
	}
	return Split{Stable: r.Stable.Deployment.Replicas, Canary: r.Canary.Deployment.Replicas}
}

// Actual is the canary's share of the ready endpoints; false when nothing serves.
func (r *Release) Actual() (Weight, bool) {
	if r.Canary == nil {
		return 0, false
	}
	return Share(r.Canary.Serving, r.Serving())
}

// Desired is the weight last asked for; false when none is recorded.
func (r *Release) Desired() (Weight, bool) {
	if r.Record == nil {
		return 0, false
	}
	return r.Record.Desired, true
}

// Reachable is the weight that the last target gives once all its replicas serve; false when none is recorded.
func (r *Release) Reachable() (Weight, bool) {
	if r.Record == nil || r.Stable == nil {
		return 0, false
	}
	t := r.Record.Target
	return Share(t.Canary, t.Total()+r.OthersServing())
}

// ChangedAt is the time of the last change, else of the canary's creation.
func (r *Release) ChangedAt() time.Time {
	if r.Record != nil && r.Record.Move != nil {
		return r.Record.Move.Since
	}
	if c := r.Record.Last(); c != nil {
		return c.Time
	}
	if r.Canary != nil {
		return r.Canary.Deployment.Created
	}
	return time.Time{}
}

// Phase is the state of a release in one word.
type Phase string

// The phases, in the order in which they are told apart.
const (
	PhaseBroken   Phase = "Broken"   // no ready endpoint
	PhaseMoving   Phase = "Moving"   // an operator holds the lock
	PhaseDrifted  Phase = "Drifted"  // replicas differ from what was last set
	PhaseDegraded Phase = "Degraded" // fewer ready endpoints than replicas
	PhaseStable   Phase = "Stable"   // 0 %
	PhasePromoted Phase = "Promoted" // 100 %
	PhaseCanary   Phase = "Canary"   // between
)

// Phase is the first of the phases that holds; empty for a Service that selects no Deployment.
func (r *Release) Phase() Phase {
	switch {
	case len(r.Versions()) == 0:
		return ""
	case r.Serving() == 0:
		return PhaseBroken
	case r.Lease.Held():
		return PhaseMoving
	case r.Drifted():
		return PhaseDrifted
	}
	for _, v := range r.Versions() {
		if v.Serving+v.Dark < v.Deployment.Replicas {
			return PhaseDegraded
		}
	}
	switch s := r.Replicas(); {
	case r.Canary == nil || s.Canary == 0:
		return PhaseStable
	case r.Lit().Stable == 0:
		return PhasePromoted
	}
	return PhaseCanary
}
