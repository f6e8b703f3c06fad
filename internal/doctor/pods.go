package doctor

import (
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// container is the container of a name; nil where the version has none.
func (s *side) container(name string) *corev1.Container {
	all := s.spec().Containers
	if i := slices.IndexFunc(all, func(c corev1.Container) bool { return c.Name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// pair calls compare for each container that stable and the canary both have; i is its place in the canary's.
func (e *examination) pair(compare func(stable, second *side, a, b *corev1.Container, i int)) {
	if len(e.sides) < 2 {
		return
	}
	stable, second := e.sides[0], e.sides[1]
	for i := range second.spec().Containers {
		b := &second.spec().Containers[i]
		if a := stable.container(b.Name); a != nil {
			compare(stable, second, a, b, i)
		}
	}
}

// readiness probes: a version without any is ready as soon as it runs.
func (e *examination) probes() (found []canary.Problem) {
	for _, s := range e.sides {
		if !s.probed() {
			found = append(found, e.noProbe(s))
		}
	}
	e.pair(func(stable, second *side, a, b *corev1.Container, i int) {
		if !stable.probed() || !second.probed() || reflect.DeepEqual(a.ReadinessProbe, b.ReadinessProbe) {
			return
		}
		op := change{Op: "add", Path: containerPath(i) + "/readinessProbe", Value: a.ReadinessProbe}
		if a.ReadinessProbe == nil {
			op = change{Op: "remove", Path: op.Path}
		}
		d := "Deployment/" + second.Deployment.Name
		found = append(found, warning(CodeProbes, d,
			fmt.Sprintf("%s and %s have other readiness probes in container %s: ready does not mean the same for both", stable.Deployment.Name, second.Deployment.Name, b.Name),
			patch(d, "json", []change{op})))
	})
	return found
}

func (s *side) probed() bool {
	return slices.ContainsFunc(s.spec().Containers, func(c corev1.Container) bool { return c.ReadinessProbe != nil }) || len(s.spec().ReadinessGates) > 0
}

// noProbe proposes the probe of another version, else of the container's liveness, else of its port.
func (e *examination) noProbe(s *side) canary.Problem {
	d := "Deployment/" + s.Deployment.Name
	p := warning(CodeNoReadiness, d, "pods of Deployment "+s.Deployment.Name+" have no readiness probe: they get traffic as soon as they run, whether they can answer or not")
	for i, c := range s.spec().Containers {
		if probe := e.proposed(s, c); probe != nil {
			p.Next = []string{patch(d, "json", []change{{Op: "add", Path: containerPath(i) + "/readinessProbe", Value: probe}})}
			break
		}
	}
	return p
}

func (e *examination) proposed(of *side, c corev1.Container) *corev1.Probe {
	for _, other := range e.sides {
		if same := other.container(c.Name); other != of && same != nil && same.ReadinessProbe != nil {
			return same.ReadinessProbe
		}
	}
	if c.LivenessProbe != nil {
		return &corev1.Probe{ProbeHandler: c.LivenessProbe.ProbeHandler}
	}
	for _, port := range c.Ports {
		probe := &corev1.Probe{}
		probe.TCPSocket = &corev1.TCPSocketAction{}
		probe.TCPSocket.Port.IntVal = port.ContainerPort
		return probe
	}
	return nil
}

func containerPath(i int) string { return fmt.Sprintf("/spec/template/spec/containers/%d", i) }

func (e *examination) resources() (found []canary.Problem) {
	e.pair(func(stable, second *side, a, b *corev1.Container, i int) {
		if equalLists(a.Resources.Requests, b.Resources.Requests) && equalLists(a.Resources.Limits, b.Resources.Limits) {
			return
		}
		d := "Deployment/" + second.Deployment.Name
		found = append(found, warning(CodeResources, d,
			fmt.Sprintf("container %s has other resources in %s than in %s: equal numbers of pods do not carry equal load", b.Name, second.Deployment.Name, stable.Deployment.Name),
			patch(d, "json", []change{{Op: "add", Path: containerPath(i) + "/resources", Value: a.Resources}})))
	})
	return found
}

func equalLists(a, b corev1.ResourceList) bool {
	if len(a) != len(b) {
		return false
	}
	for name, quantity := range a {
		other, ok := b[name]
		if !ok || quantity.Cmp(other) != 0 {
			return false
		}
	}
	return true
}

// drain is for releases whose pods are neither drained nor wait before they stop.
func (e *examination) drain() []canary.Problem {
	var hasty []string
	for _, s := range e.sides {
		if !slices.ContainsFunc(s.spec().Containers, func(c corev1.Container) bool { return c.Lifecycle != nil && c.Lifecycle.PreStop != nil }) {
			hasty = append(hasty, s.Deployment.Name)
		}
	}
	if e.release.Drain != "" || len(hasty) == 0 {
		return nil
	}
	const label = "serving"
	p := warning(canary.CodeNoDrain, "Service/"+e.release.Name,
		fmt.Sprintf("pods of %s stop while they are still sent connections: they have no preStop, and no label by which they could leave the Service first, such as %s: \"true\"", list(hasty), label))
	for _, s := range e.sides {
		p.Next = append(p.Next, patch("Deployment/"+s.Deployment.Name, "merge", podLabels(map[string]any{label: "true"})))
	}
	for _, s := range e.sides {
		p.Next = append(p.Next, "rollout status deployment/"+s.Deployment.Name)
	}
	for _, svc := range e.services {
		p.Next = append(p.Next, patch("Service/"+svc.Name, "merge", object{"spec": object{"selector": object{label: "true"}}}))
	}
	return []canary.Problem{p}
}

func (e *examination) recreate() (found []canary.Problem) {
	for _, s := range e.sides {
		if s.object.Spec.Strategy.Type != "Recreate" {
			continue
		}
		d := "Deployment/" + s.Deployment.Name
		found = append(found, warning(CodeRecreate, d,
			"Deployment "+s.Deployment.Name+" is of strategy Recreate: a move keeps its floor, but a change of the template stops all its pods before new ones start",
			patch(d, "strategic", object{"spec": object{"strategy": object{"type": "RollingUpdate"}}})))
	}
	return found
}

// volumes are claims that pods on other nodes, or a second pod, cannot have.
func (e *examination) volumes() (found []canary.Problem) {
	for _, s := range e.sides {
		for i, v := range s.spec().Volumes {
			if v.PersistentVolumeClaim == nil {
				continue
			}
			at := slices.IndexFunc(e.Claims, func(c *corev1.PersistentVolumeClaim) bool { return c.Name == v.PersistentVolumeClaim.ClaimName })
			if at < 0 || manyNodes(e.Claims[at].Spec.AccessModes) {
				continue
			}
			claim := e.Claims[at]
			own := corev1.PersistentVolumeClaimSpec{AccessModes: claim.Spec.AccessModes, StorageClassName: claim.Spec.StorageClassName, Resources: claim.Spec.Resources}
			d := "Deployment/" + s.Deployment.Name
			found = append(found, warning(CodeReadWriteOnce, d,
				fmt.Sprintf("all pods of Deployment %s use the claim %s (%s): pods on another node, or any but the first, do not start", s.Deployment.Name, claim.Name, claim.Spec.AccessModes[0]),
				patch(d, "json", []change{{Op: "replace", Path: fmt.Sprintf("/spec/template/spec/volumes/%d", i), Value: object{
					"name": v.Name, "ephemeral": object{"volumeClaimTemplate": object{"spec": own}},
				}}})))
		}
	}
	return found
}

func manyNodes(modes []corev1.PersistentVolumeAccessMode) bool {
	return len(modes) == 0 || slices.Contains(modes, corev1.ReadWriteMany) || slices.Contains(modes, corev1.ReadOnlyMany)
}
