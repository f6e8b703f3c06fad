package analysis

import (
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// docs/analysis.schema.json, which editors use, takes what the parser takes, and no field that it does not know.
func TestFileSchema(t *testing.T) {
	f, err := os.Open("../../docs/analysis.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	document, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("analysis.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("analysis.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		"", "bounds: {maxErrorRate: 0.5%, maxLatency: {p99: 1s}, worseThanStable: none, minRequests: 1, maxRestarts: 0, maxFlaps: 0, maxNotReady: 1%, maxWarnings: 0, worseUsage: 1%}",
		"prometheus: {address: http://a, preset: none, podLabel: a, namespaceLabel: b, username: c, passwordFile: d, timeout: 1s}",
		"queries: [{name: a-1, query: x, unit: s, max: 1.5, min: -1, worseThanStable: 20%, minDifference: 0, better: higher}]",

		"bound: {}", "bounds: {maxErrors: 1%}", "bounds: {maxErrorRate: 1}", "bounds: {worseThanStable: some}", "bounds: {minRequests: 0}", "bounds: {maxRestarts: -1}",
		"bounds: {maxRestarts: 1.5}", "prometheus: {preset: linkerd}", "prometheus: {password: a}", "queries: [{name: A, query: x, max: 1}]", "queries: [{query: x, max: 1}]",
		"queries: [{name: a, max: 1}]", "queries: [{name: a, query: x, max: much}]", "queries: [{name: a, query: x, max: 1, better: more}]",
		"queries: [{name: a, query: x, max: 1, minDifference: -1}]", "queries: {}",
	} {
		text := head + body + "\n"
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		_, parsed := ParseFile([]byte(text))
		if err := schema.Validate(value); (err == nil) != (parsed == nil) {
			t.Errorf("%s: the schema says %v, the parser %v", body, err, parsed)
		}
	}
	for _, other := range []string{strings.Replace(head, "v1alpha1", "v1", 1), strings.Replace(head, "Analysis", "List", 1), "kind: Analysis\n"} {
		var value any
		if err := yaml.Unmarshal([]byte(other), &value); err != nil || schema.Validate(value) == nil {
			t.Errorf("%s passes", other)
		}
	}
}
