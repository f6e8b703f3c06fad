package docs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	played = regexp.MustCompile(`(?m)^(?:say "(.*)"|run (kubectl canary .*))$`)
	shown  = regexp.MustCompile(`(?m)^(?:# (.*)|\$ (kubectl canary .*))$`)
)

// The README shows the demo: the same commands and remarks, from the first shift on; what deploy ends with is its first status.
// That they print what it shows is the business of TestDocs in test.
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
	want, got := fromShift(both(played, string(demo))), fromShift(both(shown, block))
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 7 {
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

func fromShift(all []string) []string {
	return all[max(0, slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, "kubectl canary shift") })):]
}
