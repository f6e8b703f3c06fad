package packaging

import (
	"encoding/json"
	"testing"
)

// TestTemplate holds .krew.yaml to the rules, and needs no archives.
func TestTemplate(t *testing.T) { obeys(t, rendered(t)) }

// TestManifest holds dist/canary.yaml to them.
func TestManifest(t *testing.T) { obeys(t, shipped(t)) }

func obeys(t *testing.T, m manifest) {
	t.Helper()
	for _, rule := range rules {
		t.Run(rule.says, func(t *testing.T) {
			if err := rule.check(m); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRules breaks each rule in every way that it names, and expects it to say so.
func TestRules(t *testing.T) {
	sound, err := json.Marshal(rendered(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		t.Run(rule.says, func(t *testing.T) {
			for i, spoil := range rule.broken {
				m := parse(t, sound)
				spoil(&m)
				if rule.check(m) == nil {
					t.Errorf("broken in way %d of %d, and nothing is said", i+1, len(rule.broken))
				}
			}
			if len(rule.broken) == 0 {
				t.Error("nothing shows that it can fail")
			}
		})
	}
}
