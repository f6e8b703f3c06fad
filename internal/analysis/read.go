package analysis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseFile reads an analysis file strictly: what it does not know is an error, with the line and the field.
func ParseFile(text []byte) (*Analysis, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	lines := index(&root, "", nil)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	a := &Analysis{}
	switch err := decoder.Decode(a); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, located(err, lines)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one document: there is more after ---")
	}
	if a.APIVersion != FileVersion || a.Kind != FileKind {
		return nil, fmt.Errorf("want apiVersion: %s and kind: %s", FileVersion, FileKind)
	}
	err := a.Apply(&Policy{})
	if err == nil {
		err = a.Prometheus.check()
	}
	var wrong fault
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("line %d: %w", lineOf(wrong.field, lines), err)
	}
	return a, err
}

// Whole is a number that the library would not cut off at the point.
type Whole int

// UnmarshalYAML reads a whole number.
func (w *Whole) UnmarshalYAML(n *yaml.Node) error {
	i, err := strconv.Atoi(n.Value)
	if err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: invalid number %q: want a whole one", n.Line, n.Value)}}
	}
	*w = Whole(i)
	return nil
}

// line says where a field is.
type line struct {
	field  string
	number int
}

// index is where the fields of a document are, from the outside in.
func index(n *yaml.Node, field string, lines []line) []line {
	switch n.Kind {
	case yaml.DocumentNode:
		for _, child := range n.Content {
			lines = index(child, field, lines)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			inner := strings.TrimPrefix(field+"."+n.Content[i].Value, ".")
			lines = index(n.Content[i+1], inner, append(lines, line{inner, n.Content[i].Line}))
		}
	case yaml.SequenceNode:
		for i, child := range n.Content {
			inner := fmt.Sprintf("%s[%d]", field, i)
			lines = index(child, inner, append(lines, line{inner, child.Line}))
		}
	default: // nothing is within
	}
	return lines
}

// lineOf is where a field is; where it is not there, what it would be in.
func lineOf(field string, lines []line) int {
	for {
		for _, l := range lines {
			if l.field == field {
				return l.number
			}
		}
		cut := strings.LastIndexAny(field, ".[")
		if cut < 0 {
			return 1
		}
		field = field[:cut]
	}
}

// where begins what the library says of a value that does not fit.
var where = regexp.MustCompile(`^line (\d+): (.*)$`)

// goType is what Go calls the place of an unknown field, which tells users nothing.
var goType = regexp.MustCompile(`^(field \S+) not found in type .*$`)

// located adds the fields to what the library says, in one line.
func located(err error, lines []line) error {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	all := make([]string, len(wrong.Errors))
	for i, text := range wrong.Errors {
		all[i] = text
		m := where.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		number, _ := strconv.Atoi(m[1])
		what := goType.ReplaceAllString(m[2], "unknown $1")
		if what == m[2] {
			what = fieldAt(number, lines) + ": " + what
		}
		all[i] = fmt.Sprintf("line %d: %s", number, what)
	}
	return errors.New(strings.Join(all, "; "))
}

// fieldAt is the field in a line; of several the innermost that holds them all.
func fieldAt(number int, lines []line) string {
	var found []string
	for _, l := range lines {
		if l.number == number {
			found = append(found, l.field)
		}
	}
	if len(found) == 0 {
		return "the document"
	}
	return found[0]
}
