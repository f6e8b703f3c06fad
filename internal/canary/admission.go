package canary

// Amounts are quantities of resources by name, in thousandths: of a CPU, a byte, a pod.
type Amounts map[string]int64

// Template is what the pods of a Deployment ask for, as the API server counts it.
type Template interface {
	// Pod returns one pod as it is admitted, with the defaults of the limit ranges.
	Pod(defaults []LimitRange) PodDemand
}

// PodDemand is what one pod asks for.
type PodDemand struct {
	Requests, Limits Amounts // of the whole pod, with its overhead
	// BareRequests and BareLimits are the same without the overhead: what a LimitRange looks at.
	BareRequests, BareLimits Amounts
	Containers               []ContainerDemand // init containers too
	PodLevel                 bool              // the pod has resources of its own: its containers need none
	PriorityClass            string            // as in the template; empty may become the cluster's default
}

// ContainerDemand is what one container asks for.
type ContainerDemand struct {
	Name             string
	Requests, Limits Amounts
}

// LimitRange is what containers and pods may ask for, and get when they ask for nothing.
type LimitRange struct {
	Name  string
	Items []LimitRangeItem
}

// LimitRangeItem is one constraint, on each container or on each pod.
type LimitRangeItem struct {
	Pod                     bool // else of a container
	Min, Max, Ratio         Amounts
	Default, DefaultRequest Amounts // of a container
}

// Quota is how much the pods of a namespace may ask for together, as the API server last counted it.
type Quota struct {
	Name       string
	Hard, Used Amounts
	Scopes     []QuotaScope // all have to match a pod, for the quota to count it
}

// QuotaScope is which pods a quota counts.
type QuotaScope struct {
	Name     string   // BestEffort, PriorityClass, …
	Operator string   // Exists, In, …
	Values   []string // with In and NotIn
}
