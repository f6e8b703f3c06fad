package doctor

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func (e *examination) affinity() (found []canary.Problem) {
	for _, svc := range e.services {
		if svc.Spec.SessionAffinity != corev1.ServiceAffinityClientIP {
			continue
		}
		first := "its first pod"
		if c := svc.Spec.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil {
			first = fmt.Sprintf("its first pod until it has been silent for %d s", *c.ClientIP.TimeoutSeconds)
		}
		found = append(found, warning(CodeAffinity, "Service/"+svc.Name,
			"Service "+svc.Name+" keeps each client (by its address) at "+first+": a split is one of clients, and known clients follow a shift late",
			patch("Service/"+svc.Name, "merge", object{"spec": object{"sessionAffinity": corev1.ServiceAffinityNone}})))
	}
	return found
}

func (e *examination) trafficPolicy() (found []canary.Problem) {
	for _, svc := range e.services {
		fields := object{}
		var from []string
		if p := svc.Spec.InternalTrafficPolicy; p != nil && *p == corev1.ServiceInternalTrafficPolicyLocal {
			fields["internalTrafficPolicy"] = corev1.ServiceInternalTrafficPolicyCluster
			from = append(from, "internal")
		}
		if svc.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
			fields["externalTrafficPolicy"] = corev1.ServiceExternalTrafficPolicyCluster
			from = append(from, "external")
		}
		if len(from) == 0 {
			continue
		}
		found = append(found, warning(CodeTrafficPolicy, "Service/"+svc.Name,
			fmt.Sprintf("Service %s keeps %s traffic to the node where it arrives: each node has a split of its own, and one without a pod serves nothing", svc.Name, strings.Join(from, " and ")),
			patch("Service/"+svc.Name, "merge", object{"spec": fields})))
	}
	return found
}

// topologyAnnotations let endpoints be kept to a zone; the second is what the first was called before.
var topologyAnnotations = []string{corev1.AnnotationTopologyMode, corev1.DeprecatedAnnotationTopologyAwareHints}

func (e *examination) topology() (found []canary.Problem) {
	const why = ": each zone or node has a split of its own"
	for _, svc := range e.services {
		name, explained := "Service/"+svc.Name, false
		if d := svc.Spec.TrafficDistribution; d != nil {
			explained = true
			found = append(found, warning(CodeTopology, name, "Service "+svc.Name+" prefers endpoints that are near (trafficDistribution "+*d+")"+why,
				patch(name, "merge", object{"spec": object{"trafficDistribution": nil}})))
		}
		for _, key := range topologyAnnotations {
			if value := svc.Annotations[key]; value != "" && !strings.EqualFold(value, "disabled") {
				explained = true
				found = append(found, warning(CodeTopology, name, "Service "+svc.Name+" keeps traffic in its zone where it can ("+key+": "+value+")"+why,
					"annotate service "+svc.Name+" "+key+"-"))
			}
		}
		for _, slice := range e.Slices {
			if !explained && slice.Labels[discoveryv1.LabelServiceName] == svc.Name && hinted(slice) {
				found = append(found, warning(CodeTopology, "EndpointSlice/"+slice.Name,
					"endpoints of Service "+svc.Name+" are for some zones or nodes only (hints in EndpointSlice "+slice.Name+")"+why, "delete endpointslice "+slice.Name))
			}
		}
	}
	return found
}

func hinted(s *discoveryv1.EndpointSlice) bool {
	for _, e := range s.Endpoints {
		if e.Hints != nil {
			return true
		}
	}
	return false
}

func (e *examination) headless() (found []canary.Problem) {
	for _, svc := range e.services {
		if svc.Spec.ClusterIP != corev1.ClusterIPNone {
			continue
		}
		expose := fmt.Sprintf("expose deployment %s --name=%s --selector=%s", e.release.Stable.Deployment.Name, svc.Name, selector(svc.Spec.Selector))
		if len(svc.Spec.Ports) == 1 {
			port := svc.Spec.Ports[0]
			expose += fmt.Sprintf(" --port=%d --target-port=%s --protocol=%s", port.Port, port.TargetPort.String(), port.Protocol)
		}
		found = append(found, warning(CodeHeadless, "Service/"+svc.Name,
			"Service "+svc.Name+" is headless: clients get the addresses of all pods and choose for themselves, so nothing keeps to the split; whether it is cannot be changed, only the Service made anew",
			"delete service "+svc.Name, expose))
	}
	return found
}
