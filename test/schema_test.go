package test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/test/contract"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// schemaOf reads the schema of the list that a document is.
func schemaOf(document []byte) (contract.Schema, error) {
	var list struct{ Kind string }
	if err := json.Unmarshal(document, &list); err != nil {
		return contract.Schema{}, err
	}
	return contract.Read(filepath.Join(root, "docs", strings.ToLower(list.Kind)+".schema.json"))
}

// format is what a command line asks the plugin to print as; empty for other commands.
func format(words []string) string {
	if len(words) < 2 || filepath.Base(words[0]) != "kubectl" || words[1] != "canary" {
		return ""
	}
	for i, word := range words {
		if before, value, ok := strings.Cut(word, "="); ok && (before == "-o" || before == "--output") {
			return value
		}
		if (word == "-o" || word == "--output") && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// hold compares what `-o json` or `-o yaml` printed, if anything, with the schema of its kind, which docs/json.md promises.
func hold(ts *testscript.TestScript, p *process.Process) {
	document := []byte(p.Stdout.String())
	switch format(p.Cmd.Args) {
	case "json":
	case "yaml":
		var err error
		document, err = yaml.YAMLToJSON(document)
		ts.Check(err)
	default:
		return
	}
	if document = bytes.TrimSpace(document); len(document) == 0 || string(document) == "null" {
		return
	}
	s, err := schemaOf(document)
	ts.Check(err)
	if err := s.Check(document); err != nil {
		ts.Fatalf("not as its schema in docs says: %v", err)
	}
}
