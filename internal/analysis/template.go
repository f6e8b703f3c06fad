package analysis

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template/parse"
	"time"
)

// Values are what a query is asked for: a version of a release, over a window.
type Values struct {
	Namespace, Service, Version, Deployment string
	Pods                                    []string
	Window                                  time.Duration
}

// Template is a query with places for Values, in the syntax of Go's text/template but with nothing else than these fields.
type Template struct {
	Text  string
	parts []part
}

// part is text as it stands, and the field that follows it.
type part struct {
	text, field string
	where       place
}

// fields are those of Values: whether one stands in a string of PromQL.
var fields = map[string]bool{"Namespace": true, "Service": true, "Version": true, "Deployment": true, "Pods": true, "Window": false}

// ParseTemplate reads a query. A value is escaped by where it stands: in a string, and in one after =~ or !~ as a regular expression.
func ParseTemplate(text string) (Template, error) {
	t := Template{Text: text}
	if strings.TrimSpace(text) == "" {
		return t, errors.New("the query is empty")
	}
	trees, err := parse.Parse("query", text, "", "", map[string]any{})
	if err != nil {
		return t, errors.New(strings.TrimPrefix(err.Error(), "template: query:"))
	}
	if len(trees) > 1 {
		return t, errors.New("want no templates within the query")
	}
	var at place
	var before strings.Builder
	for _, node := range trees["query"].Root.Nodes {
		if plain, ok := node.(*parse.TextNode); ok {
			before.Write(plain.Text)
			at.pass(string(plain.Text))
			continue
		}
		field, err := fieldOf(node)
		if err != nil {
			return t, err
		}
		if err := at.mayHold(field); err != nil {
			return t, err
		}
		t.parts = append(t.parts, part{before.String(), field, at})
		before.Reset()
	}
	if at.quote != 0 {
		return t, fmt.Errorf("a string that begins with %c does not end", at.quote)
	}
	t.parts = append(t.parts, part{text: before.String()})
	return t, nil
}

func fieldOf(node parse.Node) (string, error) {
	err := fmt.Errorf("%s: want nothing but {{.Namespace}}, {{.Service}}, {{.Version}}, {{.Deployment}}, {{.Pods}} and {{.Window}}", node)
	action, ok := node.(*parse.ActionNode)
	if !ok || len(action.Pipe.Decl) > 0 || len(action.Pipe.Cmds) != 1 || len(action.Pipe.Cmds[0].Args) != 1 {
		return "", err
	}
	field, ok := action.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) != 1 {
		return "", err
	}
	if _, known := fields[field.Ident[0]]; !known {
		return "", err
	}
	return field.Ident[0], nil
}

// place is where in PromQL a field stands.
type place struct {
	quote   rune // of the string; 0 outside
	pattern bool // the string is a regular expression
	comment bool
	escaped bool
	last    [2]rune // what came last outside, but for space
}

// pass reads on.
func (p *place) pass(text string) {
	for _, r := range text {
		switch {
		case p.comment:
			p.comment = r != '\n'
		case p.escaped:
			p.escaped = false
		case p.quote != 0 && r == '\\' && p.quote != '`':
			p.escaped = true
		case p.quote != 0:
			if r == p.quote {
				p.quote = 0
			}
		case r == '#':
			p.comment = true
		case r == '"' || r == '\'' || r == '`':
			p.quote, p.pattern = r, p.last[1] == '~'
		case r != ' ' && r != '\n' && r != '\t' && r != '\r':
			p.last = [2]rune{p.last[1], r}
		}
	}
}

func (p *place) mayHold(field string) error {
	switch {
	case fields[field] && p.quote == 0:
		return fmt.Errorf(`{{.%s}} stands outside of a string: want label="{{.%s}}"`, field, field)
	case !fields[field] && p.quote != 0:
		return fmt.Errorf("{{.%s}} stands in a string: want [{{.%s}}]", field, field)
	case field == "Pods" && !p.pattern:
		return errors.New(`{{.Pods}} is a regular expression: want label=~"{{.Pods}}"`)
	}
	return nil
}

// plain is what the names of objects and the values of labels are made of.
var plain = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)

// Render puts the values in. It is an error when one is no name of Kubernetes, or there are no pods.
func (t Template) Render(v Values) (string, error) {
	var s strings.Builder
	for _, p := range t.parts {
		s.WriteString(p.text)
		if p.field == "" {
			continue
		}
		value, err := v.value(p.field, p.where)
		if err != nil {
			return "", err
		}
		s.WriteString(value)
	}
	return s.String(), nil
}

func (v Values) value(field string, where place) (string, error) {
	names := []string{}
	switch field {
	case "Window":
		return promDuration(v.Window), nil
	case "Namespace":
		names = append(names, v.Namespace)
	case "Service":
		names = append(names, v.Service)
	case "Version":
		names = append(names, v.Version)
	case "Deployment":
		names = append(names, v.Deployment)
	case "Pods":
		names = v.Pods
	}
	if len(names) == 0 {
		return "", errors.New("there are no pods to ask about")
	}
	for _, name := range names {
		if !plain.MatchString(name) {
			return "", fmt.Errorf("%q is no name that a query may hold", name)
		}
	}
	joined := strings.Join(names, "|")
	if !where.pattern {
		return joined, nil
	}
	dot := `\.`
	if where.quote != '`' {
		dot = `\\.`
	}
	return strings.ReplaceAll(joined, ".", dot), nil
}

// promDuration is a window in whole seconds, rounded up: PromQL knows no fractions.
func promDuration(d time.Duration) string {
	return fmt.Sprintf("%ds", max(1, int64((d+time.Second-1)/time.Second)))
}
