package canary

import "time"

// Snapshot is what one namespace looked like at one moment: the input of everything else here.
type Snapshot struct {
	Namespace   string
	Services    []Service
	Deployments []Deployment
	Endpoints   []Endpoint
	Pods        []Pod
	Autoscalers []Autoscaler
	Quotas      []Quota          // read only for what moves, like the next
	LimitRanges []LimitRange     // in order of name
	ReplicaSets []ReplicaSet     // only those of Deployments that were looked into
	Happenings  []Happening      // only those of objects that were looked into
	Leases      map[string]Lease // by release name
	// LeasesHidden says that the user may not read leases: nothing is known to be recorded or locked.
	LeasesHidden bool
}

// Service is what discovery needs of a Service.
type Service struct {
	Name         string
	UID          string
	Labels       map[string]string
	Selector     map[string]string
	ExternalName bool
	// NotReady says that the Service publishes the addresses of pods that are not ready, as ready ones.
	NotReady   bool
	TargetPort string            // of its first TCP port: a number, or the name of a container's port; empty where there is none
	Marks      map[string]string // those of Marks that it has
	Owner      string            // Kind/name of the object that controls it; empty where there is none
}

// Matcher is a label selector.
type Matcher interface {
	Matches(labels map[string]string) bool
}

// Deployment is what the core needs of a Deployment.
type Deployment struct {
	Name        string
	UID         string
	Created     time.Time
	PodLabels   map[string]string // of the pod template
	MatchLabels map[string]string // of the selector
	Selector    Matcher           // the whole selector
	Images      []string
	Requests    Resources // of one pod
	SpecHash    uint64    // of the pod template without its metadata; 0 where it is not known
	Template    Template  // nil where it is not known
	Replicas    int       // spec
	Paused      bool
	Generation  int64
	Observed    int64 // status.observedGeneration

	Pods        int // status.replicas: without terminating pods
	UpdatedPods int
	ReadyPods   int
	Failure     *Failure // the ReplicaFailure condition, while it is True

	Writer Writer            // of the replicas
	Marks  map[string]string // those of Marks that it has
	Owner  string            // Kind/name of the object that controls it; empty where there is none
}

// Lags says that the Deployment controller has not looked at the last change yet: its status is of before.
func (d *Deployment) Lags() bool { return d.Generation > d.Observed }

// Resources is what the containers of a pod request.
type Resources struct {
	MilliCPU    int64
	MemoryBytes int64
}

// Failure is why a controller could not create pods.
type Failure struct {
	Reason  string
	Message string
	Since   time.Time
}

// Endpoint is one entry of an EndpointSlice. A pod has one for every slice and address family it is in.
type Endpoint struct {
	Service     string
	PodUID      string // empty when it is no pod's
	Address     string
	Ready       bool // nil means ready
	Terminating bool
}

// Autoscaler is an object that sets the replicas of a Deployment.
type Autoscaler struct {
	Name       string
	Deployment string
	Min, Max   int
	KEDA       string // the ScaledObject that it belongs to, or empty
}

// ReplicaSet is what stands between a Deployment and its pods.
type ReplicaSet struct {
	Name       string
	Deployment string // the UID of the one that owns it
	Replicas   int    // spec
	Pods       int
	ReadyPods  int
}

// Happening is an Event of Kubernetes: what a component has done to an object, or could not do.
type Happening struct {
	Object  string // Kind/name
	Warning bool
	Reason  string
	Message string
	Count   int       // at least 1
	Last    time.Time // when it happened last
}

// Pod is a pod's identity; what follows Phase is there only where whole pods were read.
type Pod struct {
	Name        string
	UID         string
	Labels      map[string]string
	Owned       bool // by a ReplicaSet
	Created     time.Time
	Terminating bool
	GoneBy      time.Time // the end of its grace period; zero unless it is terminating
	Finalizers  []string  // without which it would be gone at its end
	Cheapest    bool      // has the lowest deletion cost: of pods that are alike ready, a scale-down takes it first

	Phase           string
	ReplicaSet      string // the name of the one that owns it
	Node            string
	ReadinessGates  []string // types of conditions that have to be true
	SchedulingGates []string // what has to be taken away before it is scheduled
	Conditions      []Condition
	Containers      []Container // init containers first

	Ports  []Port               // on which its containers listen, as far as they say
	Scrape map[string]string    // its annotations prometheus.io/…, by what comes after the slash
	Limits map[string]Resources // of its containers that have any, by name; 0 is none
}

// Condition is one condition of a pod.
type Condition struct {
	Type    string
	Status  bool
	Reason  string
	Message string
	Since   time.Time
}

// Container is the status of one container.
type Container struct {
	Name     string
	Init     bool // has to end before the others start
	Ready    bool
	Running  bool
	Restarts int
	Waiting  *Waiting // nil when it runs or has ended
	Ended    *Ended   // nil unless it has ended and was not restarted yet
	Last     *Ended   // the end before the last start
}

// Waiting is why a container does not run.
type Waiting struct {
	Reason  string
	Message string
}

// Ended is how a container ended.
type Ended struct {
	Reason   string
	Message  string // what it, or who could not start it, has left to say
	ExitCode int    // 128 and the signal's number for one that a signal has ended
}

// Lease is the lock and the record of one release.
type Lease struct {
	Holder  string // empty when nobody holds it
	Expired bool   // the holder has not renewed it in time
	Since   time.Time
	Until   time.Time // when it runs out
	Renewed time.Time // when the holder was last heard of
	Record  *Record   // nil when nothing, or nothing readable, is recorded
}

// Baking says that whoever holds it only waits, as in the pause of a migration.
func (l Lease) Baking() bool {
	switch r := l.Record; {
	case r == nil:
		return false
	case r.Move == nil:
		return r.Migration != nil
	default:
		return r.Move.Baking
	}
}

// Held says whether an operator is moving the release right now.
func (l Lease) Held() bool { return l.Holder != "" && !l.Expired }
