package cluster

// The components, in the order in which they start. A component's name is also what its process is called.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	Kwok              = "kwok"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
)

// Components lists the components of a cluster.
var Components = []string{Etcd, APIServer, Kwok, ControllerManager, Scheduler}
