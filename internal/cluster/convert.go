package cluster

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func toService(s *corev1.Service) canary.Service {
	return canary.Service{
		Name: s.Name, UID: string(s.UID), Labels: s.Labels, Selector: s.Spec.Selector,
		ExternalName: s.Spec.Type == corev1.ServiceTypeExternalName, NotReady: s.Spec.PublishNotReadyAddresses,
		TargetPort: targetPort(s), Marks: marks(s), Owner: ownerOf(s),
	}
}

// marks are those that the core wants to know of; nil where there is none.
func marks(o metav1.Object) (found map[string]string) {
	for _, mark := range canary.Marks {
		if v := cmp.Or(o.GetLabels()[mark], o.GetAnnotations()[mark]); v != "" {
			if found == nil {
				found = map[string]string{}
			}
			found[mark] = v
		}
	}
	return found
}

// ownerOf is the object that controls another, as Kind/name; empty where there is none.
func ownerOf(o metav1.Object) string {
	if owner := metav1.GetControllerOf(o); owner != nil {
		return owner.Kind + "/" + owner.Name
	}
	return ""
}

func toDeployment(d *appsv1.Deployment) canary.Deployment {
	out := canary.Deployment{
		Name: d.Name, UID: string(d.UID), Created: d.CreationTimestamp.Time,
		PodLabels: d.Spec.Template.Labels, Selector: matcher(d.Spec.Selector),
		Replicas: 1, Paused: d.Spec.Paused,
		Generation: d.Generation, Observed: d.Status.ObservedGeneration,
		Pods: count(d.Status.Replicas), UpdatedPods: count(d.Status.UpdatedReplicas), ReadyPods: count(d.Status.ReadyReplicas),
	}
	out.Writer, out.Marks, out.Owner = writer(d.ManagedFields), marks(d), ownerOf(d)
	out.SpecHash, out.Template = specHash(&d.Spec.Template.Spec), toTemplate(&d.Spec.Template.Spec)
	if d.Spec.Selector != nil {
		out.MatchLabels = d.Spec.Selector.MatchLabels
	}
	if d.Spec.Replicas != nil {
		out.Replicas = count(*d.Spec.Replicas)
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		out.Images = append(out.Images, c.Image)
	}
	requests := resourcehelper.PodRequests(&corev1.Pod{Spec: d.Spec.Template.Spec}, resourcehelper.PodResourcesOptions{})
	out.Requests = canary.Resources{MilliCPU: requests.Cpu().MilliValue(), MemoryBytes: requests.Memory().Value()}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			out.Failure = &canary.Failure{Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime.Time}
		}
	}
	return out
}

// count is a number of pods: the API server allows none below 0, and nothing that comes after this has to ask.
func count(n int32) int { return max(0, int(n)) }

// writer finds who owns the replicas. Where several do, as after applies that agree, it is the last of them. After writes of the scale
// that raced it may be nobody: the API server loses the owner then, and names none until somebody writes the Deployment itself (1.37).
func writer(fields []metav1.ManagedFieldsEntry) (w canary.Writer) {
	for _, m := range fields {
		if m.Subresource == "status" || m.FieldsV1 == nil || !ownsReplicas(m.FieldsV1.GetRawBytes()) {
			continue
		}
		w = canary.Writer{Manager: m.Manager, Operation: string(m.Operation), Subresource: m.Subresource}
		if m.Time != nil {
			w.At = m.Time.Time
		}
	}
	return w
}

// ownsReplicas looks for the words first: most entries do not have them, and there may be thousands.
func ownsReplicas(fields []byte) bool {
	if !bytes.Contains(fields, []byte(`"f:replicas"`)) {
		return false
	}
	var f struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if json.Unmarshal(fields, &f) != nil {
		return false
	}
	_, owns := f.Spec["f:replicas"]
	return owns
}

// labelMatcher is a selector of the API as the core sees it.
type labelMatcher struct{ labels.Selector }

func (m labelMatcher) Matches(l map[string]string) bool { return m.Selector.Matches(labels.Set(l)) }

// matcher matches nothing where the selector is missing or cannot be read.
func matcher(s *metav1.LabelSelector) canary.Matcher {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		selector = labels.Nothing()
	}
	return labelMatcher{selector}
}

