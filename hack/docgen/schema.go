package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

const module = "github.com/kubectl-canary/kubectl-canary"

// schema is the JSON Schema of a list that `-o json` prints, read off its type in printer and the comments there: run it where
// go.mod is.
func schema(list any, kind string) ([]byte, error) {
	words, err := constants("internal/canary")
	if err != nil {
		return nil, err
	}
	words["Phase"] = append(words["Phase"], "") // a Service that selects no Deployment
	r := jsonschema.Reflector{
		Anonymous:                 true,
		AllowAdditionalProperties: true, // fields are added within a version
		Namer: func(t reflect.Type) string {
			if t == reflect.TypeFor[canary.Weight]() {
				return t.String() // printer has a Weight too
			}
			return ""
		},
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch {
			case t == reflect.TypeFor[canary.Weight]():
				return &jsonschema.Schema{Type: "number", Minimum: "0", Maximum: "100"}
			case t.Kind() == reflect.Int:
				return &jsonschema.Schema{Type: "integer", Minimum: "0"}
			case t.Kind() == reflect.String && words[t.Name()] != nil:
				return &jsonschema.Schema{Type: "string", Enum: words[t.Name()]}
			}
			return nil
		},
	}
	if err := r.AddGoComments(module, "internal/printer", jsonschema.WithFullComment()); err != nil {
		return nil, err
	}
	for name, comment := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(comment), " ")
	}
	s := r.Reflect(list)
	s.Title = kind + " of " + printer.APIVersion
	for name, value := range map[string]string{"apiVersion": printer.APIVersion, "kind": kind} {
		property, _ := s.Definitions[kind].Properties.Get(name)
		property.Const = value
	}
	nullable(s.Definitions, reflect.TypeOf(list))
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// fileSchema is the JSON Schema of an analysis file, for editors; it is strict, as the plugin is.
func fileSchema() ([]byte, error) {
	r := jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml",
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[analysis.Whole]() {
				return &jsonschema.Schema{Type: "integer", Minimum: "0"}
			}
			return nil
		},
	}
	if err := r.AddGoComments(module, "internal/analysis", jsonschema.WithFullComment()); err != nil {
		return nil, err
	}
	for name, comment := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(comment), " ")
	}
	s := r.Reflect(analysis.Analysis{})
	s.Title = analysis.FileKind + " of " + analysis.FileVersion
	for name, value := range map[string]string{"apiVersion": analysis.FileVersion, "kind": analysis.FileKind} {
		property, _ := s.Definitions[analysis.FileKind].Properties.Get(name)
		property.Const = value
	}
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// nullable allows null for what is a pointer in a struct: encoding/json writes a nil one as null.
func nullable(defs jsonschema.Definitions, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		nullable(defs, t.Elem())
		return
	case reflect.Struct:
	default:
		return
	}
	def := defs[t.Name()]
	if def == nil {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		nullable(defs, f.Type)
		if f.Type.Kind() != reflect.Pointer {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, _ := def.Properties.Get(name)
		if p.AnyOf != nil {
			continue // seen before, through another field
		}
		value := *p
		value.Description = ""
		def.Properties.Set(name, &jsonschema.Schema{Description: p.Description, AnyOf: []*jsonschema.Schema{&value, {Type: "null"}}})
	}
}

// constants are the values of a package's typed string constants, by the name of their type, in order.
func constants(folder string) (map[string][]any, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string][]any{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, named := spec.Type.(*ast.Ident)
			value, literal := spec.Values[0].(*ast.BasicLit)
			if named && literal && value.Kind == token.STRING {
				found[typ.Name] = append(found[typ.Name], strings.Trim(value.Value, `"`))
			}
			return true
		})
	}
	return found, nil
}
