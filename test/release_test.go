package test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

// messenger [-drain] [SERVICE...] [DEPLOYMENT=REPLICAS...] [[DEPLOYMENT]:ANNOTATION=VALUE...]: services of
// manifests/messenger, all four if none is named, with their pods ready. A service of another name is a copy of auth. An
// annotation is one of the sandbox's, of the pods of one Deployment or of all. With -drain the Services select the label
// serving: "true" too, which the pod templates have.
func cmdMessenger(ts *testscript.TestScript, _ bool, args []string) {
	o := messenger.Options{Replicas: map[string]int32{}, Annotations: map[string]map[string]string{}}
	o.Drain = len(args) > 0 && args[0] == "-drain"
	if o.Drain {
		args = args[1:]
	}
	for _, arg := range args {
		key, value, set := strings.Cut(arg, "=")
		deployment, annotation, annotated := strings.Cut(key, ":")
		switch {
		case annotated:
			if o.Annotations[deployment] == nil {
				o.Annotations[deployment] = map[string]string{}
			}
			o.Annotations[deployment][annotation] = value
		case set:
			n, err := strconv.ParseInt(value, 10, 32)
			ts.Check(err)
			o.Replicas[key] = int32(n)
		default:
			o.Services = append(o.Services, arg)
		}
	}
	ts.Check(messenger.Deploy(context.Background(), cluster.client, of(ts).namespace, root, o))
	cmdReady(ts, false, nil)
}

// ready: the pods of every Deployment are ready, and in the endpoints of their Services; those that are made to fail
// only exist.
func cmdReady(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: ready")
	}
	ns := of(ts).namespace
	ts.Check(patience.Until(func() error { return messenger.Ready(context.Background(), cluster.client, ns) }))
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
