package cluster

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/version"
)

// client is the administrator's.
type client struct{ kubernetes.Interface }

func (c *Cluster) client(s *state) (client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.KubeconfigPath())
	if err != nil {
		return client{}, err
	}
	if s.RealNode {
		config.Dial = s.namespaces().Dial
	}
	config.QPS = -1
	config.UserAgent = "sandbox"
	k, err := kubernetes.NewForConfig(config)
	return client{k}, err
}

// answers says whether the API server serves at all.
func (c client) answers(ctx context.Context) error {
	_, err := c.Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	return err
}

// ready says whether everything that the API server has to do at its start is done.
func (c client) ready(ctx context.Context) error {
	_, err := c.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err
}

// createNodes creates the nodes, once there is the namespace in which they say that they live.
func (c client) createNodes(ctx context.Context, n, kubeletPort int) error {
	if _, err := c.CoreV1().Namespaces().Get(ctx, corev1.NamespaceNodeLease, metav1.GetOptions{}); err != nil {
		return err
	}
	for i := range n {
		_, err := c.CoreV1().Nodes().Create(ctx, node(fmt.Sprintf("node-%d", i+1), kubeletPort), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// node is a simulated node, wide enough for every pod of a test. kwok looks after the nodes with its annotation.
func node(name string, kubeletPort int) *corev1.Node {
	room := corev1.ResourceList{
		corev1.ResourcePods:             resource.MustParse("10000"),
		corev1.ResourceCPU:              resource.MustParse("1000"),
		corev1.ResourceMemory:           resource.MustParse("1000Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1000Gi"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
			Labels:      map[string]string{corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64"},
		},
		Status: corev1.NodeStatus{
			Capacity:    room,
			Allocatable: room,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: "127.0.0.1"},
				{Type: corev1.NodeHostName, Address: name},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(kubeletPort)}},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion: version.Get().GitVersion, OperatingSystem: "linux", Architecture: "amd64",
				OSImage: "simulated", ContainerRuntimeVersion: "simulated",
			},
		},
	}
}

// nodesReady says whether n nodes take pods: a new one has a taint until a controller has seen it Ready.
func (c client) nodesReady(ctx context.Context, n int) error {
	ready, err := c.countReady(ctx)
	if err != nil {
		return err
	}
	if ready < n {
		return fmt.Errorf("%d of %d nodes ready", ready, n)
	}
	return nil
}

func (c client) countReady(ctx context.Context) (ready int, err error) {
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	for _, n := range nodes.Items {
		for _, cond := range n.Status.Conditions {
			if cond.Type == corev1.NodeReady && cond.Status == corev1.ConditionTrue && len(n.Spec.Taints) == 0 {
				ready++
			}
		}
	}
	return ready, nil
}

func (c client) defaultServiceAccount(ctx context.Context) error {
	_, err := c.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return errors.New("not there yet")
	}
	return err
}
