package plugin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const authV1 = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: auth-v1}, spec: {replicas: 3}}`

// written are manifests in files of a folder.
func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Files are read as kubectl reads them; what is wrong is told of all.
func TestReadManifests(t *testing.T) {
	dir := written(t, map[string]string{
		"a.yaml":    authV1 + "\n---\n# nothing\n---\n{apiVersion: v1, kind: Service, metadata: {name: auth}}",
		"b.json":    `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"}}]}`,
		"c.txt":     "no manifest",
		"sub/d.yml": `{apiVersion: v1, kind: Namespace, metadata: {name: messenger}}`,
	})
	bad := filepath.Join(written(t, map[string]string{"bad.yaml": "a: ["}), "bad.yaml")
	for _, c := range []struct {
		name      string
		files     []string
		recursive bool
		want      string // names, or the error
	}{
		{"a folder", []string{dir}, false, "deployment.apps/auth-v1 service/auth configmap/one"},
		{"a folder and what is in it", []string{dir}, true, "deployment.apps/auth-v1 service/auth configmap/one namespace/messenger"},
		{"several", []string{filepath.Join(dir, "b.json"), filepath.Join(dir, "sub")}, false, "configmap/one namespace/messenger"},
		{"a pattern", []string{filepath.Join(dir, "*.json")}, false, "configmap/one"},
		{"stdin", []string{"-"}, false, "deployment.apps/auth-v1"},
		{"nothing such", []string{filepath.Join(dir, "nosuch")}, false, `the path "DIR/nosuch" does not exist`},
		{"no manifest", []string{bad}, false, "error parsing BAD: error converting YAML to JSON: yaml: line 1: did not find expected node content"},
	} {
		read, err := readManifests(strings.NewReader(authV1), c.files, c.recursive)
		var names []string
		for _, o := range read {
			names = append(names, o.name())
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = strings.NewReplacer(bad, "BAD", dir, "DIR").Replace(err.Error())
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"":                                  "no objects passed to deploy",
		"{apiVersion: v1, kind: ConfigMap}": "a ConfigMap has no metadata.name",
		"{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-}}": "from x-: cannot use generate name with apply",
		"{apiVersion: v1, metadata: {name: x}}":                           "Object 'Kind' is missing",
		"{kind: ConfigMap, metadata: {name: x}}":                          "a ConfigMap has no apiVersion",
	} {
		if _, err := readManifests(strings.NewReader(text), []string{"-"}, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func objects(t *testing.T, manifests ...string) []*object {
	t.Helper()
	read, err := readManifests(strings.NewReader(strings.Join(manifests, "\n---\n")), []string{"-"}, false)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// An object without a namespace goes to that of -n or the context, as with kubectl.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		given               string
		enforce, namespaced bool
		want                string
	}{
		{"", false, true, "default"},
		{"", true, true, "default"},
		{"messenger", false, true, "messenger"},
		{"messenger", true, true, `the namespace from the provided object "messenger" does not match the namespace "default". You must pass '--namespace=messenger' to perform this operation.`},
		{"default", true, true, "default"},
		{"", true, false, ""},
		{"messenger", true, false, ""},
	} {
		o := objects(t, authV1)[0]
		o.given = c.given
		o.Object.SetNamespace(c.given)
		got := ""
		if err := o.place("default", c.enforce, c.namespaced); err != nil {
			got = err.Error()
		} else {
			got = o.Object.GetNamespace()
		}
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// Namespaces come first and what runs pods last; what stands twice is applied once, unless it differs.
func TestOrdered(t *testing.T) {
	read := objects(t, authV1, `{apiVersion: v1, kind: Service, metadata: {name: auth}}`, authV1, `{apiVersion: v1, kind: Namespace, metadata: {name: m}}`,
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: auth}}`)
	all, err := ordered(read)
	var names []string
	for _, o := range all {
		names = append(names, o.name())
	}
	if diff := cmp.Diff([]string{"namespace/m", "service/auth", "configmap/auth", "deployment.apps/auth-v1"}, names); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = ordered(objects(t, authV1, strings.Replace(authV1, "3", "4", 1)))
	if err == nil || err.Error() != "deployment.apps/auth-v1 stands in STDIN and in STDIN, and differs" {
		t.Errorf("%v", err)
	}
}
