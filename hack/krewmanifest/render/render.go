// Package render makes the manifest for krew of a template, as krew-release-bot does.
package render

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/template"
)

type release struct{ TagName string }

// Manifest writes the manifest of the release of a tag. sums are the archives' checksums, as sha256sum writes them.
func Manifest(out io.Writer, text, tag, sums string) error {
	sumOf, err := parse(sums)
	if err != nil {
		return err
	}
	tmpl, err := template.New(".krew.yaml").Funcs(template.FuncMap{
		"addURIAndSha": func(uri, tag string) (string, error) { return uriAndSum(uri, tag, sumOf) },
	}).Parse(text)
	if err != nil {
		return err
	}
	return tmpl.Execute(out, release{tag})
}

// parse returns the checksums by the names of the files.
func parse(sums string) (map[string]string, error) {
	sumOf := map[string]string{}
	for line := range strings.Lines(sums) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, fmt.Errorf("not a checksum and a name: %q", line)
		}
		sumOf[fields[1]] = fields[0]
	}
	return sumOf, nil
}

// uriAndSum is the bot's function: the URI is a template too, and the second line is indented as in the bot's own output.
func uriAndSum(uri, tag string, sumOf map[string]string) (string, error) {
	tmpl, err := template.New("uri").Parse(uri)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	if err := tmpl.Execute(&s, release{tag}); err != nil {
		return "", err
	}
	sum, ok := sumOf[path.Base(s.String())]
	if !ok {
		return "", fmt.Errorf("no checksum of %s", path.Base(s.String()))
	}
	return fmt.Sprintf("uri: %s\n    sha256: %s", s.String(), sum), nil
}
