package cluster

import "slices"

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
	MetricsServer     = "metrics-server"
)

// Components lists the components of a cluster, RealNode those of one with a real node. MetricsServer is one more, on request.
var (
	Components = []string{Etcd, APIServer, Kwok, ControllerManager, Scheduler}
	RealNode   = []string{Etcd, APIServer, Containerd, ControllerManager, Scheduler, Kubelet, KubeProxy}
)

// names lists the components that this cluster has.
func (s *state) names() []string {
	switch {
	case s.Metrics:
		return append(slices.Clone(RealNode), MetricsServer)
	case s.RealNode:
		return RealNode
	}
	return Components
}
