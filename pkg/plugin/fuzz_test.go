package plugin

import (
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

// What users type to choose releases is understood as written, or is refused with a message that may be printed.
func FuzzChoose(f *testing.F) {
	for _, s := range []string{"", "team=a", "team in (a,b),!x", "a==b", "a=b=c", "=", "!", "a in (", "x notin (y)", "team=\x1b[2J", "a>1"} {
		f.Add(s, "auth")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, selector, name string) {
		for _, names := range [][]string{nil, {name}} {
			c := chooser{selector: selector}
			if err := c.complete(names); err != nil {
				if text := message(err); text == "" || unprintable(text) {
					t.Fatalf("%q, %q: %q", selector, names, text)
				}
				continue
			}
			if c.named() != (selector != "" || len(names) > 0) {
				t.Fatalf("%q, %q: named is %t", selector, names, c.named())
			}
			again, err := labels.Parse(c.services.String())
			if err != nil || again.String() != c.services.String() {
				t.Fatalf("%q is %q, which reads as %v, %v", selector, c.services, again, err)
			}
		}
	})
}

func unprintable(s string) bool {
	for _, r := range s {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return true
		}
	}
	return false
}
