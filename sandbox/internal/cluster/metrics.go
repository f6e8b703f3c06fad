package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// metricsService is what the API server knows metrics-server by.
var metricsService = metav1.ObjectMeta{Name: "metrics-server", Namespace: metav1.NamespaceSystem}

// metricsArgs are the arguments of metrics-server. It reads the node every ten seconds: it does not let itself be told less.
func (c *Cluster) metricsArgs(port int) []string {
	kubeconfig := c.path("metrics-server.kubeconfig")
	return []string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + c.cert("metrics-server"), "--tls-private-key-file=" + c.key("metrics-server"),
		"--kubelet-preferred-address-types=InternalIP", "--kubelet-use-node-status-port",
		"--metric-resolution=10s", "--kubelet-request-timeout=5s",
	}
}

// registerMetrics tells the API server that metrics.k8s.io is served at a port of 127.0.0.1.
func (c *Cluster) registerMetrics(ctx context.Context, client client, port int) error {
	ca, err := os.ReadFile(c.cert("ca"))
	if err != nil {
		return err
	}
	// an endpoint must not be of the loopback interface; what a name stands for is dialled as it is
	_, err = client.CoreV1().Services(metricsService.Namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metricsService, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "127.0.0.1"},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	at := int32(port)
	body, err := json.Marshal(&apiregistrationv1.APIService{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiregistration.k8s.io/v1", Kind: "APIService"},
		ObjectMeta: metav1.ObjectMeta{Name: "v1beta1.metrics.k8s.io"},
		Spec: apiregistrationv1.APIServiceSpec{
			Group: "metrics.k8s.io", Version: "v1beta1", GroupPriorityMinimum: 100, VersionPriority: 100, CABundle: ca,
			Service: &apiregistrationv1.ServiceReference{Name: metricsService.Name, Namespace: metricsService.Namespace, Port: &at},
		},
	})
	if err != nil {
		return err
	}
	_, err = client.Discovery().RESTClient().Post().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices").
		SetHeader("Content-Type", "application/json").Body(body).DoRaw(ctx)
	return err
}

// metricsServed says whether the API server passes on what it is asked of metrics.k8s.io.
func (c client) metricsServed(ctx context.Context) error {
	_, err := c.Discovery().RESTClient().Get().AbsPath("/apis/metrics.k8s.io/v1beta1").DoRaw(ctx)
	return err
}
