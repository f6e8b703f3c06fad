package cluster

import (
	"fmt"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/simulate"
)

const (
	serviceCIDR = "10.96.0.0/16"
	serviceIP   = "10.96.0.1"
	podCIDR     = "10.244.0.0/16"
)

// NetworkFlag is the first argument of Kwok: it is the sandbox's own, and before where the network of simulated pods listens, its
// certificate and its key.
const NetworkFlag = "--pod-network"

// ports are the ports a cluster listens on, all on 127.0.0.1. pods is where simulated pods have their network.
type ports struct{ etcd, etcdPeer, apiServer, kubelet, pods, metrics int }

func findPorts() (ports, error) {
	p, err := freePorts(6)
	if err != nil {
		return ports{}, err
	}
	return ports{etcd: p[0], etcdPeer: p[1], apiServer: p[2], kubelet: p[3], pods: p[4], metrics: p[5]}, nil
}

func (p ports) network() string { return fmt.Sprintf("127.0.0.1:%d", p.pods) }

func local(port int) string { return fmt.Sprintf("https://127.0.0.1:%d", port) }

// writeConfigs writes the files that the scheduler and kwok take instead of flags.
func (c *Cluster) writeConfigs(p ports) error {
	kwok, err := simulate.Config(c.path("logs", "container.log"))
	if err != nil {
		return err
	}
	return writeFiles(map[string][]byte{
		c.path("kwok.yaml"):             kwok,
		c.path("egress.yaml"):           simulate.EgressConfig(p.network(), c.cert("ca"), c.cert("kube-apiserver-kubelet-client"), c.key("kube-apiserver-kubelet-client")),
		c.path("logs", "container.log"): []byte(simulate.ContainerLog),
		c.path("kube-scheduler.yaml"): fmt.Appendf(nil, `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: {leaderElect: false}
clientConnection: {kubeconfig: %q, qps: 1000, burst: 2000}
`, c.path("kube-scheduler.kubeconfig")),
	})
}

// commands gives every component its arguments. Rates are raised, for tests with many pods; nothing is elected, for a quick start.
func (c *Cluster) commands(p ports) map[string][]string {
	return map[string][]string{
		Etcd: {
			"--name=sandbox",
			"--data-dir=" + c.path("etcd"),
			"--listen-client-urls=" + local(p.etcd), "--advertise-client-urls=" + local(p.etcd),
			"--listen-peer-urls=" + local(p.etcdPeer), "--initial-advertise-peer-urls=" + local(p.etcdPeer),
			"--initial-cluster=sandbox=" + local(p.etcdPeer),
			"--cert-file=" + c.cert("etcd"), "--key-file=" + c.key("etcd"), "--trusted-ca-file=" + c.cert("etcd-ca"), "--client-cert-auth",
			"--peer-cert-file=" + c.cert("etcd"), "--peer-key-file=" + c.key("etcd"), "--peer-trusted-ca-file=" + c.cert("etcd-ca"), "--peer-client-cert-auth",
			"--unsafe-no-fsync", // nothing here outlives the machine
			"--log-level=warn",
		},
		APIServer: {
			"--etcd-servers=" + local(p.etcd),
			"--etcd-cafile=" + c.cert("etcd-ca"), "--etcd-certfile=" + c.cert("etcd"), "--etcd-keyfile=" + c.key("etcd"),
			"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", p.apiServer),
			"--tls-cert-file=" + c.cert("kube-apiserver"), "--tls-private-key-file=" + c.key("kube-apiserver"),
			"--client-ca-file=" + c.cert("ca"),
			"--requestheader-client-ca-file=" + c.cert("front-proxy-ca"), "--requestheader-allowed-names=front-proxy-client",
			"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--proxy-client-cert-file=" + c.cert("front-proxy-client"), "--proxy-client-key-file=" + c.key("front-proxy-client"),
			"--authorization-mode=Node,RBAC",
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + c.key("service-accounts"), "--service-account-signing-key-file=" + c.key("service-accounts"),
			"--service-cluster-ip-range=" + serviceCIDR,
			"--endpoint-reconciler-type=none", // there is no address a pod could reach
			"--kubelet-preferred-address-types=InternalIP",
			"--kubelet-certificate-authority=" + c.cert("ca"),
			"--kubelet-client-certificate=" + c.cert("kube-apiserver-kubelet-client"), "--kubelet-client-key=" + c.key("kube-apiserver-kubelet-client"),
			"--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000",
			"--allow-privileged", "--profiling=false",
		},
		ControllerManager: {
			"--kubeconfig=" + c.path("kube-controller-manager.kubeconfig"),
			"--secure-port=0", "--leader-elect=false",
			"--use-service-account-credentials",
			"--service-account-private-key-file=" + c.key("service-accounts"), "--root-ca-file=" + c.cert("ca"),
			"--cluster-signing-cert-file=" + c.cert("ca"), "--cluster-signing-key-file=" + c.key("ca"),
			"--service-cluster-ip-range=" + serviceCIDR, "--allocate-node-cidrs=false",
			"--kube-api-qps=1000", "--kube-api-burst=2000",
			"--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20",
			"--concurrent-service-endpoint-syncs=20", "--concurrent-namespace-syncs=20", "--concurrent-gc-syncs=20",
			"--horizontal-pod-autoscaler-sync-period=2s",
		},
		Scheduler: {
			"--config=" + c.path("kube-scheduler.yaml"), "--secure-port=0",
		},
		Kwok: {
			NetworkFlag, p.network(), c.cert("kubelet"), c.key("kubelet"),
			"--config=" + c.path("kwok.yaml"), "--kubeconfig=" + c.path("kwok.kubeconfig"), "--v=WARN",
			"--manage-all-nodes",
			"--cidr=" + podCIDR,
			"--node-ip=127.0.0.1", fmt.Sprintf("--node-port=%d", p.kubelet), fmt.Sprintf("--server-address=127.0.0.1:%d", p.kubelet),
			"--tls-cert-file=" + c.cert("kubelet"), "--tls-private-key-file=" + c.key("kubelet"),
		},
		MetricsServer: c.metricsArgs(p.metrics),
	}
}
