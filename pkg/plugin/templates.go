package plugin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	template "github.com/DataDog/datadog-agent/pkg/template/text"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
)

// goTemplateFormats are kubectl's.
var goTemplateFormats = []string{"go-template", "go-template-file", "template", "templatefile"}

func templateFormats() []string {
	return slices.Concat(goTemplateFormats, genericclioptions.NewJSONPathPrintFlags("", true).AllowedFormats())
}

// templatePrinter is cli-runtime's for JSONPath, and for Go templates does what cli-runtime's does: that one is built on
// text/template, which finds methods by name, so that the linker would keep every method there is: a third more of the binary.
func templatePrinter(format string) (printers.ResourcePrinter, error) {
	kind, text, _ := strings.Cut(format, "=")
	if !slices.Contains(goTemplateFormats, kind) {
		return genericclioptions.NewJSONPathPrintFlags("", true).ToPrinter(format)
	}
	if text == "" {
		return nil, errors.New("template format specified but no template given")
	}
	if strings.HasSuffix(kind, "file") {
		b, err := os.ReadFile(text)
		if err != nil {
			return nil, fmt.Errorf("error reading --output template: %w", err)
		}
		text = string(b)
	}
	t, err := template.New("output").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("error parsing template %s, %w", text, err)
	}
	return printers.ResourcePrinterFunc(func(o runtime.Object, w io.Writer) error {
		u, ok := o.(*unstructured.Unstructured)
		if !ok {
			return fmt.Errorf("a %T cannot be printed by a template", o)
		}
		if err := t.Execute(w, u.Object); err != nil {
			return fmt.Errorf("error executing template %q: %w", text, err)
		}
		return nil
	}), nil
}
