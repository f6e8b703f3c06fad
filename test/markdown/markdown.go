// Package markdown writes what the benchmarks measure into a document: blocks, tables, figures, and the machine.
package markdown

import (
	"fmt"
	"os"
	"strings"
)

// Document is a file that is written by hand, but for what stands between <!-- begin NAME --> and <!-- end NAME -->.
type Document struct{ file, text string }

// Open reads a document, which has to have these blocks. Without a file name it is one that is never written.
func Open(file string, blocks ...string) (*Document, error) {
	d := &Document{file: file}
	if file == "" {
		return d, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d.text = string(text)
	for _, name := range blocks {
		if _, err := setBlock(d.text, name, ""); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Set replaces a block, in the file too.
func (d *Document) Set(name, body string) (err error) {
	if d.file == "" {
		return nil
	}
	if d.text, err = setBlock(d.text, name, body); err != nil {
		return err
	}
	return os.WriteFile(d.file, []byte(d.text), 0o644)
}

func setBlock(document, name, body string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, opened := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return "", fmt.Errorf("no block %q, from %s to %s", name, strings.TrimSpace(begin), end)
	}
	return before + begin + "\n" + strings.TrimSpace(body) + "\n\n" + end + after, nil
}

// Table is one of Markdown: words in the first column, figures in the others.
type Table struct{ out *strings.Builder }

// NewTable begins a table with its head.
func NewTable(out *strings.Builder, head ...string) Table {
	t := Table{out}
	t.Row(head...)
	out.WriteString("|---" + strings.Repeat("|--:", len(head)-1) + "|\n")
	return t
}

// Row adds a row.
func (t Table) Row(cells ...string) { t.out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
