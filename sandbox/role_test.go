package sandbox_test

import (
	"strings"
	"testing"
)

func TestKubeconfigAsRole(t *testing.T) {
	c := upCluster(t)
	c.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods, configmaps], verbs: [get, list]}
`)
	out, stderr, err := c.sandbox("kubeconfig", "--as-role", "shop/reader")
	if err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("%v, %q, %s", err, out, stderr)
	}
	again, _, err := c.sandbox("kubeconfig", "--as-role", "shop/reader")
	if err != nil || again != out {
		t.Errorf("again: %v, %q", err, again)
	}
	reader := []string{"--kubeconfig", strings.TrimSpace(out)}
	for _, tt := range []struct {
		args string
		ok   bool
	}{
		{"get pods", true}, // in shop, which the kubeconfig names
		{"get configmaps", true},
		{"get pods -n default", false},
		{"get pods -A", false},
		{"get secrets", false},
		{"get nodes", false},
		{"delete configmap kube-root-ca.crt", false},
		{"create configmap x", false},
		{"get rolebindings", false},
		{"get --raw /metrics", false},
	} {
		_, stderr, err := run(t, "", kubectlBin, append(reader, strings.Fields(tt.args)...)...)
		if (err == nil) != tt.ok || err != nil && !strings.Contains(stderr, "orbidden") {
			t.Errorf("kubectl %s: %v, %s", tt.args, err, stderr)
		}
	}
	for arg, want := range map[string]string{
		"shop/nope": `no role "nope" in namespace "shop"`,
		"nope/role": `no role "role" in namespace "nope"`,
		"reader":    "want NAMESPACE/ROLE",
		"/":         "want NAMESPACE/ROLE",
	} {
		out, stderr, err := c.sandbox("kubeconfig", "--as-role", arg)
		if exitCode(err) != 1 || out != "" || !strings.Contains(stderr, want) {
			t.Errorf("--as-role %s: %v, %q, %s", arg, err, out, stderr)
		}
	}
	admin, _, err := c.sandbox("kubeconfig")
	if err != nil || strings.TrimSpace(admin) != c.kubeconfig {
		t.Errorf("kubeconfig: %v, %q", err, admin)
	}
}
