package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	played = regexp.MustCompile(`(?m)^(?:say "(.*)"|run (kubectl canary .*))$`)
	shown  = regexp.MustCompile(`(?m)^(?:# (.*)|\$ (kubectl canary .*))$`)
)

// The README shows the demo: the same commands and remarks, from the first status on. That they print what it shows is
// the business of TestDocs in test.
func TestDemoInReadme(t *testing.T) {
	demo, err := os.ReadFile("../hack/demo.sh")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```console\n")
	block, _, _ = strings.Cut(block, "```")
	want, got := both(played, string(demo)), both(shown, block)
	for len(want) > 0 && !strings.HasPrefix(want[0], "kubectl") {
		want = want[1:]
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 8 {
		t.Errorf("demo.sh (-) and README.md (+):\n%s", diff)
	}
}

// both are the remarks and commands in a text, in order.
func both(pattern *regexp.Regexp, text string) (all []string) {
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		all = append(all, found[1]+found[2])
	}
	return all
}
