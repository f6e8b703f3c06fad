package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// list reads resources as pairs: "cpu", "100m".
func list(pairs ...string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		out[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return out
}

func asks(name string, requests, limits corev1.ResourceList) corev1.Container {
	return corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits}}
}

func sidecar(c corev1.Container) corev1.Container {
	always := corev1.ContainerRestartPolicyAlways
	c.RestartPolicy = &always
	return c
}

// What pods ask for is what the API server would count: the numbers are those of its own tests' kind, worked out by hand.
func TestTemplate(t *testing.T) {
	app := asks("app", list("cpu", "100m", "memory", "64Ki"), nil)
	for _, tc := range []struct {
		name             string
		spec             corev1.PodSpec
		ranges           []canary.LimitRange
		requests, limits canary.Amounts
	}{
		{
			"a container", corev1.PodSpec{Containers: []corev1.Container{app}}, nil,
			canary.Amounts{"cpu": 100, "memory": 65536000}, canary.Amounts{},
		},
		{
			"requests are the limits where there are none", corev1.PodSpec{Containers: []corev1.Container{asks("app", list("memory", "1"), list("cpu", "2", "memory", "2"))}}, nil,
			canary.Amounts{"cpu": 2000, "memory": 1000}, canary.Amounts{"cpu": 2000, "memory": 2000},
		},
		{
			"an init container of more than the rest", corev1.PodSpec{InitContainers: []corev1.Container{asks("init", list("cpu", "300m"), nil)}, Containers: []corev1.Container{app, app}}, nil,
			canary.Amounts{"cpu": 300, "memory": 131072000}, canary.Amounts{},
		},
		{
			"a sidecar counts beside the containers, and beside the init containers after it",
			corev1.PodSpec{InitContainers: []corev1.Container{sidecar(asks("proxy", list("cpu", "50m"), nil)), asks("init", list("cpu", "120m"), nil)}, Containers: []corev1.Container{app}}, nil,
			canary.Amounts{"cpu": 170, "memory": 65536000}, canary.Amounts{},
		},
		{
			"overhead", corev1.PodSpec{Containers: []corev1.Container{asks("app", nil, list("cpu", "1"))}, Overhead: list("cpu", "250m", "memory", "1")}, nil,
			canary.Amounts{"cpu": 1250, "memory": 1000}, canary.Amounts{"cpu": 1250},
		},
		{
			"for the whole pod", corev1.PodSpec{Containers: []corev1.Container{app}, Resources: &corev1.ResourceRequirements{Limits: list("cpu", "3", "memory", "1Mi")}}, nil,
			canary.Amounts{"cpu": 100, "memory": 65536000}, canary.Amounts{"cpu": 3000, "memory": 1048576000},
		},
		{
			"for the whole pod alone", corev1.PodSpec{Containers: []corev1.Container{asks("app", nil, nil)}, Resources: &corev1.ResourceRequirements{Limits: list("cpu", "3")}}, nil,
			canary.Amounts{"cpu": 3000}, canary.Amounts{"cpu": 3000},
		},
		{
			"defaults of limit ranges, for what is left open", corev1.PodSpec{InitContainers: []corev1.Container{asks("init", nil, nil)}, Containers: []corev1.Container{app, asks("other", nil, list("cpu", "400m"))}},
			[]canary.LimitRange{
				{Items: []canary.LimitRangeItem{{Default: canary.Amounts{"cpu": 900}, DefaultRequest: canary.Amounts{"cpu": 200}}}},
				{Items: []canary.LimitRangeItem{{Default: canary.Amounts{"cpu": 1, "memory": 5000}, DefaultRequest: canary.Amounts{"cpu": 1}}, {Pod: true}}},
			},
			canary.Amounts{"cpu": 500, "memory": 65536000}, canary.Amounts{"cpu": 1300, "memory": 10000},
		},
		{
			"more than can be counted", corev1.PodSpec{Containers: []corev1.Container{asks("app", list("memory", "9E"), nil)}}, nil,
			canary.Amounts{"memory": resource.MaxMilliValue * 1000}, canary.Amounts{},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := tc.spec.DeepCopy()
			got := toTemplate(&tc.spec).Pod(tc.ranges)
			if diff := cmp.Diff([]canary.Amounts{tc.requests, tc.limits}, []canary.Amounts{got.Requests, got.Limits}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, &tc.spec); diff != "" {
				t.Errorf("the template was changed:\n%s", diff)
			}
		})
	}
}

func TestTemplateOfContainers(t *testing.T) {
	got := toTemplate(&corev1.PodSpec{
		PriorityClassName: "high", Overhead: list("cpu", "1"), Resources: &corev1.ResourceRequirements{Limits: list("memory", "5")},
		InitContainers: []corev1.Container{asks("init", list("cpu", "1"), nil)}, Containers: []corev1.Container{asks("app", nil, list("cpu", "2"))},
	}).Pod(nil)
	want := canary.PodDemand{
		Requests: canary.Amounts{"cpu": 3000, "memory": 5000}, Limits: canary.Amounts{"cpu": 3000, "memory": 5000},
		BareRequests: canary.Amounts{"cpu": 2000, "memory": 5000}, BareLimits: canary.Amounts{"cpu": 2000, "memory": 5000},
		Containers: []canary.ContainerDemand{
			{Name: "init", Requests: canary.Amounts{"cpu": 1000}, Limits: canary.Amounts{}},
			{Name: "app", Requests: canary.Amounts{"cpu": 2000}, Limits: canary.Amounts{"cpu": 2000}},
		},
		PodLevel: true, PriorityClass: "high",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Templates are the same but for their metadata, or they are not; the order of a map does not matter.
func TestSpecHash(t *testing.T) {
	spec := func(image string) *corev1.PodSpec {
		nodes := map[string]string{}
		for _, k := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			nodes[k] = k
		}
		return &corev1.PodSpec{NodeSelector: nodes, Containers: []corev1.Container{{Name: "app", Image: image}}}
	}
	first := specHash(spec("a"))
	for range 20 {
		if specHash(spec("a")) != first {
			t.Fatal("the same template has two hashes")
		}
	}
	config := spec("a")
	config.Containers[0].Env = []corev1.EnvVar{{Name: "FLAG", Value: "on"}}
	if first == specHash(spec("b")) || first == specHash(config) {
		t.Error("two templates have one hash")
	}
}
