package cluster

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// targetPort is where the first TCP port of a Service leads to.
func targetPort(s *corev1.Service) string {
	for _, p := range s.Spec.Ports {
		if isTCP(p.Protocol) {
			if p.TargetPort.String() != "0" {
				return p.TargetPort.String()
			}
			return fmt.Sprint(p.Port)
		}
	}
	return ""
}

func isTCP(p corev1.Protocol) bool { return p == "" || p == corev1.ProtocolTCP }

func ports(p *corev1.Pod) (all []canary.Port) {
	for i := range p.Spec.Containers {
		for _, port := range p.Spec.Containers[i].Ports {
			if isTCP(port.Protocol) {
				all = append(all, canary.Port{Name: port.Name, Number: int(port.ContainerPort)})
			}
		}
	}
	return all
}

// scrapePrefix begins the annotations by which most set-ups of Prometheus find what to scrape.
const scrapePrefix = "prometheus.io/"

func scrapeMarks(p *corev1.Pod) (found map[string]string) {
	for key, value := range p.Annotations {
		if name, ok := strings.CutPrefix(key, scrapePrefix); ok {
			if found == nil {
				found = map[string]string{}
			}
			found[name] = value
		}
	}
	return found
}

func limits(p *corev1.Pod) (found map[string]canary.Resources) {
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		has := canary.Resources{MilliCPU: c.Resources.Limits.Cpu().MilliValue(), MemoryBytes: c.Resources.Limits.Memory().Value()}
		if has != (canary.Resources{}) {
			if found == nil {
				found = map[string]canary.Resources{}
			}
			found[c.Name] = has
		}
	}
	return found
}
