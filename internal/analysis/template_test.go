package analysis

import (
	"strings"
	"testing"
	"time"
)

func TestTemplate(t *testing.T) {
	v := Values{
		Namespace: "messenger", Service: "auth", Version: "1.2.3", Deployment: "auth.v2", Pods: []string{"auth.v2-a", "auth.v2-b"}, Window: 1500 * time.Millisecond,
	}
	for text, want := range map[string]string{
		`vector(1)`: `vector(1)`,
		`sum(rate(x{namespace="{{.Namespace}}",pod=~"{{.Pods}}"}[{{.Window}}]))`:       `sum(rate(x{namespace="messenger",pod=~"auth\\.v2-a|auth\\.v2-b"}[2s]))`,
		`x{v="{{.Version}}",w=~"{{ .Version }}",u=~'{{.Version}}',t!~"a{{.Version}}"}`: `x{v="1.2.3",w=~"1\\.2\\.3",u=~'1\\.2\\.3',t!~"a1\\.2\\.3"}`,
		"x{v=~`{{.Version}}`}":                     "x{v=~`1\\.2\\.3`}",
		`x{v =~ "({{.Deployment}}|{{.Service}})"}`: `x{v =~ "(auth\\.v2|auth)"}`,
		`x{v="\"{{.Version}}",w="'{{.Version}}'"}`: `x{v="\"1.2.3",w="'1.2.3'"}`,
		"x # it's =~\n{v=\"{{.Version}}\"}":        "x # it's =~\n{v=\"1.2.3\"}",
		`x{v=~"a",w="{{.Version}}"}`:               `x{v=~"a",w="1.2.3"}`,
		`a{{/* why */}}b`:                          `ab`,
	} {
		parsed, err := ParseTemplate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := parsed.Render(v); err != nil || got != want {
			t.Errorf("%s:\n%s, %v, want\n%s", text, got, err, want)
		}
	}
}

func TestWrongTemplate(t *testing.T) {
	for text, want := range map[string]string{
		" \n":                               "empty",
		`x{v="{{.Host}}"}`:                  "want nothing but {{.Namespace}}",
		`x{v="{{.Version.Name}}"}`:          "want nothing but",
		`x{v="{{$x := .Version}}"}`:         "want nothing but",
		`x{v="{{.Version | printf "%q"}}"}`: "function \"printf\" not defined",
		`x{v="{{.Version | .Service}}"}`:    "want nothing but",
		`{{if .Version}}x{{end}}`:           "want nothing but",
		`{{range .Pods}}x{{end}}`:           "want nothing but",
		`{{template "x"}}`:                  "want nothing but",
		`{{.}}`:                             "want nothing but",
		`{{"x"}}`:                           "want nothing but",
		`x{v="{{.Version"}`:                 "1:",
		`x{v={{.Version}}}`:                 `{{.Version}} stands outside of a string: want label="{{.Version}}"`,
		`x{v="{{.Pods}}"}`:                  "{{.Pods}} is a regular expression",
		`x[5m] # {{.Pods}}`:                 "outside of a string",
		`x{v="{{.Window}}"}`:                "{{.Window}} stands in a string",
		`x{v="a}`:                           `a string that begins with " does not end`,
		`{{define "y"}}y{{end}}x{v="a"}`:    "want no templates",
	} {
		if _, err := ParseTemplate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Nothing that is no name gets into a query.
func TestTemplateValues(t *testing.T) {
	for _, text := range []string{`x{v="{{.Version}}"}`, `x{v=~"{{.Pods}}"}`} {
		parsed, err := ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"", `a"} or vector(1) #`, "a\nb", "a|b", ".*", "-a", "a b", "é"} {
			if got, err := parsed.Render(Values{Version: name, Pods: []string{"a", name}}); err == nil {
				t.Errorf("%q: %s", name, got)
			}
		}
		if got, err := parsed.Render(Values{}); err == nil {
			t.Errorf("no values: %s", got)
		}
	}
}
