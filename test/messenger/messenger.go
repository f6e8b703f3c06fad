// Package messenger puts the example application into a namespace of the sandbox.
package messenger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

// faults is the prefix of the annotations by which the sandbox lets pods fail.
const faults = "sandbox.kubectl-canary/"

// Services are those of the example.
var Services = []string{"auth", "chat", "friends", "users"}

// Options are what differs from the example.
type Options struct {
	Services    []string                     // all four if none is named; one of another name is a copy of auth
	Drain       bool                         // the Services select the label serving: "true" too, which the pod templates have
	Replicas    map[string]int32             // by Deployment
	Annotations map[string]map[string]string // the sandbox's, of the pods of a Deployment, or with "" of all
}

// CreateNamespace returns when pods can be created in it: they need its service account.
func CreateNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return patience.Until(func() error {
		_, err := client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// Deploy creates the services. root is the root of the repository.
func Deploy(ctx context.Context, client kubernetes.Interface, namespace, root string, o Options) error {
	services := o.Services
	if len(services) == 0 {
		services = Services
	}
	for _, name := range services {
		var service corev1.Service
		if err := Read(root, name, "service", &service); err != nil {
			return err
		}
		service.Namespace = namespace
		if o.Drain {
			service.Spec.Selector["serving"] = "true"
		}
		if _, err := client.CoreV1().Services(namespace).Create(ctx, &service, metav1.CreateOptions{}); err != nil {
			return err
		}
		for _, version := range []string{"v1", "v2"} {
			if err := o.deploy(ctx, client, namespace, root, name, version); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o Options) deploy(ctx context.Context, client kubernetes.Interface, namespace, root, service, version string) error {
	var d appsv1.Deployment
	if err := Read(root, service, version+"-deployment", &d); err != nil {
		return err
	}
	d.Namespace = namespace
	if o.Drain {
		d.Spec.Template.Labels["serving"] = "true"
	}
	if n, given := o.Replicas[d.Name]; given {
		d.Spec.Replicas = &n
	}
	d.Spec.Template.Annotations = map[string]string{}
	for _, of := range []string{"", d.Name} {
		for k, v := range o.Annotations[of] {
			d.Spec.Template.Annotations[faults+k] = v
		}
	}
	_, err := client.AppsV1().Deployments(namespace).Create(ctx, &d, metav1.CreateOptions{FieldManager: "kubectl-create"})
	return err
}

// Read reads a manifest of the example, of a kind such as service or v1-deployment.
func Read(root, service, kind string, into any) error {
	folder := filepath.Join(root, "manifests", "messenger")
	data, err := os.ReadFile(filepath.Join(folder, service+"-"+kind+".yaml"))
	if errors.Is(err, os.ErrNotExist) {
		data, err = os.ReadFile(filepath.Join(folder, "auth-"+kind+".yaml"))
		data = []byte(strings.ReplaceAll(string(data), "auth", service))
	}
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(data, into)
}

// Ready fails while not all pods of every Deployment are ready, and in the endpoints of their Services; those that are made to
// fail only have to exist.
func Ready(ctx context.Context, client kubernetes.Interface, ns string) error {
	deployments, err := client.AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	services, err := client.CoreV1().Services(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	all, err := client.DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, d := range deployments.Items {
		want, got := *d.Spec.Replicas, d.Status.ReadyReplicas
		if d.Spec.Template.Annotations[faults+"fault"] != "" {
			got = d.Status.Replicas
		}
		if d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas != want || d.Status.Replicas != want || got != want {
			return fmt.Errorf("deployment %s: %d of %d pods are ready", d.Name, got, want)
		}
	}
	for _, s := range services.Items {
		selector := labels.SelectorFromSet(s.Spec.Selector)
		want, got := map[types.UID]bool{}, map[types.UID]bool{}
		for _, p := range pods.Items {
			if selector.Matches(labels.Set(p.Labels)) && p.DeletionTimestamp == nil && ready(&p) {
				want[p.UID] = true
			}
		}
		for _, slice := range all.Items {
			if slice.Labels[discoveryv1.LabelServiceName] == s.Name {
				maps.Copy(got, witness.ReadyPods(&slice))
			}
		}
		if !selector.Empty() && !maps.Equal(got, want) { // as many may be others: some that are gone, for some that have come
			return fmt.Errorf("service %s: %d endpoints are ready, and are not the %d ready pods", s.Name, len(got), len(want))
		}
	}
	return nil
}

func ready(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
