// Package docs has no code: its tests look at the documents without running what is in them.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

// documents are the Markdown files of the repository.
func documents(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, e.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(all, "../README.md") || !slices.Contains(all, "../docs/adr/README.md") {
		t.Fatalf("the walk found %d documents, and not the READMEs", len(all))
	}
	return all
}

var (
	fences   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	code     = regexp.MustCompile("`[^`\n]*`")
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	unslug   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the fragments under which a document's headings are found on GitHub.
func anchors(text string) (all []string) {
	for _, h := range headings.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		slug := strings.ReplaceAll(unslug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
		all = append(all, slug)
	}
	return all
}

// dead says what is wrong with a link of a document; nil for one that leads off the repository.
func dead(document, link string) error {
	if strings.Contains(link, ":") {
		return nil
	}
	file, fragment, _ := strings.Cut(link, "#")
	target := document
	if file != "" {
		target = filepath.Join(filepath.Dir(document), file)
	}
	if !filepath.IsLocal(strings.TrimPrefix(target, root+"/")) && target != root {
		return fmt.Errorf("%s leads out of the repository", link)
	}
	if _, err := os.Stat(target); err != nil || fragment == "" {
		return err
	}
	text, err := os.ReadFile(target)
	if err == nil && !slices.Contains(anchors(string(text)), fragment) {
		err = fmt.Errorf("%s has no heading #%s", target, fragment)
	}
	return err
}

// Every link within the repository leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	found := 0
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		prose := code.ReplaceAllString(fences.ReplaceAllString(string(text), ""), "")
		for _, link := range links.FindAllStringSubmatch(prose, -1) {
			found++
			if err := dead(document, link[1]); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d links: the test does not see them", found)
	}
}

func TestDeadLinks(t *testing.T) {
	for link, lives := range map[string]bool{
		"https://example.test/": true, "adr/README.md": true, "../LICENSE": true, "adr": true,
		"design.md#9-requests": true, "#7-commands": true, "../README.md#how-it-works": true,
		"gone.md": false, "design.md#gone": false, "#gone": false, "../../etc": false,
	} {
		if err := dead("../docs/design.md", link); (err == nil) != lives {
			t.Errorf("%s: %v", link, err)
		}
	}
}
