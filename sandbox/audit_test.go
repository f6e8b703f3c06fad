package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAuditPolicy looks for what a user without rights has asked for, and for nobody else.
func TestAuditPolicy(t *testing.T) {
	root := t.TempDir()
	policy := filepath.Join(root, "policy.yaml")
	err := os.WriteFile(policy, []byte(`
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: Metadata, users: [eve]}
- {level: None}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, root, "default")
	c.up("--audit-policy", policy)
	out, stderr, err := c.sandbox("kubeconfig", "--user", "eve")
	if err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("%v, %q, %s", err, out, stderr)
	}
	_, stderr, err = run(t, "", kubectlBin, "--kubeconfig", strings.TrimSpace(out), "get", "configmaps")
	if exitCode(err) != 1 || !strings.Contains(stderr, `User "eve" cannot list resource "configmaps"`) {
		t.Errorf("%v, %s", err, stderr)
	}
	c.kubectl("get", "configmaps")
	log, err := os.ReadFile(filepath.Join(c.dir(), "logs", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), `"resource":"configmaps"`) || strings.Contains(string(log), `"username":"admin"`) {
		t.Errorf("the audit log has\n%s", log)
	}
	for want, args := range map[string][]string{
		"none.yaml: no such file": {"up", "--audit-policy", filepath.Join(root, "none.yaml")},
		"without slashes":         {"kubeconfig", "--user", "../eve"},
		"none of the others":      {"kubeconfig", "--user", "eve", "--as-role", "shop/reader"},
	} {
		if _, stderr, err := c.sandbox(args...); exitCode(err) != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%v: %v, %s", args, err, stderr)
		}
	}
}
