package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

// variant is a file of testdata/doctor: auth of manifests/messenger with one fault. testdata/doctor/README.md tells of its
// fields.
type variant struct {
	Code, Severity, Object string
	Mend                   []string
	Service                map[string]any
	Deployments, V1, V2    map[string]any
	More                   []map[string]any
	Run                    string
	As                     string
	Unready                bool
	Flags                  string
	Refused                string
}

// patient is a namespace with a variant in it.
type patient struct {
	variant
	t         *testing.T
	namespace string
	env       []string
}

func newPatient(t *testing.T, file string) *patient {
	t.Helper()
	p := &patient{t: t, namespace: newNamespaceName("doctor")}
	if file != "" {
		data, err := os.ReadFile(file)
		p.check(err)
		p.check(yaml.UnmarshalStrict(data, &p.variant))
	}
	p.check(messenger.CreateNamespace(t.Context(), cluster.client, p.namespace))
	t.Cleanup(func() {
		for _, namespace := range []string{p.namespace, p.namespace + "-other"} {
			deleteNamespace(namespace)
		}
	})
	p.check(bindRoles(p.namespace))
	dir := t.TempDir()
	p.env = []string{"PATH=" + cluster.tools + ":/usr/bin:/bin", "HOME=" + dir, "NS=" + p.namespace, "WORK=" + dir, "KUBECONFIG=" + filepath.Join(dir, ".kubeconfig"), "LANG=C.UTF-8"}
	p.check(cluster.kubeconfigFor(admin, filepath.Join(dir, ".kubeconfig"), p.namespace, ""))
	for user := range cluster.users {
		p.check(cluster.kubeconfigFor(user, filepath.Join(dir, "."+user+".kubeconfig"), p.namespace, ""))
	}
	return p
}

func (p *patient) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) as() string {
	if p.As == "" {
		return canaryAs()
	}
	return p.As
}

// deploy creates auth with the fault.
func (p *patient) deploy() {
	p.t.Helper()
	objects := slices.Clone(p.More)
	add := func(kind string, into any, patches ...map[string]any) {
		p.check(messenger.Read(root, "auth", kind, into))
		document, err := json.Marshal(into)
		p.check(err)
		for _, patch := range patches {
			change, err := json.Marshal(patch)
			p.check(err)
			document, err = strategicpatch.StrategicMergePatch(document, change, into)
			p.check(err)
		}
		var object map[string]any
		p.check(json.Unmarshal(document, &object))
		objects = append(objects, object)
	}
	add("service", &corev1.Service{}, p.Service)
	add("v1-deployment", &appsv1.Deployment{}, p.Deployments, p.V1)
	add("v2-deployment", &appsv1.Deployment{}, p.Deployments, p.V2)
	for _, o := range objects {
		if metadata := o["metadata"].(map[string]any); metadata["namespace"] == "messenger" {
			metadata["namespace"] = p.namespace
		}
	}
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	p.check(err)
	file := filepath.Join(p.t.TempDir(), "objects.json")
	p.check(os.WriteFile(file, list, 0o600))
	p.shell(admin, "kubectl create -f "+file)
	p.until(func() error {
		if !p.Unready {
			return messenger.Ready(p.t.Context(), cluster.client, p.namespace)
		}
		return p.created()
	})
	if p.Run != "" {
		p.shell(admin, p.Run)
	}
}

// created says that the pods are there, ready or not.
func (p *patient) created() error {
	list, err := cluster.client.AppsV1().Deployments(p.namespace).List(p.t.Context(), metav1.ListOptions{})
	for _, d := range list.Items {
		if d.Status.ObservedGeneration < d.Generation || d.Status.Replicas < *d.Spec.Replicas {
			return fmt.Errorf("deployment %s has %d pods", d.Name, d.Status.Replicas)
		}
	}
	return err
}

// shell runs a line as a user would, who has the variable NS.
func (p *patient) shell(user, line string) string {
	p.t.Helper()
	out, code, err := p.try(user, line)
	if err != nil || code != 0 {
		p.t.Fatalf("%s: exit code %d, %v\n%s", line, code, err, out)
	}
	return out
}

func (p *patient) try(user, line string) (string, int, error) {
	cmd := exec.CommandContext(p.t.Context(), "sh", "-ec", line)
	cmd.Env = append(slices.Clone(p.env), "CANARY_AS="+user)
	cmd.Dir = p.t.TempDir()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if errors.As(err, new(*exec.ExitError)) {
		return out.String() + errOut.String(), cmd.ProcessState.ExitCode(), nil
	}
	return out.String(), 0, err
}

// finding is an item of a FindingList.
type finding struct {
	Release, Code, Severity, Object, Message string
	Mend                                     []string
}

// findings are those of one run, which is held to the schema and, if it is asked to end with 1, to its exit code.
func (p *patient) findings(failing bool) []finding {
	p.t.Helper()
	out, code, err := p.try(p.as(), "kubectl canary doctor -o json -n $NS "+p.Flags+" 2>/dev/null")
	p.check(err)
	if failing && code != 1 {
		p.t.Errorf("exit code %d", code)
	}
	s, err := schemaOf([]byte(out))
	p.check(err)
	p.check(s.Check([]byte(out)))
	var list struct{ Items []finding }
	p.check(json.Unmarshal([]byte(out), &list))
	return list.Items
}

// refuses lets a shift be refused for the same reason.
func (p *patient) refuses() {
	p.t.Helper()
	out, code, err := p.try(p.as(), "kubectl canary shift auth --to 50 -n $NS")
	p.check(err)
	if code != 1 || !strings.Contains(out, p.Refused) {
		p.t.Errorf("shift: exit code %d, want %q in:\n%s", code, p.Refused, out)
	}
}

func (p *patient) until(try func() error) {
	p.t.Helper()
	p.check(patience.Until(try))
}

// rewrite puts other mends into the file of a variant.
func rewrite(file string, mends []string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block := "mend:\n"
	for _, mend := range mends {
		block += "- >-\n  " + mend + "\n"
	}
	old := regexp.MustCompile(`(?m)^mend:.*\n(-.*\n  .*\n)*`)
	return os.WriteFile(file, old.ReplaceAllLiteral(data, []byte(block)), 0o600)
}

// generic has NS in place of the namespace.
func generic(lines []string, namespace string) (all []string) {
	for _, line := range lines {
		all = append(all, strings.ReplaceAll(line, namespace, "NS"))
	}
	return all
}
