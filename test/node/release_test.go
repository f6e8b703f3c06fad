package node

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var services = []string{"auth", "chat", "friends", "users"}

// app is how the messenger's pods behave.
type app struct {
	drain    bool // the Services select a label that lets pods leave before they stop
	preStop  bool // pods wait five seconds before they get their SIGTERM
	graceful bool // on SIGTERM pods go on accepting for five seconds; else they stop at once
	ready    time.Duration
	alone    bool              // v2 has no pod; else it has one
	sick     map[string]string // by Deployment: the variable of the app, and its value, that makes it so, such as ERROR_RATE=0.05
}

// deploy makes a namespace with the messenger's four services, returns when they serve, and removes it with the test.
func deploy(t testing.TB, a app) (namespace string) {
	t.Helper()
	namespace = strings.ToLower(strings.Map(func(r rune) rune {
		if r == '/' || r == '_' {
			return '-'
		}
		return r
	}, t.Name()))
	runs(t, "", "kubectl", "create", "namespace", namespace)
	t.Cleanup(func() {
		cmd := cluster.command(context.WithoutCancel(t.Context()), "kubectl", "delete", "namespace", namespace, "--wait", "--timeout=2m")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	manifests, err := a.manifests(namespace)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, manifests, "kubectl", "apply", "-f", "-")
	runs(t, "", "kubectl", "rollout", "status", "deployment", "-n", namespace, "--timeout=2m")
	time.Sleep(2 * time.Second) // kube-proxy is up to a second late
	return namespace
}

// manifests are those of the example, with what makes the app behave so.
func (a app) manifests(namespace string) (string, error) {
	folder := filepath.Join(root, "manifests", "messenger")
	if a.drain {
		folder += "-drain"
	}
	var all []string
	add := func(o any) error {
		data, err := yaml.Marshal(o)
		all = append(all, string(data))
		return err
	}
	for _, service := range services {
		var s corev1.Service
		if err := read(filepath.Join(folder, service+"-service.yaml"), &s); err != nil {
			return "", err
		}
		s.Namespace = namespace
		if err := add(s); err != nil {
			return "", err
		}
		for version, replicas := range map[string]int32{"v1": 3, "v2": map[bool]int32{true: 0, false: 1}[a.alone]} {
			var d appsv1.Deployment
			if err := read(filepath.Join(folder, service+"-"+version+"-deployment.yaml"), &d); err != nil {
				return "", err
			}
			d.Namespace, d.Spec.Replicas = namespace, &replicas
			a.configure(&d.Spec.Template.Spec.Containers[0], d.Name, version)
			if err := add(d); err != nil {
				return "", err
			}
		}
	}
	return strings.Join(all, "---\n"), nil
}

func (a app) configure(c *corev1.Container, deployment, version string) {
	c.Env = []corev1.EnvVar{
		{Name: "VERSION", Value: version}, {Name: "READY_AFTER", Value: cmp.Or(a.ready, 2*time.Second).String()},
		{Name: "PORT", Value: strconv.Itoa(int(c.Ports[0].ContainerPort))}, {Name: "DRAIN", Value: map[bool]string{true: "true", false: "false"}[a.graceful]},
	}
	if name, value, sick := strings.Cut(a.sick[deployment], "="); sick {
		c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value})
	}
	c.Lifecycle = nil
	if a.preStop {
		c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}}
	}
}

func read(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(data, into)
}
