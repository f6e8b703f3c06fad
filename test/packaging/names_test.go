package packaging

import (
	"os"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/pkg/plugin"
)

// TestNames compares the places that say what the plugin is called with the one constant.
func TestNames(t *testing.T) {
	name := plugin.NewCommand(genericiooptions.NewTestIOStreamsDiscard()).Name()
	if m := rendered(t); m.Metadata.Name != name {
		t.Errorf(".krew.yaml: %q, the plugin says %q", m.Metadata.Name, name)
	}
	text, err := os.ReadFile(root + "/.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Project string `json:"project_name"`
		Builds  []struct {
			Main   string `json:"main"`
			Binary string `json:"binary"`
		} `json:"builds"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Builds) != 1 || config.Project != "kubectl-"+name || config.Builds[0].Main != "./cmd/kubectl-"+name {
		t.Errorf(".goreleaser.yaml: %+v, want kubectl-%s", config, name)
	}
	// without one the program has the project's name
	if binary := config.Builds[0].Binary; binary != "" {
		t.Errorf(".goreleaser.yaml: binary %q", binary)
	}
}
