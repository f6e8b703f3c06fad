package plugin

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Templates print what kubectl's do, and say what is wrong with them before anything is asked of the cluster.
func TestTemplatePrinter(t *testing.T) {
	dir := written(t, map[string]string{"go": "{{.kind}}", "path": "{.kind}"})
	file := func(name string) string { return filepath.Join(dir, name) }
	list := &unstructured.Unstructured{Object: map[string]any{"kind": "ReleaseList", "items": []any{map[string]any{"name": "auth", "baseline": int64(3)}}}}
	for format, want := range map[string]string{
		`go-template={{range .items}}{{.name}}={{.baseline}}{{end}}`: "auth=3",
		`template={{if eq .kind "x"}}y{{else}}n={{end}}`:             "n=",
		"go-template={{.nosuch}}":                                    "<no value>",
		"go-template-file=" + file("go"):                             "ReleaseList",
		"templatefile=" + file("go"):                                 "ReleaseList",
		"jsonpath={.items[0].name}":                                  "auth",
		"jsonpath-file=" + file("path"):                              "ReleaseList",
		"go-template":                                                "template format specified but no template given",
		"go-template={{":                                             "error parsing template {{, template: output:1: unclosed action",
		"go-template-file=" + file("nosuch"):                         "no such file or directory",
		"go-template={{.kind.x}}":                                    "can't evaluate field x",
		"xml":                                                        "unable to match a printer",
	} {
		var out strings.Builder
		p, err := templatePrinter(format)
		if err == nil {
			err = p.PrintObj(list, &out)
		}
		if err != nil {
			out.WriteString(err.Error())
		}
		if got := out.String(); got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
	}
}
