package plugin

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for line, want := range map[string]string{
		"kubectl-canary status":                  "status",
		"/x/kubectl-canary":                      "",
		"/x/kubectl_complete-canary status au":   "__complete status au (completing)",
		"kubectl_complete-canary.exe status":     "__complete status (completing)",
		"kubectl_complete-other status":          "status",
		"kubectl-canary __complete status":       "__complete status (completing)",
		"kubectl-canary __completeNoDesc status": "__completeNoDesc status (completing)",
		"kubectl-canary completion bash":         "completion bash",
	} {
		args, completing := CommandLine(strings.Fields(line))
		got := strings.Join(args, " ")
		if completing {
			got += " (completing)"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// The scripts are for the program as it is called by itself.
func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "-F __start_kubectl-canary kubectl-canary\n", "zsh": "#compdef kubectl-canary\n",
		"fish": "complete -c kubectl-canary ", "powershell": "-CommandName 'kubectl-canary' ",
	} {
		code, out, errOut := execute("completion", shell)
		if code != 0 || errOut != "" || !strings.Contains(out, want) {
			t.Errorf("%s: %d, %q, %q", shell, code, errOut, out)
		}
	}
}

// The README installs it as the help does.
func TestCompletionInReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, help, _ := execute("completion", "--help")
	command := regexp.MustCompile(`(?m)^ *(ln .*)$`).FindStringSubmatch(help)
	if command == nil || !strings.Contains(string(readme), "\n"+command[1]+"\n") {
		t.Errorf("%q is not in the README", command)
	}
}
