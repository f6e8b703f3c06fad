package cluster

import (
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/pki"
)

// writeKubeconfig writes a kubeconfig that needs no other file.
func (c *Cluster) writeKubeconfig(file, server, user, namespace string, caCert []byte, cert pki.Pair) error {
	cluster := "sandbox-" + c.Name
	context := cluster
	if user != "admin" {
		context += "-" + user
	}
	return clientcmd.WriteToFile(api.Config{
		Clusters:       map[string]*api.Cluster{cluster: {Server: server, CertificateAuthorityData: caCert}},
		AuthInfos:      map[string]*api.AuthInfo{user: {ClientCertificateData: cert.Cert, ClientKeyData: cert.Key}},
		Contexts:       map[string]*api.Context{context: {Cluster: cluster, AuthInfo: user, Namespace: namespace}},
		CurrentContext: context,
	}, file)
}
