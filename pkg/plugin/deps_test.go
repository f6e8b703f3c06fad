package plugin

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kubectl-canary/kubectl-canary"

// imports are what the product code, without tests, of every package of the module imports.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	found := map[string][]string{}
	for _, top := range []string{"cmd", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			dir, err := filepath.Rel(root, filepath.Dir(path))
			for _, spec := range file.Imports {
				found[filepath.ToSlash(dir)] = append(found[filepath.ToSlash(dir)], strings.Trim(spec.Path.Value, `"`))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// Dependencies go one way: main → plugin → {mover, cluster, printer, …} → canary (docs/design.md §8).
func TestDependencies(t *testing.T) {
	own := map[string][]string{
		"cmd/kubectl-canary": {"pkg/plugin"},
		"pkg/plugin": {
			"internal/analysis", "internal/canary", "internal/cluster", "internal/doctor", "internal/mover", "internal/printer",
		},
		"internal/canary": nil,
	}
	for _, middle := range own["pkg/plugin"] {
		if middle != "internal/canary" {
			own[middle] = []string{"internal/canary"}
		}
	}
	for dir, all := range imports(t) {
		allowed, known := own[dir]
		if !known {
			t.Errorf("%s is no package of docs/design.md §8", dir)
		}
		for _, path := range all {
			inside, isOwn := strings.CutPrefix(path, module+"/")
			external := strings.Contains(strings.Split(path, "/")[0], ".")
			switch {
			case isOwn && !slices.Contains(allowed, inside):
				t.Errorf("%s imports %s", dir, inside)
			case strings.HasPrefix(path, "github.com/spf13/") && dir != "pkg/plugin":
				t.Errorf("%s imports %s: the command line is pkg/plugin's", dir, path)
			case strings.HasPrefix(path, "k8s.io/client-go") && !slices.Contains([]string{"cmd/kubectl-canary", "pkg/plugin", "internal/cluster"}, dir):
				t.Errorf("%s imports %s: internal/cluster talks to the API server", dir, path)
			case dir == "internal/canary" && (external || slices.Contains([]string{"os", "io", "log", "net", "net/http"}, path)):
				t.Errorf("%s imports %s: the core is pure", dir, path)
			}
		}
	}
}

// What is for tests only, or costs 25 MB, is not linked in.
func TestBinary(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"/cmd/kubectl-canary").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"/pkg/plugin") {
		t.Fatalf("the list of %d packages is not the binary's", len(deps))
	}
	for _, dep := range deps {
		for _, unwanted := range []string{"k8s.io/kubectl/pkg/util/completion", "k8s.io/kubectl/pkg/cmd/util/sanity", "pgregory.net/rapid", "k8s.io/client-go/informers", "testing", "github.com/invopop/jsonschema", "github.com/santhosh-tekuri/jsonschema/v6"} {
			if dep == unwanted {
				t.Errorf("the binary has %s in it", dep)
			}
		}
	}
}
