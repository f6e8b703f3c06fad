package doctor

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// The cases that the variants of test/testdata/doctor cannot make, or make only one side of.
func TestExamine(t *testing.T) {
	none := func(*Patient) {}
	for name, c := range map[string]struct {
		change func(*Patient)
		want   string // a part of the only line; empty for none
	}{
		"well": {none, ""},
		"hints that no Service explains": {func(p *Patient) {
			p.Slices = []*discoveryv1.EndpointSlice{{
				ObjectMeta: metav1.ObjectMeta{Name: "auth-x", Labels: map[string]string{discoveryv1.LabelServiceName: "auth"}},
				Endpoints:  []discoveryv1.Endpoint{{Hints: &discoveryv1.EndpointHints{}}},
			}}
		}, "warning TopologyHints EndpointSlice/auth-x"},
		"a topology mode that is switched off": {func(p *Patient) {
			p.Services[0].Annotations = map[string]string{corev1.AnnotationTopologyMode: "Disabled"}
		}, ""},
		"a headless Service of many ports": {func(p *Patient) {
			p.Services[0].Spec.ClusterIP, p.Services[0].Spec.Ports = "None", make([]corev1.ServicePort, 2)
		}, "delete service auth; expose deployment auth-v1 --name=auth --selector=app=auth"},
		"an image of a registry with a port": {func(p *Patient) { p.template("v2").Containers[0].Image = "example.test:5000/auth:v2" }, ""},
		"an image without a tag of a registry with a port": {func(p *Patient) { p.template("v1").Containers[0].Image = "example.test:5000/auth" },
			"set image deployment/auth-v1 auth=example.test:5000/auth@sha256:v1"},
		"an image by its digest": {func(p *Patient) { p.template("v2").Containers[0].Image = "auth@sha256:1" }, ""},
		"an image that a shell would take apart": {func(p *Patient) {
			p.template("v2").Containers[0].Image = "it's; rm -rf:latest"
		}, `set image deployment/auth-v2 auth='it'\''s; rm -rf@sha256:v2'`},
		"a readiness gate is a probe": {func(p *Patient) {
			for _, v := range []string{"v1", "v2"} {
				p.template(v).Containers[0].ReadinessProbe, p.template(v).ReadinessGates = nil, make([]corev1.PodReadinessGate, 1)
			}
		}, ""},
		"a sidecar that only the canary has": {func(p *Patient) {
			p.template("v2").Containers = append(p.template("v2").Containers, corev1.Container{Name: "proxy", Image: "proxy:1"})
		}, ""},
		"a budget of both versions": {func(p *Patient) {
			two := policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "auth"}}}
			p.Budgets = []*policyv1.PodDisruptionBudget{{ObjectMeta: metav1.ObjectMeta{Name: "auth"}, Spec: two}}
		}, "info PodDisruptionBudget PodDisruptionBudget/auth"},
		"a budget of others": {func(p *Patient) {
			other := policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "chat"}}}
			p.Budgets = []*policyv1.PodDisruptionBudget{{Spec: other}}
		}, ""},
		"a claim of one pod": {func(p *Patient) {
			p.claim(corev1.ReadWriteOncePod)
		}, "warning ReadWriteOnce Deployment/auth-v1"},
		"a claim of many nodes": {func(p *Patient) { p.claim(corev1.ReadWriteMany) }, ""},
		"Argo CD": {func(p *Patient) {
			p.Snapshot.Deployments[1].Writer = canary.Writer{Manager: "argocd-controller", Operation: "Update"}
			p.Snapshot.Deployments[1].Marks = map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:ns/auth-v2"}
		}, "warning ReplicasOwned Deployment/auth-v2: Argo CD (application shop) has set the replicas"},
		"Helm": {func(p *Patient) {
			p.Snapshot.Deployments[0].Writer = canary.Writer{Manager: "helm", Operation: "Update"}
		},
			"the next `helm upgrade` may undo a shift"},
		"Flux, told to leave it alone": {func(p *Patient) {
			p.Snapshot.Deployments[0].Writer = canary.Writer{Manager: "helm-controller", Operation: "Apply"}
			p.Deployments[0].Annotations = map[string]string{"helm.toolkit.fluxcd.io/driftDetection": "disabled"}
		}, ""},
		"kubectl apply --server-side": {func(p *Patient) {
			p.Snapshot.Deployments[0].Writer = canary.Writer{Manager: "kubectl", Operation: "Apply"}
		},
			"info ReplicasOwned Deployment/auth-v1"},
		"kubectl scale": {func(p *Patient) {
			p.Snapshot.Deployments[0].Writer = canary.Writer{Manager: "kubectl", Operation: "Update", Subresource: "scale"}
		}, ""},
		"somebody unknown": {func(p *Patient) { p.Snapshot.Deployments[0].Writer = canary.Writer{Manager: "terraform"} },
			"terraform has set the replicas of Deployment auth-v1"},
		"a manifest without replicas": {func(p *Patient) {
			p.Deployments[0].Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: `{"spec":{"paused":true}}`}
		}, ""},
		"may not drain, and cannot": {func(p *Patient) { p.forbid("patch pods") }, ""},
		"may not drain, and could": {func(p *Patient) {
			p.Services[0].Spec.Selector["serving"] = "true"
			p.Snapshot.Services[0].Selector["serving"] = "true"
			for i := range p.Snapshot.Deployments {
				p.Snapshot.Deployments[i].PodLabels["serving"] = "true"
				p.Snapshot.Deployments[i].Selector = equals{"app": "auth", "version": p.Snapshot.Deployments[i].PodLabels["version"]}
			}
			p.forbid("patch pods")
		}, " warning NotAllowed Namespace/messenger: jane may not patch pods"},
		"a service account": {func(p *Patient) {
			p.User = "system:serviceaccount:ci:robot"
			p.forbid("create events")
		}, "create rolebinding kubectl-canary-operator-ci-robot --role=kubectl-canary-operator --serviceaccount=ci:robot"},
	} {
		t.Run(name, func(t *testing.T) {
			p := auth(3, 1)
			c.change(p)
			got := found(t, p)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("want %q, got\n%s", c.want, strings.Join(got, "\n"))
			}
		})
	}
}

