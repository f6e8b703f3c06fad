package contract

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// manifests/messenger-drain is manifests/messenger with a label that pods can be taken out of their Service by, and so without the sleep.
func TestMessengerDrain(t *testing.T) {
	plain, drain := readManifests(t, "messenger"), readManifests(t, "messenger-drain")
	kinds := map[string]int{}
	for _, object := range plain {
		kinds[object.GetKind()]++
		var err error
		switch object.GetKind() {
		case "Service":
			err = unstructured.SetNestedField(object.Object, "true", "spec", "selector", "serving")
		case "Deployment":
			template := []string{"spec", "template"}
			err = unstructured.SetNestedField(object.Object, "true", append(template, "metadata", "labels", "serving")...)
			containers, _, _ := unstructured.NestedSlice(object.Object, append(template, "spec", "containers")...)
			for _, container := range containers {
				if _, has, _ := unstructured.NestedMap(container.(map[string]any), "lifecycle", "preStop", "sleep"); !has {
					t.Errorf("%s has no preStop sleep in messenger", object.GetName())
				}
				delete(container.(map[string]any), "lifecycle")
			}
			_ = unstructured.SetNestedSlice(object.Object, containers, append(template, "spec", "containers")...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := map[string]int{"Namespace": 1, "Ingress": 1, "Service": 4, "Deployment": 8}; !cmp.Equal(kinds, want) {
		t.Errorf("messenger has %v", kinds)
	}
	if diff := cmp.Diff(plain, drain); diff != "" {
		t.Errorf("messenger, with the label and without the sleep (-), is not messenger-drain (+):\n%s", diff)
	}
}

// readManifests returns the one object of each file, by the file's name.
func readManifests(t *testing.T, folder string) map[string]*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../manifests", folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no manifests in ", folder, err)
	}
	objects := map[string]*unstructured.Unstructured{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := yaml.UnmarshalStrict(data, &object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		objects[filepath.Base(file)] = &unstructured.Unstructured{Object: object}
	}
	return objects
}
