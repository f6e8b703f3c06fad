package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// manifests DIR NAMESPACE [SERVICE...]: writes the example's manifests into a folder, for a namespace; of the services that are
// named, or all.
func cmdManifests(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: manifests DIR NAMESPACE [SERVICE...]")
	}
	dir, namespace, services := ts.MkAbs(args[0]), args[1], args[2:]
	files, err := filepath.Glob(filepath.Join(root, "manifests", "messenger", "*.yaml"))
	ts.Check(err)
	ts.Check(os.MkdirAll(dir, 0o700))
	for _, file := range files {
		base := filepath.Base(file)
		service, _, isOfService := strings.Cut(base, "-")
		if len(services) > 0 && (!isOfService || !slices.Contains(services, service)) && base != "namespace.yaml" {
			continue
		}
		text, err := os.ReadFile(file)
		ts.Check(err)
		text = []byte(strings.ReplaceAll(string(text), "namespace: messenger", "namespace: "+namespace))
		if base == "namespace.yaml" {
			text = []byte(strings.ReplaceAll(string(text), "name: messenger", "name: "+namespace))
		}
		ts.Check(os.WriteFile(filepath.Join(dir, base), text, 0o600))
	}
}
