package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// faults is the prefix of the annotations by which the sandbox lets pods fail.
const faults = "sandbox.kubectl-canary/"

// messenger [-drain] [SERVICE...] [DEPLOYMENT=REPLICAS...] [[DEPLOYMENT]:ANNOTATION=VALUE...]: services of
// manifests/messenger, all four if none is named, with their pods ready. A service of another name is a copy of auth. An
// annotation is one of the sandbox's, of the pods of one Deployment or of all. With -drain the Services select the label
// serving: "true" too, which the pod templates have.
func cmdMessenger(ts *testscript.TestScript, _ bool, args []string) {
	var services []string
	replicas := map[string]int32{}
	annotations := map[string]map[string]string{} // "" is for all Deployments
	drain := len(args) > 0 && args[0] == "-drain"
	if drain {
		args = args[1:]
	}
	for _, arg := range args {
		key, value, set := strings.Cut(arg, "=")
		deployment, annotation, annotated := strings.Cut(key, ":")
		switch {
		case annotated:
			if annotations[deployment] == nil {
				annotations[deployment] = map[string]string{}
			}
			annotations[deployment][faults+annotation] = value
		case set:
			n, err := strconv.ParseInt(value, 10, 32)
			ts.Check(err)
			replicas[key] = int32(n)
		default:
			services = append(services, arg)
		}
	}
	if len(services) == 0 {
		services = []string{"auth", "chat", "friends", "users"}
	}
	ns := of(ts).namespace
	for _, name := range services {
		var service corev1.Service
		ts.Check(readManifest(name, "service", &service))
		service.Namespace = ns
		if drain {
			service.Spec.Selector["serving"] = "true"
		}
		_, err := cluster.client.CoreV1().Services(ns).Create(context.Background(), &service, metav1.CreateOptions{})
		ts.Check(err)
		for _, version := range []string{"v1", "v2"} {
			var d appsv1.Deployment
			ts.Check(readManifest(name, version+"-deployment", &d))
			d.Namespace = ns
			if drain {
				d.Spec.Template.Labels["serving"] = "true"
			}
			if n, given := replicas[d.Name]; given {
				d.Spec.Replicas = &n
			}
			d.Spec.Template.Annotations = map[string]string{}
			for _, of := range []string{"", d.Name} {
				for k, v := range annotations[of] {
					d.Spec.Template.Annotations[k] = v
				}
			}
			_, err := cluster.client.AppsV1().Deployments(ns).Create(context.Background(), &d, metav1.CreateOptions{})
			ts.Check(err)
		}
	}
	cmdReady(ts, false, nil)
}

func readManifest(service, kind string, into any) error {
	folder := filepath.Join(root, "manifests", "messenger")
	data, err := os.ReadFile(filepath.Join(folder, service+"-"+kind+".yaml"))
	if errors.Is(err, os.ErrNotExist) {
		data, err = os.ReadFile(filepath.Join(folder, "auth-"+kind+".yaml"))
		data = []byte(strings.ReplaceAll(string(data), "auth", service))
	}
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(data, into)
}

// ready: the pods of every Deployment are ready, and in the endpoints of their Services; those that are made to fail
// only exist.
func cmdReady(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: ready")
	}
	ns := of(ts).namespace
	ts.Check(eventually(func() error { return allReady(ns) }))
}

func allReady(ns string) error {
	ctx := context.Background()
	deployments, err := cluster.client.AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	services, err := cluster.client.CoreV1().Services(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	slices, err := cluster.client.DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, d := range deployments.Items {
		want, got := *d.Spec.Replicas, d.Status.ReadyReplicas
		if d.Spec.Template.Annotations[faults+"fault"] != "" {
			got = d.Status.Replicas
		}
		if d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas != want || d.Status.Replicas != want || got != want {
			return fmt.Errorf("deployment %s: %d of %d pods are ready", d.Name, got, want)
		}
	}
	for _, s := range services.Items {
		want, got := 0, 0
		for _, d := range deployments.Items {
			if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
				want += int(d.Status.ReadyReplicas)
			}
		}
		for _, slice := range slices.Items {
			if slice.Labels[discoveryv1.LabelServiceName] == s.Name {
				got += len(readyPods(&slice))
			}
		}
		if len(s.Spec.Selector) > 0 && got != want {
			return fmt.Errorf("service %s: %d of %d endpoints are ready", s.Name, got, want)
		}
	}
	return nil
}

// replicas DEPLOYMENT N...: what each Deployment asks for.
func cmdReplicas(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 || len(args)%2 != 0 {
		ts.Fatalf("usage: replicas DEPLOYMENT N...")
	}
	ns := of(ts).namespace
	wrong := false
	for pair := range slices.Chunk(args, 2) {
		d, err := cluster.client.AppsV1().Deployments(ns).Get(context.Background(), pair[0], metav1.GetOptions{})
		ts.Check(err)
		if got := strconv.Itoa(int(*d.Spec.Replicas)); got != pair[1] {
			wrong = true
			ts.Logf("deployment %s has %s replicas, want %s", pair[0], got, pair[1])
		}
	}
	if wrong {
		ts.Fatalf("wrong replicas")
	}
}

// as-role ROLE FILE: a kubeconfig of a user who has a Role of $NS and nothing else.
func cmdAsRole(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: as-role ROLE FILE")
	}
	path, err := cluster.kubeconfigOf("--as-role", of(ts).namespace+"/"+args[0])
	ts.Check(err)
	data, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}
