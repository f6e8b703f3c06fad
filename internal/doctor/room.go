package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-helpers/resource"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// room tries to place the pods that a move to each weight would add, one by one, largest first, on what nodes have left.
// It knows requests, cordons, taints and node affinity; of pods that keep away from each other it knows nothing.
func (e *examination) room() []canary.Problem {
	if !e.Allowed[canary.ListNodes] || !e.Allowed[canary.ListAllPods] || len(e.sides) < 2 {
		return nil
	}
	for _, w := range e.Weights {
		plan, ok := e.plan(w)
		if !ok {
			continue // the refusals say why
		}
		if p, full := e.place(w, plan.Peak); full {
			return []canary.Problem{p}
		}
	}
	return nil
}

// place says which side does not fit at the peak of a move.
func (e *examination) place(w canary.Weight, peak canary.Split) (canary.Problem, bool) {
	type group struct {
		*side
		pod  *corev1.Pod
		more int
	}
	groups := []group{{e.sides[0], templatePod(e.sides[0]), peak.Stable - bound(e.sides[0])}, {e.sides[1], templatePod(e.sides[1]), peak.Canary - bound(e.sides[1])}}
	slices.SortStableFunc(groups, func(a, b group) int {
		return -cmp.Compare(cpu(a.pod), cpu(b.pod))
	})
	left, before := e.left(), e.left()
	for _, g := range groups {
		fits := e.fit(g.pod, g.more, left)
		if fits >= g.more {
			continue
		}
		d := g.Deployment.Name
		p := warning(CodeNodesFull, "Deployment/"+d,
			fmt.Sprintf("a shift to %s%% needs room for pods of Deployment %s: for %d more (%s each), and the nodes have room for %d", w, d, g.more, words(requests(g.pod)), fits))
		p.Next = e.makeRoom(g.side, g.more, before)
		return p, true
	}
	return canary.Problem{}, false
}

// fit takes room for up to n pods, and returns for how many there is.
func (e *examination) fit(pod *corev1.Pod, n int, left map[string]corev1.ResourceList) int {
	for placed := range max(0, n) {
		i := slices.IndexFunc(e.Nodes, func(n *corev1.Node) bool { return takes(n, pod, left[n.Name]) })
		if i < 0 {
			return placed
		}
		take(left[e.Nodes[i].Name], requests(pod))
	}
	return max(0, n)
}

// bound is how many pods of a version have a node.
func bound(s *side) (n int) {
	for _, pod := range s.pods {
		if pod.Spec.NodeName != "" && pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
			n++
		}
	}
	return n
}

func templatePod(s *side) *corev1.Pod {
	t := s.object.Spec.Template
	return &corev1.Pod{ObjectMeta: t.ObjectMeta, Spec: t.Spec}
}

// requests is what a pod takes of a node, itself included.
func requests(pod *corev1.Pod) corev1.ResourceList {
	all := resource.PodRequests(pod, resource.PodResourcesOptions{})
	all[corev1.ResourcePods] = apiresource.MustParse("1")
	return all
}

// left is what the pods there are leave of each node, by its name.
func (e *examination) left() map[string]corev1.ResourceList {
	left := map[string]corev1.ResourceList{}
	for _, n := range e.Nodes {
		left[n.Name] = n.Status.Allocatable.DeepCopy()
	}
	for _, pod := range e.AllPods {
		if free, ok := left[pod.Spec.NodeName]; ok {
			take(free, requests(pod))
		}
	}
	return left
}

func cpu(pod *corev1.Pod) int64 {
	all := requests(pod)
	return all.Cpu().MilliValue()
}

func take(free, wanted corev1.ResourceList) {
	for name, quantity := range wanted {
		if rest, ok := free[name]; ok {
			rest.Sub(quantity)
			free[name] = rest
		}
	}
}

func takes(n *corev1.Node, pod *corev1.Pod, free corev1.ResourceList) bool {
	return !n.Spec.Unschedulable && suits(n, pod) && holds(free, requests(pod))
}

// suits says whether the node is one for the pod, cordoned and full or not.
func suits(n *corev1.Node, pod *corev1.Pod) bool {
	if match, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(n); err != nil || !match {
		return false
	}
	_, tainted := schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, n.Spec.Taints, pod.Spec.Tolerations, func(t *corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule && (t.Key != corev1.TaintNodeUnschedulable || !n.Spec.Unschedulable)
	}, true)
	return !tainted
}

func holds(free, wanted corev1.ResourceList) bool {
	for name, quantity := range wanted {
		if rest := free[name]; !quantity.IsZero() && rest.Cmp(quantity) < 0 {
			return false
		}
	}
	return true
}

// makeRoom proposes to use a node that is cordoned, else not to be choosy about nodes, else to request less.
func (e *examination) makeRoom(s *side, more int, left map[string]corev1.ResourceList) []string {
	pod := templatePod(s)
	for _, n := range e.Nodes {
		if n.Spec.Unschedulable && suits(n, pod) && holds(left[n.Name], requests(pod)) {
			return []string{"uncordon " + n.Name}
		}
	}
	d := "Deployment/" + s.Deployment.Name
	if len(s.spec().NodeSelector) > 0 && !slices.ContainsFunc(e.Nodes, func(n *corev1.Node) bool { return suits(n, pod) }) {
		return []string{patch(d, "json", []change{{Op: "remove", Path: "/spec/template/spec/nodeSelector"}})}
	}
	return e.requestLess(s, more, left)
}

// requestLess halves what the first container requests until the pods fit.
func (e *examination) requestLess(s *side, more int, left map[string]corev1.ResourceList) []string {
	pod := templatePod(s)
	pod.Spec = *pod.Spec.DeepCopy()
	if len(pod.Spec.Containers) == 0 {
		return nil
	}
	c := &pod.Spec.Containers[0]
	for range 10 {
		var fewer []string
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			quantity, ok := c.Resources.Requests[name]
			if !ok {
				continue
			}
			half := apiresource.NewQuantity(quantity.Value()/2, quantity.Format)
			if name == corev1.ResourceCPU {
				half = apiresource.NewMilliQuantity(quantity.MilliValue()/2, quantity.Format)
			}
			c.Resources.Requests[name] = *half
			fewer = append(fewer, fmt.Sprintf("%s=%s", name, half))
		}
		free := map[string]corev1.ResourceList{}
		for name, list := range left {
			free[name] = list.DeepCopy()
		}
		if len(fewer) > 0 && e.fit(pod, more, free) == more {
			return []string{fmt.Sprintf("set resources deployment/%s -c %s --requests=%s", s.Deployment.Name, c.Name, strings.Join(fewer, ","))}
		}
	}
	return nil
}

func words(of corev1.ResourceList) string {
	var all []string
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if quantity, ok := of[name]; ok {
			all = append(all, fmt.Sprintf("%s %s", name, quantity.String()))
		}
	}
	if len(all) == 0 {
		return "no requests"
	}
	return strings.Join(all, ", ")
}
