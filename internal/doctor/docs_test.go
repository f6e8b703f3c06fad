package doctor

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// codes are the values of the constants of some files whose names begin with Code.
func codes(t *testing.T, pattern string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Code") {
				return true
			}
			if value, ok := spec.Values[0].(*ast.BasicLit); ok {
				all = append(all, strings.Trim(value.Value, `"`))
			}
			return true
		})
	}
	return all
}

// otherCodes are codes of the core that tell how a release is doing or how a move has ended, not how one would.
var otherCodes = []string{"Interrupted", "DarkPods", "Conflict"}

// docs/doctor.md lists every code that can be found, in order, and no other.
func TestDocsListEveryCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (error|warning|info)").FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, row[1])
	}
	want := slices.DeleteFunc(slices.Concat(codes(t, "*.go"), codes(t, "../canary/problem.go")), func(code string) bool {
		return slices.Contains(otherCodes, code)
	})
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), listed); diff != "" {
		t.Errorf("docs/doctor.md (-want +got):\n%s", diff)
	}
}
