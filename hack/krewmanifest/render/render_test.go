package render

import (
	"strings"
	"testing"
)

const text = `version: {{ .TagName }}
- selector:
    {{addURIAndSha "https://example.com/{{ .TagName }}/a_{{ .TagName }}.zip" .TagName }}
    bin: a
`

func TestManifest(t *testing.T) {
	var s strings.Builder
	if err := Manifest(&s, text, "v1.2.3", "12  b.zip\n34  a_v1.2.3.zip\n"); err != nil {
		t.Fatal(err)
	}
	want := `version: v1.2.3
- selector:
    uri: https://example.com/v1.2.3/a_v1.2.3.zip
    sha256: 34
    bin: a
`
	if s.String() != want {
		t.Errorf("got\n%s\nwant\n%s", s.String(), want)
	}
}

func TestManifestRefuses(t *testing.T) {
	for what, c := range map[string]struct{ text, sums, want string }{
		"an archive without a checksum":  {text, "34  a_v1.2.2.zip\n", "no checksum of a_v1.2.3.zip"},
		"a line that is no checksum":     {text, "34\n", `not a checksum and a name: "34\n"`},
		"a field that the bot lacks":     {"{{ .Tag }}", "", "can't evaluate field Tag"},
		"a URI that is no template":      {`{{ addURIAndSha "{{" .TagName }}`, "", "unclosed action"},
		"a function that the bot lacks":  {`{{ sha256 "a" }}`, "", `function "sha256" not defined`},
		"a URI's field that it does not": {`{{ addURIAndSha "{{ .Tag }}" .TagName }}`, "", "can't evaluate field Tag"},
	} {
		var s strings.Builder
		if err := Manifest(&s, c.text, "v1.2.3", c.sums); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}
