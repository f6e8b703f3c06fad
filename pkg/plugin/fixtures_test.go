package plugin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
)

const ns = "messenger"

// in runs a test against an API server with one namespace, on a clock of its own.
func in(t *testing.T, test func(t *testing.T, a *api)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := &api{t: t, version: 100, objects: map[string]runtime.Object{}, next: make(chan struct{})}
		a.scaled = a.controllers
		test(t, a)
		synctest.Wait()
	})
}

// run runs a command line as Main does, against the API server.
func (a *api) run(ctx context.Context, line string) (code int, out, errOut string) {
	return a.execute(ctx, append(strings.Fields(line), "--server", "http://api"))
}

func (a *api) execute(ctx context.Context, args []string) (code int, out, errOut string) {
	var o, e strings.Builder
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &o, ErrOut: &e}
	root, conn := newTree(streams)
	conn.gate = a.gate
	root.PersistentPreRun = nil // it sets up the log of the whole process
	conn.flags.WrapConfigFn = func(c *rest.Config) *rest.Config {
		c.Transport = a
		return c
	}
	root.SetArgs(args)
	ctx, cancel := context.WithCancel(ctx) // what a command leaves running ends with the process
	code = report(&e, root.ExecuteContext(ctx))
	cancel()
	return code, o.String(), e.String()
}

// do runs a command line in the namespace.
func (a *api) do(line string) (code int, out, errOut string) {
	return a.run(a.t.Context(), line+" -n "+ns)
}

// release adds a Service and two Deployments whose pods all serve.
func (a *api) release(name string, stable, second int32) {
	a.put("services", &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"tier": "backend"}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}},
	})
	for version, replicas := range map[string]int32{"v1": stable, "v2": second} {
		labels := map[string]string{"app": name, "version": version}
		d := &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-" + version, UID: types.UID("uid-" + name + "-" + version), Generation: 1},
			Spec: appsv1.DeploymentSpec{
				Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: name, Image: name + ":" + version}}},
				},
			},
		}
		a.put("deployments", d)
		a.serves(d, int(replicas))
	}
}

// serves makes so many pods of a Deployment ready endpoints, and says so in its status.
func (a *api) serves(d *appsv1.Deployment, ready int) {
	labels, yes := d.Spec.Template.Labels, true
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: d.Name, Labels: map[string]string{discoveryv1.LabelServiceName: labels["app"]}}}
	for i := range ready {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s-%d", d.Name, i), UID: types.UID(fmt.Sprintf("%s-%d", d.Name, i)), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Controller: &yes}},
		}}
		a.put("pods", p)
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", UID: p.UID},
		})
	}
	a.put("endpointslices", s)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.objects["deployments/"+d.Name].(*appsv1.Deployment).DeepCopy()
	n := *now.Spec.Replicas
	now.Status = appsv1.DeploymentStatus{ObservedGeneration: now.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: int32(ready)}
	a.store("deployments", now)
}

// controllers lets pods serve a second after they are asked for, and go at once.
func (a *api) controllers(name string) {
	d := a.deployment(name)
	a.serves(d, min(a.serving(name), int(*d.Spec.Replicas)))
	time.AfterFunc(time.Second, func() {
		now := a.deployment(name)
		a.serves(now, int(*now.Spec.Replicas))
	})
}

// broken lets the pods of a Deployment beyond those that serve never serve.
func (a *api) broken(name string) {
	a.scaled = func(scaled string) {
		if scaled != name {
			a.controllers(scaled)
			return
		}
		d := a.deployment(name)
		a.serves(d, min(a.serving(name), int(*d.Spec.Replicas)))
	}
}

func (a *api) serving(deployment string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.objects["endpointslices/"+deployment].(*discoveryv1.EndpointSlice).Endpoints)
}

// split is what both Deployments of a release ask for.
func (a *api) split(release string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	replicas := func(version string) int32 {
		return *a.objects["deployments/"+release+version].(*appsv1.Deployment).Spec.Replicas
	}
	return fmt.Sprintf("%d/%d", replicas("-v1"), replicas("-v2"))
}

// forbid refuses requests whose method and path contain a text.
func forbid(text string) func(*http.Request) (metav1.StatusReason, string) {
	return func(r *http.Request) (metav1.StatusReason, string) {
		if strings.Contains(r.Method+" "+r.URL.Path, text) {
			return metav1.StatusReasonForbidden, "you may not " + text
		}
		return "", ""
	}
}

func (a *api) deployment(name string) *appsv1.Deployment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.objects["deployments/"+name].(*appsv1.Deployment).DeepCopy()
}

// interruptible is a context as main makes it.
func interruptible(t *testing.T) (ctx context.Context, interrupt func()) {
	ctx, cancel := context.WithCancelCause(t.Context())
	return ctx, func() { cancel(ErrInterrupted) }
}