func (p *Patient) forbid(what string) {
	for _, permission := range Permissions() {
		if permission.String() == what {
			p.Allowed[permission] = false
		}
	}
}

// claim lets pods of v1 share a volume.
func (p *Patient) claim(mode corev1.PersistentVolumeAccessMode) {
	p.Claims = []*corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{mode}}}}
	source := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}
	p.template("v1").Volumes = []corev1.Volume{{Name: "data", VolumeSource: source}}
}

// A move of 3/1 to 75 % has five pods at its peak. Four are there, and take 400m of the node.
func TestRoom(t *testing.T) {
	const full = "a shift to 50% needs room for pods of Deployment auth-v2: for 1 more (cpu 100m each), and the nodes have room for 0 | set resources deployment/auth-v2 -c auth --requests=cpu="
	node := func(p *Patient) *corev1.Node { return p.Nodes[0] }
	cpu := func(p *Patient, free string) {
		node(p).Status.Allocatable[corev1.ResourceCPU] = apiresource.MustParse(free)
	}
	for name, c := range map[string]struct {
		change func(*Patient)
		want   string // the message and the mend; empty for none
	}{
		"just enough": {func(p *Patient) { cpu(p, "600m") }, ""},
		"too little":  {func(p *Patient) { cpu(p, "450m") }, "nodes have room for 0"},
		"no pod more": {func(p *Patient) { node(p).Status.Allocatable[corev1.ResourcePods] = apiresource.MustParse("4") }, "room for 0"},
		"cordoned":    {func(p *Patient) { node(p).Spec.Unschedulable = true }, "uncordon one"},
		"tainted": {func(p *Patient) {
			node(p).Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		}, "room for 0"},
		"rather not here": {func(p *Patient) {
			node(p).Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectPreferNoSchedule}}
		}, ""},
		"tolerated": {func(p *Patient) {
			node(p).Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
			for _, v := range []string{"v1", "v2"} {
				p.template(v).Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
			}
		}, ""},
		"another kind of node": {func(p *Patient) { p.template("v2").NodeSelector = map[string]string{"disk": "fast"} }, `[{"op":"remove","path":"/spec/template/spec/nodeSelector"}]`},
		"a second node": {func(p *Patient) {
			cpu(p, "400m")
			more := node(p).DeepCopy()
			more.Name, more.Status.Allocatable[corev1.ResourceCPU] = "two", apiresource.MustParse("200m")
			p.Nodes = append(p.Nodes, more)
		}, ""},
		"pods of others": {func(p *Patient) {
			other := p.AllPods[0].DeepCopy()
			other.Namespace, other.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = "other", apiresource.MustParse("550m")
			p.AllPods = append(p.AllPods, other)
		}, full},
		"hidden nodes": {func(p *Patient) { node(p).Spec.Unschedulable = true; p.Allowed[canary.ListNodes] = false }, "info NotExamined"},
	} {
		t.Run(name, func(t *testing.T) {
			p := auth(3, 1)
			c.change(p)
			got := found(t, p)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("want %q, got\n%s", c.want, strings.Join(got, "\n"))
			}
		})
	}
}

