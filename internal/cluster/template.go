package cluster

import (
	"hash/fnv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// specHash tells pod templates apart by all but their metadata. It is 0 where it cannot be told.
func specHash(spec *corev1.PodSpec) uint64 {
	data, err := spec.Marshal()
	if err != nil {
		return 0
	}
	h := fnv.New64a()
	h.Write(data)
	return h.Sum64()
}

// podTemplate is what the core asks of a pod template, with what decides over it only.
type podTemplate struct{ spec corev1.PodSpec }

func toTemplate(spec *corev1.PodSpec) podTemplate {
	bare := func(all []corev1.Container) []corev1.Container {
		out := make([]corev1.Container, len(all))
		for i, c := range all {
			out[i] = corev1.Container{Name: c.Name, Resources: c.Resources, RestartPolicy: c.RestartPolicy}
		}
		return out
	}
	return podTemplate{corev1.PodSpec{
		InitContainers: bare(spec.InitContainers), Containers: bare(spec.Containers),
		Overhead: spec.Overhead, Resources: spec.Resources, PriorityClassName: spec.PriorityClassName,
	}}
}

// Pod follows the API server: requests default to limits, then come the limit ranges, then what is there for the whole pod.
func (t podTemplate) Pod(ranges []canary.LimitRange) canary.PodDemand {
	pod := &corev1.Pod{Spec: *t.spec.DeepCopy()}
	var containers []canary.ContainerDemand
	for _, all := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range all {
			admit(&all[i].Resources, ranges)
			containers = append(containers, canary.ContainerDemand{
				Name: all[i].Name, Requests: toAmounts(all[i].Resources.Requests), Limits: toAmounts(all[i].Resources.Limits),
			})
		}
	}
	if own := pod.Spec.Resources; own != nil {
		of := resourcehelper.AggregateContainerRequests(pod, resourcehelper.PodResourcesOptions{})
		for name := range of {
			if !resourcehelper.IsSupportedPodLevelResource(name) {
				delete(of, name)
			}
		}
		fill(&own.Requests, of)
		fill(&own.Requests, own.Limits)
	}
	whole, bare := resourcehelper.PodResourcesOptions{}, resourcehelper.PodResourcesOptions{ExcludeOverhead: true}
	return canary.PodDemand{
		Requests: toAmounts(resourcehelper.PodRequests(pod, whole)), Limits: toAmounts(resourcehelper.PodLimits(pod, whole)),
		BareRequests: toAmounts(resourcehelper.PodRequests(pod, bare)), BareLimits: toAmounts(resourcehelper.PodLimits(pod, bare)),
		Containers: containers, PodLevel: resourcehelper.IsPodLevelResourcesSet(pod), PriorityClass: pod.Spec.PriorityClassName,
	}
}

// admit fills in what a container leaves open, as defaulting and the LimitRanger do.
func admit(r *corev1.ResourceRequirements, ranges []canary.LimitRange) {
	fill(&r.Requests, r.Limits)
	for _, l := range ranges {
		for _, item := range l.Items {
			fill(&r.Limits, toQuantities(item.Default))
			fill(&r.Requests, toQuantities(item.DefaultRequest))
		}
	}
}

// fill adds what a list does not have.
func fill(list *corev1.ResourceList, from corev1.ResourceList) {
	for name, quantity := range from {
		if _, ok := (*list)[name]; ok {
			continue
		}
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		(*list)[name] = quantity
	}
}

// toAmounts rounds up to thousandths, and what is too large for those down to the largest.
func toAmounts(list corev1.ResourceList) canary.Amounts {
	out := make(canary.Amounts, len(list))
	for name, q := range list {
		if q.Value() > resource.MaxMilliValue {
			out[string(name)] = resource.MaxMilliValue * 1000
			continue
		}
		out[string(name)] = q.MilliValue()
	}
	return out
}

func toQuantities(a canary.Amounts) corev1.ResourceList {
	out := make(corev1.ResourceList, len(a))
	for name, n := range a {
		out[corev1.ResourceName(name)] = *resource.NewMilliQuantity(n, resource.DecimalSI)
	}
	return out
}
