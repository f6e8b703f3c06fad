// Package contract holds output against docs/releaselist.schema.json, for tests.
package contract

import (
	"bytes"
	"fmt"
	"os"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is the schema made strict: a field that it does not know is an error.
type Schema struct{ compiled *jsonschema.Schema }

// Read compiles the schema in a file.
func Read(file string) (Schema, error) {
	f, err := os.Open(file)
	if err != nil {
		return Schema{}, err
	}
	defer f.Close()
	document, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		return Schema{}, fmt.Errorf("%s: %w", file, err)
	}
	forbidOthers(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("strict.json", document); err != nil {
		return Schema{}, err
	}
	compiled, err := c.Compile("strict.json")
	return Schema{compiled}, err
}

// forbidOthers lets objects have the properties that are described, and no others.
func forbidOthers(node any) {
	switch n := node.(type) {
	case map[string]any:
		for _, child := range n {
			forbidOthers(child)
		}
		if n["type"] == "object" {
			n["additionalProperties"] = false
		}
	case []any:
		for _, child := range n {
			forbidOthers(child)
		}
	}
}

// Check says what is wrong with a JSON document; nil when it is as described.
func (s Schema) Check(document []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return s.compiled.Validate(value)
}
