package cluster

import (
	"os"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/pki"
	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// makeKeys writes every key, certificate and kubeconfig of a new cluster. etcd has an authority of its own: who is known to the API
// server, however powerless, must not be able to read its store.
func (c *Cluster) makeKeys(server string) error {
	if err := os.MkdirAll(c.path("pki"), 0o700); err != nil {
		return err
	}
	ca, err := pki.NewCA("sandbox-" + c.Name)
	if err != nil {
		return err
	}
	etcdCA, err := pki.NewCA("sandbox-" + c.Name + "-etcd")
	if err != nil {
		return err
	}
	frontProxyCA, err := pki.NewCA("sandbox-" + c.Name + "-front-proxy")
	if err != nil {
		return err
	}
	pairs := map[string]func() (pki.Pair, error){
		"ca":      func() (pki.Pair, error) { return ca.Pair, nil },
		"etcd-ca": func() (pki.Pair, error) { return etcdCA.Pair, nil },
		"etcd":    func() (pki.Pair, error) { return etcdCA.Server("etcd") },
		// who calls other API servers in the name of users
		"front-proxy-ca":     func() (pki.Pair, error) { return frontProxyCA.Pair, nil },
		"front-proxy-client": func() (pki.Pair, error) { return frontProxyCA.Client("front-proxy-client") },
		"metrics-server": func() (pki.Pair, error) {
			return ca.Server("metrics-server", metricsService.Name+"."+metricsService.Namespace+".svc")
		},
		"kubelet": func() (pki.Pair, error) { return ca.Server("kubelet", realnode.Address) },
		"kube-apiserver": func() (pki.Pair, error) {
			return ca.Server("kube-apiserver", serviceIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
		},
		"kube-apiserver-kubelet-client": func() (pki.Pair, error) { return ca.Client("kube-apiserver-kubelet-client", "kubeadm:cluster-admins") },
	}
	for name, makePair := range pairs {
		pair, err := makePair()
		if err != nil {
			return err
		}
		if err := writeFiles(map[string][]byte{c.cert(name): pair.Cert, c.key(name): pair.Key}); err != nil {
			return err
		}
	}
	serviceAccountKey, err := pki.NewKey()
	if err != nil {
		return err
	}
	if err := writeFiles(map[string][]byte{c.key("service-accounts"): serviceAccountKey}); err != nil {
		return err
	}
	users := []struct{ file, user, group string }{
		{c.KubeconfigPath(), "admin", "system:masters"},
		{c.path("kwok.kubeconfig"), "system:sandbox:kwok", "system:masters"},
		{c.path("kube-controller-manager.kubeconfig"), "system:kube-controller-manager", ""},
		{c.path("kube-scheduler.kubeconfig"), "system:kube-scheduler", ""},
		{c.path("kubelet.kubeconfig"), "system:node:" + realnode.Name, "system:nodes"},
		{c.path("kube-proxy.kubeconfig"), "system:kube-proxy", ""},
		{c.path("metrics-server.kubeconfig"), "system:sandbox:metrics-server", "system:masters"},
	}
	for _, u := range users {
		var groups []string
		if u.group != "" {
			groups = []string{u.group}
		}
		pair, err := ca.Client(u.user, groups...)
		if err != nil {
			return err
		}
		if err := c.writeKubeconfig(u.file, server, u.user, "default", ca.Cert, pair); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) cert(name string) string { return c.path("pki", name+".crt") }
func (c *Cluster) key(name string) string  { return c.path("pki", name+".key") }

func writeFiles(files map[string][]byte) error {
	for file, data := range files {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
