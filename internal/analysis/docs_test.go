package analysis

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/gates.md shows a file that is taken, and names every check.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/gates.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(text)
	if block == nil {
		t.Fatal("there is no file")
	}
	if a, err := ParseFile([]byte(block[1])); err != nil || len(a.Queries) != 2 {
		t.Errorf("%v", err)
	}
	everything := seen(1, usage(.1, 100, .1, .1), users(1000, 0))
	everything.Probes = everything.Users
	var all []string
	for _, r := range policy().Judge(everything, &everything, true) {
		all = append(all, r.Check)
	}
	for _, r := range policy().Judge(seen(0, usage(0, 0)), nil, true) {
		all = append(all, r.Check)
	}
	for _, check := range all {
		if !strings.Contains(text, "`"+strings.Replace(check, "probe-latency", "probe-latency-…", 1)+"`") {
			t.Errorf("%s is not there", check)
		}
	}
	for name := range presets {
		if !strings.Contains(text, "`"+name+"`") && name != defaultPreset {
			t.Errorf("the preset %s is not there", name)
		}
	}
	for _, name := range []string{envToken, envUsername, envPassword} {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not there", name)
		}
	}
}
