package plugin

import (
	"slices"
	"strings"
)

// refusal is one reason not to write, with the commands to run next.
type refusal struct {
	text string
	next []string
}

func (r refusal) Error() string { return strings.Join(append([]string{r.text}, r.next...), "\n  ") }

// refusalError is why moves were refused before anything was written.
type refusalError struct {
	reasons remarks
	errs    []error
}

func (e refusalError) Error() string {
	var lines []string
	e.reasons.each(func(line string) { lines = append(lines, line) })
	if len(lines) == 1 {
		return lines[0]
	}
	return "nothing was written, because:\n  " + strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\n  ")
}

func (e refusalError) Unwrap() []error { return e.errs }

// remarks are texts, each said once of all the releases that it is about.
type remarks struct {
	texts []string
	about map[string][]string
}

func (r *remarks) add(release, text string) {
	if r.about == nil {
		r.about = map[string][]string{}
	}
	if r.about[text] == nil {
		r.texts = append(r.texts, text)
	}
	if !slices.Contains(r.about[text], release) {
		r.about[text] = append(r.about[text], release)
	}
}

func (r *remarks) each(say func(line string)) {
	for _, text := range r.texts {
		say(strings.Join(r.about[text], ", ") + ": " + text)
	}
}