// Findings stand in order, those of the namespace last.
func TestOrder(t *testing.T) {
	p := auth(3, 1)
	p.Snapshot.Deployments[0].Paused = true
	p.Services[0].Spec.SessionAffinity = corev1.ServiceAffinityClientIP
	p.template("v2").Containers[0].Image = "auth-service"
	p.forbid("create events")
	var got []string
	for _, line := range found(t, p) {
		words := strings.SplitN(line, " ", 4)
		got = append(got, strings.Join(words[:3], " "))
	}
	want := "auth error Paused, auth warning MutableTag, auth warning SessionAffinity,  warning NotAllowed"
	if list(got) != want {
		t.Errorf("%s, want %s", list(got), want)
	}
}

// The weights that are asked for decide what is too few, and a baseline is offered that gives them all.
func TestWeights(t *testing.T) {
	for _, c := range []struct {
		stable, second int
		weights        []canary.Weight
		want           string
	}{
		{3, 1, []canary.Weight{2500, 5000, 7500}, ""},
		{3, 1, []canary.Weight{1000, 2500}, "10% becomes 25% (1 of 4 pods): a baseline of 8 replicas would do, or --exact | scale deployment auth-v1 --replicas=8"},
		{1, 0, []canary.Weight{5000, canary.Full}, ""},
		{0, 2, []canary.Weight{1000}, "scale deployment auth-v2 --replicas="},
		{1, 3, []canary.Weight{1000}, "canary shift auth --to 75 --replicas "},
	} {
		p := auth(c.stable, c.second)
		p.Weights = c.weights
		if c.want == "" {
			if got := found(t, p); len(got) > 0 {
				t.Errorf("%d/%d to %v: %q", c.stable, c.second, c.weights, got)
			}
			continue
		}
		if got := found(t, p); len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%d/%d to %v: %q, want %q", c.stable, c.second, c.weights, got, c.want)
		}
	}
}

// A third version that is left alone keeps its share: everything is not missed by it, and the weights are those beside it.
func TestThirdVersion(t *testing.T) {
	p := auth(3, 1)
	p.deploy("v0", 1)
	if got := found(t, p); len(got) != 1 || !strings.Contains(got[0], "auth error ThirdVersion Deployment/auth-v0") || !strings.HasSuffix(got[0], "| scale deployment auth-v0 --replicas=0") {
		t.Errorf("%q", got)
	}
	p.NamedRoles, p.Weights = true, []canary.Weight{canary.Full}
	if got := found(t, p); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
