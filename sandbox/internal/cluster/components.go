package cluster

// The components, in the order in which they start. A component's name is also what its process is called.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	Kwok              = "kwok"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Containerd        = "containerd"
	Kubelet           = "kubelet"
	KubeProxy         = "kube-proxy"
)

// Components lists the components of a cluster, RealNode those of one with a real node.
var (
	Components = []string{Etcd, APIServer, Kwok, ControllerManager, Scheduler}
	RealNode   = []string{Etcd, APIServer, Containerd, ControllerManager, Scheduler, Kubelet, KubeProxy}
)

// names lists the components that this cluster has.
func (s *state) names() []string {
	if s.RealNode {
		return RealNode
	}
	return Components
}