func toEndpoints(s *discoveryv1.EndpointSlice) []canary.Endpoint {
	service := s.Labels[discoveryv1.LabelServiceName]
	out := make([]canary.Endpoint, 0, len(s.Endpoints))
	for _, e := range s.Endpoints {
		ep := canary.Endpoint{
			Service:     service,
			Ready:       e.Conditions.Ready == nil || *e.Conditions.Ready,
			Terminating: e.Conditions.Terminating != nil && *e.Conditions.Terminating,
		}
		if len(e.Addresses) > 0 {
			ep.Address = e.Addresses[0]
		}
		if e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
			ep.PodUID = string(e.TargetRef.UID)
		}
		out = append(out, ep)
	}
	return out
}

// toPod reads a pod's identity; of a whole pod its state too.
func toPod(m metav1.Object) canary.Pod {
	owner := metav1.GetControllerOf(m)
	out := canary.Pod{
		Name: m.GetName(), UID: string(m.GetUID()), Labels: m.GetLabels(),
		Owned:   owner != nil && owner.Kind == "ReplicaSet",
		Created: m.GetCreationTimestamp().Time, Terminating: m.GetDeletionTimestamp() != nil,
		Cheapest: m.GetAnnotations()[corev1.PodDeletionCost] == lowestCost,
	}
	if end := m.GetDeletionTimestamp(); end != nil {
		out.GoneBy, out.Finalizers = end.Time, m.GetFinalizers()
	}
	p, whole := m.(*corev1.Pod)
	if !whole {
		return out
	}
	out.Phase, out.Node = string(p.Status.Phase), p.Spec.NodeName
	out.Ports, out.Scrape, out.Limits = ports(p), scrapeMarks(p), limits(p)
	if out.Owned {
		out.ReplicaSet = owner.Name
	}
	for _, gate := range p.Spec.ReadinessGates {
		out.ReadinessGates = append(out.ReadinessGates, string(gate.ConditionType))
	}
	for _, gate := range p.Spec.SchedulingGates {
		out.SchedulingGates = append(out.SchedulingGates, gate.Name)
	}
	for _, c := range p.Status.Conditions {
		out.Conditions = append(out.Conditions, canary.Condition{
			Type: string(c.Type), Status: c.Status == corev1.ConditionTrue,
			Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime.Time,
		})
	}
	for _, c := range p.Status.InitContainerStatuses {
		status := toContainer(c)
		status.Init = !slices.ContainsFunc(p.Spec.InitContainers, func(spec corev1.Container) bool {
			return spec.Name == c.Name && spec.RestartPolicy != nil && *spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
		})
		out.Containers = append(out.Containers, status)
	}
	for _, c := range p.Status.ContainerStatuses {
		out.Containers = append(out.Containers, toContainer(c))
	}
	return out
}

func toContainer(c corev1.ContainerStatus) canary.Container {
	out := canary.Container{
		Name: c.Name, Ready: c.Ready, Running: c.State.Running != nil, Restarts: count(c.RestartCount),
		Ended: toEnded(c.State.Terminated), Last: toEnded(c.LastTerminationState.Terminated),
	}
	if w := c.State.Waiting; w != nil {
		out.Waiting = &canary.Waiting{Reason: w.Reason, Message: w.Message}
	}
	return out
}

func toEnded(t *corev1.ContainerStateTerminated) *canary.Ended {
	if t == nil {
		return nil
	}
	out := &canary.Ended{Reason: t.Reason, Message: t.Message, ExitCode: int(t.ExitCode)}
	if out.ExitCode == 0 && t.Signal > 0 {
		out.ExitCode = 128 + int(t.Signal)
	}
	return out
}

// toAutoscaler reports false for one that scales something else than a Deployment.
func toAutoscaler(h *autoscalingv2.HorizontalPodAutoscaler) (canary.Autoscaler, bool) {
	out := canary.Autoscaler{Name: h.Name, Deployment: h.Spec.ScaleTargetRef.Name, Min: 1, Max: int(h.Spec.MaxReplicas), KEDA: h.Labels[canary.MarkKEDA]}
	if h.Spec.MinReplicas != nil {
		out.Min = int(*h.Spec.MinReplicas)
	}
	return out, h.Spec.ScaleTargetRef.Kind == "Deployment"
}
