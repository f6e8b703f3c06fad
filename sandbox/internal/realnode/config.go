package realnode

import (
	"fmt"
	"path/filepath"
)

// Config says where a cluster has what its node is told of.
type Config struct {
	// Dir is the cluster's folder, PodCIDR the range of the pods' addresses.
	Dir, PodCIDR                                   string
	CA, KubeletCert, KubeletKey                    string
	KubeletKubeconfig, ProxyKubeconfig, CNIPlugins string
}

// Files returns the configuration files, by path.
func (c Config) Files() map[string][]byte {
	in := func(elem ...string) string { return filepath.Join(append([]string{c.Dir, "node"}, elem...)...) }
	return map[string][]byte{
		// switched off: what needs CAP_SYS_RESOURCE, and what would stay, a profile of AppArmor and the folder /opt/containerd
		in("containerd.toml"): fmt.Appendf(nil, `version = 2
root = %q
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = %q
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = %q
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = %q
conf_dir = %q
`, Binds["containerd"], Socket, PauseImage, c.CNIPlugins, in("cni")),
		// routed, not bridged: on a bridge a pod's answer to another pod would not pass the address translation of Services
		in("cni", "10-sandbox.conflist"): fmt.Appendf(nil, `{
  "cniVersion": "0.4.0", "name": "sandbox",
  "plugins": [{"type": "ptp", "ipam": {"type": "host-local", "dataDir": "/run/sandbox/addresses", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}}]
}
`, c.PodCIDR),
		// whoever has a certificate of this cluster may ask the kubelet anything: it cannot be reached from outside
		in("kubelet.yaml"): fmt.Appendf(nil, `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://%s
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: %q}}
authorization: {mode: AlwaysAllow}
tlsCertFile: %q
tlsPrivateKeyFile: %q
cgroupDriver: cgroupfs
cgroupsPerQOS: true
cgroupRoot: %s
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
podLogsDir: %s
volumePluginDir: %s/volume-plugins
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [10.96.0.10]
imageGCHighThresholdPercent: 100
evictionHard: {imagefs.available: "0%%", nodefs.available: "0%%", nodefs.inodesFree: "0%%", memory.available: "0%%"}
eventRecordQPS: 0
`, Socket, c.CA, c.KubeletCert, c.KubeletKey, CgroupTree(c.Dir), Binds["pods"], Binds["kubelet"]),
		in("kube-proxy.yaml"): fmt.Appendf(nil, `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: %q}
hostnameOverride: %s
clusterCIDR: %s
healthzBindAddress: %s
conntrack: {maxPerCore: 0, min: 0}
`, c.ProxyKubeconfig, Name, c.PodCIDR, ProxyHealth),
	}
}

// Args returns the arguments of the node's programs.
func (c Config) Args() (containerd, kubelet, kubeProxy []string) {
	in := func(name string) string { return filepath.Join(c.Dir, "node", name) }
	return []string{"--config=" + in("containerd.toml")},
		[]string{
			"--config=" + in("kubelet.yaml"), "--kubeconfig=" + c.KubeletKubeconfig, "--root-dir=" + Binds["kubelet"],
			"--hostname-override=" + Name, "--node-ip=" + Address,
		},
		[]string{"--config=" + in("kube-proxy.yaml")}
}
