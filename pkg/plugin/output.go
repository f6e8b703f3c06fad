package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// output is -o: text for people unless it says otherwise.
type output struct {
	format string
}

var machineFormats = []string{"json", "yaml", "name"}

func (o *output) addFlags(flags *pflag.FlagSet, more ...string) {
	allowed := slices.Concat(more, machineFormats, templateFormats())
	flags.StringVarP(&o.format, "output", "o", "", "Output format, one of "+strings.Join(allowed, ", "))
	takes(flags, "output", allowed...)
}

// complete refuses a format that cannot be printed.
func (o *output) complete(more ...string) error {
	if o.format == "" || slices.Contains(more, o.format) || slices.Contains(machineFormats, o.format) {
		return nil
	}
	if _, err := templatePrinter(o.format); err != nil {
		if genericclioptions.IsNoCompatiblePrinterError(err) {
			return fmt.Errorf("unable to match a printer suitable for the output format %q, allowed formats are: %s",
				o.format, strings.Join(slices.Concat(more, machineFormats, templateFormats()), ","))
		}
		return err
	}
	return nil
}

func (o *output) wide() bool { return o.format == "wide" }

// machine says that a program reads the result.
func (o *output) machine() bool { return o.format != "" && !o.wide() }

func (o *output) print(w io.Writer, all []printer.Status, command func(next, namespace string) string) error {
	list := printer.NewReleaseList(all, command)
	var names []string
	for _, item := range list.Items {
		names = append(names, "service/"+item.Name)
	}
	return o.printList(w, list, names)
}

// printList prints a list for programs; names is what `-o name` has of it, in lines.
func (o *output) printList(w io.Writer, list any, names []string) error {
	switch o.format {
	case "json":
		return printer.JSON(w, list)
	case "yaml":
		return printer.YAML(w, list)
	case "name":
		for _, name := range names {
			if _, err := fmt.Fprintln(w, name); err != nil {
				return err
			}
		}
		return nil
	}
	p, err := templatePrinter(o.format)
	if err != nil {
		return err
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	var object unstructured.Unstructured
	if err := utiljson.Unmarshal(b, &object.Object); err != nil {
		return err
	}
	return p.PrintObj(&object, w)
}
