package markdown

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSetBlock(t *testing.T) {
	const document = "by hand\n<!-- begin a -->\nold\n<!-- end a -->\nalso\n<!-- begin b -->\n<!-- end b -->\n"
	got, err := setBlock(document, "a", "\nnew\n")
	if want := strings.Replace(document, "old", "\nnew\n", 1); err != nil || got != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, got, want)
	}
	if again, err := setBlock(got, "a", "new"); err != nil || again != got {
		t.Errorf("a second time, %v:\n%s\nwant\n%s", err, again, got)
	}
	for _, name := range []string{"c", ""} {
		if got, err := setBlock(document, name, "new"); err == nil {
			t.Errorf("block %q: %s", name, got)
		}
	}
}

func TestDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "document.md")
	if err := os.WriteFile(file, []byte("<!-- begin a -->\n<!-- end a -->\n<!-- begin b -->\n<!-- end b -->\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, "a", "c"); err == nil {
		t.Error("a document without the block is opened")
	}
	d, err := Open(file, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"a": "one", "b": "two"} {
		if err := d.Set(name, body); err != nil {
			t.Error(err)
		}
	}
	const want = "<!-- begin a -->\n\none\n\n<!-- end a -->\n<!-- begin b -->\n\ntwo\n\n<!-- end b -->\n"
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%v:\n%s", err, got)
	}
}

func TestSample(t *testing.T) {
	for want, all := range map[string][]float64{
		"20 ms (10–900)":     {0.9, 0.01, 0.02},
		"2.50 s (1.00–9.00)": {9, 1, 2, 3},
		"10.0 s (10.0–10.1)": {10, 10.1, 10},
	} {
		if got := Summary(all).In("s"); got != want {
			t.Errorf("%v: %s, want %s", all, got, want)
		}
	}
}
