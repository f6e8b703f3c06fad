package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a document may leave out, and what not.
func TestDocsCompare(t *testing.T) {
	out, errOut := []string{"auth   25%   3s", "chat   25%   3s", "done"}, []string{"raised", "pod auth-v2-74f88854c9-hc984 fails for 45s", "lowered"}
	for _, c := range []struct {
		name  string
		shows []string
		ok    bool
	}{
		{"all of it", []string{"auth  25%  10m", "chat  25%  4s", "done"}, true},
		{"some of stderr", []string{"auth  25%  3s", "chat  25%  3s", "pod auth-v2-xxxxxxxxx-zzzzz fails for 1m2s", "done"}, true},
		{"dots at the end", []string{"auth  25%  3s", "..."}, true},
		{"dots at the beginning", []string{"...", "done"}, true},
		{"dots between", []string{"auth  25%  3s", "...", "done"}, true},
		{"nothing", nil, false},
		{"a line left out", []string{"auth  25%  3s", "done"}, false},
		{"the end left out", []string{"auth  25%  3s", "chat  25%  3s"}, false},
		{"another number", []string{"auth  26%  3s", "chat  25%  3s", "done"}, false},
		{"another order", []string{"chat  25%  3s", "auth  25%  3s", "done"}, false},
		{"stderr in another order", []string{"lowered", "raised", "..."}, false},
		{"a line more", []string{"auth  25%  3s", "chat  25%  3s", "done", "and more"}, false},
	} {
		if err := compare(c.shows, out, errOut); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestDocsSteps(t *testing.T) {
	got, err := steps(strings.Split("# First\n\n$ one \\\n  two\na\n\nb\n\n# Then\n$ three", "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{before: []string{"# First", ""}, command: []string{`one \`, "  two"}, shows: []string{"a", "", "b"}},
		{before: []string{"", "# Then"}, command: []string{"three"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := steps([]string{"output"}); err == nil {
		t.Error("output without a command passes")
	}
}

// A block of commands is run, or says why not.
func TestDocsBlocks(t *testing.T) {
	const fence, with, not = "```", "<!-- run with: messenger auth -->\n", "<!-- not run: it needs a mesh -->\n"
	for _, c := range []struct {
		name, text string
		runs       int // -1 is an error
	}{
		{"run", with + fence + "console\n$ a\n" + fence, 1},
		{"two, of one namespace", with + fence + "console\n$ a\n" + fence + "\n\n" + fence + "console\n$ b\n" + fence, 2},
		{"excused", not + fence + "sh\na\n" + fence, 0},
		{"excused, and shown with its output", not + "\n" + fence + "console\n$ a\nb\n" + fence, 0},
		{"a comment of two lines", "<!-- not run: it needs\na mesh -->\n" + fence + "sh\na\n" + fence, 0},
		{"no commands", fence + "text\na\n" + fence + "\n" + fence + "json\n{}\n" + fence, 0},
		{"not excused", fence + "sh\na\n" + fence, -1},
		{"excused for one", not + fence + "sh\na\n" + fence + "\n" + fence + "sh\na\n" + fence, -1},
		{"excused too early", not + "\nBut then:\n\n" + fence + "sh\na\n" + fence, -1},
		{"with nothing to run it with", fence + "console\n$ a\n" + fence, -1},
		{"of no language", fence + "\n$ a\n" + fence, -1},
	} {
		file := filepath.Join(t.TempDir(), "a.md")
		if err := os.WriteFile(file, []byte("# A\n\n"+c.text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := readDocument(file)
		switch {
		case err != nil && c.runs >= 0:
			t.Errorf("%s: %v", c.name, err)
		case err == nil && len(d.blocks) != c.runs:
			t.Errorf("%s: %d blocks are run", c.name, len(d.blocks))
		}
	}
}
