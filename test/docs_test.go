package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDocs runs the console blocks of README.md and docs/*.md and compares what they show. A comment before a block says
// with what: `<!-- run with: messenger auth -->` is lines of a script, and begins a namespace of its own, which the reader
// knows as messenger. A block of commands that is not run has a comment too: `<!-- not run: why -->`.
func TestDocs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all documents
	dir := t.TempDir()
	for _, file := range append(files, filepath.Join(root, "README.md")) {
		if filepath.Base(file) == "design.md" { // what is to be built
			continue
		}
		d, err := readDocument(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, script := range d.scripts(len(all)) {
			name := fmt.Sprintf("%s-%d.txtar", strings.ToLower(strings.TrimSuffix(filepath.Base(file), ".md")), i+1)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, d)
	}
	t.Cleanup(func() {
		if *update {
			all.write(t)
		}
	})
	p := params(dir)
	p.Cmds["block"] = all.cmdBlock
	testscript.Run(t, p)
}

// document is a Markdown file with commands.
type document struct {
	file   string
	lines  []string
	blocks []*block
}

type documents []*document

// block is a fenced block that is run.
type block struct {
	first, end int // its lines, without the fences
	with       string
	lines      []string // what it shows now, with -update
}

var (
	comment = regexp.MustCompile(`(?s)^<!-- (run with|not run): (.*?) *-->$`)
	shells  = []string{"console", "sh", "bash", "shell"}
)

// readDocument finds the blocks that are run. Commands that are neither run nor excused are an error.
func readDocument(file string) (*document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := &document{file: file, lines: strings.Split(string(text), "\n")}
	with, excused := "", false
	for i := 0; i < len(d.lines); i++ {
		line := d.lines[i]
		switch {
		case strings.HasPrefix(line, "<!-- "):
			from := i
			for !strings.Contains(d.lines[i], "-->") && i+1 < len(d.lines) {
				i++
			}
			if found := comment.FindStringSubmatch(strings.Join(d.lines[from:i+1], "\n")); found != nil {
				excused = found[1] == "not run"
				if !excused {
					with = found[2]
				}
			}
		case strings.HasPrefix(line, "```"):
			b := &block{first: i + 1, with: with}
			for i++; i < len(d.lines) && d.lines[i] != "```"; i++ {
			}
			b.end = i
			switch language := strings.TrimPrefix(line, "```"); {
			case language == "":
				return nil, fmt.Errorf("%s:%d: say what the block is: console, sh, text, json", file, b.first)
			case excused || !slices.Contains(shells, language):
			case language != "console":
				return nil, fmt.Errorf("%s:%d: a block of commands is neither console, which is run, nor excused by a comment <!-- not run: why -->", file, b.first)
			case with == "" && len(d.blocks) == 0:
				return nil, fmt.Errorf("%s:%d: nothing says with what to run it: <!-- run with: messenger -->", file, b.first)
			default:
				d.blocks = append(d.blocks, b)
				with = ""
			}
			excused = false
		case line != "":
			excused = false
		}
	}
	return d, nil
}

// scripts are the document's script tests; n is its place among the documents.
func (d *document) scripts(n int) (all []string) {
	for i, b := range d.blocks {
		if b.with != "" {
			all = append(all, b.with+"\n")
		}
		all[len(all)-1] += fmt.Sprintf("# %s:%d\nblock %d %d\n", d.file, b.first, n, i)
	}
	return all
}

// write puts what the blocks printed in the place of what they show.
func (all documents) write(t *testing.T) {
	for _, d := range all {
		for _, b := range slices.Backward(d.blocks) {
			if b.lines != nil {
				d.lines = slices.Replace(d.lines, b.first, b.end, b.lines...)
			}
		}
		if err := os.WriteFile(d.file, []byte(strings.Join(d.lines, "\n")), 0o600); err != nil {
			t.Error(err)
		}
	}
}
