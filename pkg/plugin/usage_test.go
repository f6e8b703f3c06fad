package plugin

import (
	"strings"
	"testing"
)

// A mistake in the command line is one line that says what is wrong and where to read on; the server is not asked.
func TestBadUsage(t *testing.T) {
	for line, want := range map[string]string{
		"shfit":                               `unknown command "shfit" for "kubectl canary"; did you mean shift? (see 'kubectl canary --help')`,
		"shfit --to 50":                       `unknown command "shfit" for "kubectl canary"; did you mean shift? (see 'kubectl canary --help')`,
		"quux":                                `unknown command "quux" for "kubectl canary" (see 'kubectl canary --help')`,
		"help shfit":                          `unknown command "shfit" for "kubectl canary"; did you mean shift? (see 'kubectl canary --help')`,
		"--nosuch":                            `unknown flag: --nosuch (see 'kubectl canary --help')`,
		"status --nosuch":                     `unknown flag: --nosuch (see 'kubectl canary status --help')`,
		"status -s":                           `flag needs an argument: 's' in -s (see 'kubectl canary status --help')`,
		"promote --to 5":                      `unknown flag: --to (see 'kubectl canary promote --help')`,
		"shift --to-previous":                 `unknown flag: --to-previous (see 'kubectl canary shift --help')`,
		"version now":                         `(see 'kubectl canary version --help')`,
		"options now":                         `(see 'kubectl canary options --help')`,
		"completion":                          `say one shell: bash, zsh, fish, powershell (see 'kubectl canary completion --help')`,
		"completion bash zsh":                 `say one shell: bash`,
		"completion csh":                      `say one shell: bash`,
		"shift":                               `say how much goes to the canary with --to, in percent (see 'kubectl canary shift --help')`,
		"shift --to=":                         `say how much goes to the canary with --to, in percent (see 'kubectl canary shift --help')`,
		"shift --to 101":                      `invalid weight "101": want a percentage from 0 to 100, with at most two decimals (see 'kubectl canary shift --help')`,
		"shift --to -1":                       `invalid weight "-1"`,
		"shift --to abc":                      `invalid weight "abc"`,
		"shift --to 12.345":                   `invalid weight "12.345"`,
		"shift --to NaN":                      `invalid weight "NaN"`,
		"shift --to 1e1":                      `invalid weight "1e1"`,
		"shift --to 5 --replicas -1":          `invalid --replicas -1`,
		"shift --to 5 --replicas x":           `invalid argument "x" for "--replicas" flag`,
		"shift --to 5 --exact --max-total -1": `invalid --max-total -1`,
		"shift --to 5 --tolerance 1%%":        `--tolerance: invalid weight "1%%"`,
		"shift --to 5 --max-surge x":          `--max-surge: invalid amount "x": want a count or a percentage, such as 2 or 25% (see 'kubectl canary shift --help')`,
		"shift --to 5 --max-surge -1":         `--max-surge: invalid amount "-1"`,
		"shift --to 5 --max-unavailable 1.5":  `--max-unavailable: invalid amount "1.5"`,
		"shift --to 5 --max-surge 0":          `--max-surge and --max-unavailable are both 0: no pod could be moved (see 'kubectl canary shift --help')`,
		"rollback --max-surge 0%":             `--max-surge and --max-unavailable are both 0`,
		"promote --timeout -1s":               `invalid --timeout -1s: want 0 or more (see 'kubectl canary promote --help')`,
		"promote --timeout 5":                 `invalid argument "5" for "--timeout" flag`,
		"promote --on-failure explode":        `invalid --on-failure "explode": want "restore" or "hold"`,
		"promote --dry-run=maybe":             `invalid --dry-run "maybe": must be "none", "server" or "client"`,
		"promote -o wide":                     `unable to match a printer suitable for the output format "wide"`,
		"promote auth -l app=auth":            `a NAME cannot be given with a selector`,
		"promote -l a=b,,=":                   `--selector "a=b,,=": `,
		"promote --stable v1 --canary v1":     `--stable and --canary are both "v1": they must be two versions`,
		"deploy":                              `say what to deploy with -f: a file, a folder, or - for stdin (see 'kubectl canary deploy --help')`,
		"deploy auth":                         `unknown argument "auth"`,
		"deploy -f":                           `flag needs an argument: 'f' in -f`,
		"deploy -f x --dry-run=maybe":         `invalid --dry-run "maybe": must be "none", "server" or "client"`,
		"deploy -f x --timeout -1s":           `invalid --timeout -1s: want 0 or more`,
		"deploy -f x -o wide":                 `unable to match a printer suitable for the output format "wide"`,
		"deploy -f x --reset-split --wait=no": `invalid argument "no" for "--wait" flag`,
		"deploy -f x --reset-split --wait=0":  `--reset-split moves pods when all serve: leave out --wait=false`,
		"status -o nosuch":                    `unable to match a printer suitable for the output format "nosuch", allowed formats are: wide,json,yaml,name,`,
		"status -o jsonpath":                  `template format specified but no template given`,
		"status -o jsonpath={.items[}":        `(see 'kubectl canary status --help')`,
		"status -A auth":                      `a NAME cannot be given with --all-namespaces`,
		"status -w -o json":                   `--watch prints a table: leave out --output`,
		"status auth -l app=auth":             `a NAME cannot be given with a selector`,
	} {
		code, out, errOut := execute(strings.Fields(line)...)
		if code != 1 || out != "" {
			t.Errorf("%s: exits with %d, and prints %q", line, code, out)
		}
		if !strings.HasPrefix(errOut, "error: ") || !strings.Contains(errOut, want) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: says %q, want %q", line, errOut, want)
		}
		if !strings.Contains(errOut, "--help')") {
			t.Errorf("%s: does not say where to read on: %q", line, errOut)
		}
	}
}

// An empty NAME would mean everything in a script whose variable is not set.
func TestEmptyName(t *testing.T) {
	for _, args := range [][]string{{"status", ""}, {"rollback", "auth", ""}} {
		if code, _, errOut := execute(args...); code != 1 || !strings.Contains(errOut, "a NAME is empty") {
			t.Errorf("%q: %d, %q", args, code, errOut)
		}
	}
}

func TestNoConfiguration(t *testing.T) {
	for _, line := range []string{"status", "shift --to 50", "promote", "rollback"} {
		code, out, errOut := execute(strings.Fields(line)...)
		want := "error: no configuration found: point KUBECONFIG or --kubeconfig at a kubeconfig file\n"
		if code != 1 || out != "" || errOut != want {
			t.Errorf("%s: %d, %q, %q", line, code, out, errOut)
		}
	}
}
