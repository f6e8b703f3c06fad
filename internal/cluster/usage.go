package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// podMetrics is what counts here of a PodMetricsList of metrics.k8s.io/v1beta1; k8s.io/metrics would be a module for it.
type podMetrics struct {
	Items []struct {
		Metadata   struct{ Name string }
		Containers []struct {
			Name  string
			Usage corev1.ResourceList
		}
	}
}

// maxUsage bounds the answer of metrics.k8s.io, in bytes: some 50,000 containers.
const maxUsage = 16 << 20

// PodUsage returns what the pods that a selector picks take, as metrics.k8s.io says; an error says in a line why it does not.
func (c *Client) PodUsage(ctx context.Context, namespace, selector string) ([]canary.Used, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTimeout, errLate)
	defer cancel()
	to := c.core.RESTClient().Get().AbsPath("/apis/metrics.k8s.io/v1beta1/namespaces", namespace, "pods").Param("labelSelector", selector).URL()
	status, body, own, err := c.ask(ctx, to, "application/json", maxUsage)
	switch {
	case err != nil:
		return nil, cause(ctx, err)
	case status == http.StatusNotFound:
		return nil, fmt.Errorf("metrics.k8s.io is %w", canary.ErrAbsent)
	case own != nil:
		return nil, errors.New("metrics.k8s.io does not answer: " + own.Message)
	case status != http.StatusOK:
		return nil, fmt.Errorf("metrics.k8s.io does not answer: %d %s", status, http.StatusText(status))
	}
	var list podMetrics
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("metrics.k8s.io is not understood: %w", err)
	}
	var all []canary.Used
	for _, pod := range list.Items {
		for _, used := range pod.Containers {
			all = append(all, canary.Used{
				Pod: pod.Metadata.Name, Container: used.Name,
				NanoCPU: used.Usage.Cpu().ScaledValue(resource.Nano), MemoryBytes: used.Usage.Memory().Value(),
			})
		}
	}
	return all, nil
}

// PodWarnings returns the Events of type Warning about pods of a namespace.
func (c *Client) PodWarnings(ctx context.Context, namespace string) (all []canary.Happening, err error) {
	list, err := c.core.Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod,type=Warning"})
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		all = append(all, toHappening(&list.Items[i]))
	}
	return all, nil
}

// May says whether the user has a permission. It is advice, as MayScale is.
func (c *Client) May(ctx context.Context, namespace string, p canary.Permission) bool {
	return c.allowed(ctx, namespace, []canary.Permission{p})[p]
}
