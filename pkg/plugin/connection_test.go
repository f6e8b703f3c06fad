package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"auth": "auth", "deploy/auth-v2": "deploy/auth-v2", "app=auth,tier!=x": "'app=auth,tier!=x'", "25%": "25%", "12.5": "12.5",
		"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(rm -rf ~)": "'$(rm -rf ~)'", "a;b": "'a;b'", "*": "'*'", "ünï": "'ünï'", "a\nb": "'a\nb'",
	} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) = %s, want %s", word, got, want)
		}
	}
}

// A shell reads every word back as it was.
func TestQuoteForAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("a POSIX shell (sh) is missing: whether it reads quoted words back cannot be tried")
	}
	words := []string{"a b", "it's", "''", `\`, `"`, "$HOME", "`id`", "a\nb", "!x", "~", "#", "a=b", "{a,b}", "[a]", "a&b", "<>|", "-x", "é"}
	line := "printf '%s\\0'"
	for _, w := range words {
		line += " " + quote(w)
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", line).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("%s\nreads %q, want %q", line, got, words)
	}
}

func TestRepeat(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.String("to", "", "")
	flags.Bool("exact", false, "")
	flags.StringArray("as-group", nil, "")
	flags.Duration("timeout", 0, "")
	if err := flags.Parse([]string{"--to", "a b", "--exact", "--as-group", "one", "--as-group=two three", "--timeout", "90s"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"to": " --to 'a b'", "exact": " --exact", "as-group": " --as-group one --as-group 'two three'", "timeout": " --timeout 1m30s",
	} {
		if got := repeat(flags.Lookup(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if err := flags.Set("exact", "false"); err != nil {
		t.Fatal(err)
	}
	if got := repeat(flags.Lookup("exact")); got != " --exact=false" {
		t.Errorf("exact: %q", got)
	}
}

// parsed is a command that was given flags, and its connection.
func nextCommands(t *testing.T, args ...string) (o *moveOptions, next string) {
	t.Helper()
	root := NewCommand(genericiooptions.NewTestIOStreamsDiscard())
	cmd, rest, err := root.Find(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	conn := &connection{}
	o = newMove(conn, genericiooptions.NewTestIOStreamsDiscard())
	o.ask.Rollback = cmd.Name() == "rollback"
	o.remember(cmd, cmd.Flags().Args())
	return o, conn.command(cmd)("canary status", "messenger")
}

// Next commands reach the same place as the same user, and say nothing secret.
func TestNextCommandsRepeatTheConnection(t *testing.T) {
	for args, want := range map[string]string{
		"promote":                                                        "kubectl canary status -n messenger",
		"promote -n other --request-timeout 5s":                          "kubectl canary status -n messenger",
		"promote --context staging --kubeconfig /a":                      "kubectl canary status -n messenger --kubeconfig /a --context staging",
		"promote --as joe --as-group a --as-group b":                     "kubectl canary status -n messenger --as joe --as-group a --as-group b",
		"promote -s https://api:1 --insecure-skip-tls-verify":            "kubectl canary status -n messenger --server https://api:1 --insecure-skip-tls-verify",
		"promote --token t0psecret --username u --password t0psecret":    "kubectl canary status -n messenger",
		"promote --server https://api:1 --certificate-authority ca.crt":  "kubectl canary status -n messenger --server https://api:1 --certificate-authority ca.crt",
		"promote --client-key k.pem --client-certificate c.pem --user u": "kubectl canary status -n messenger --user u --client-certificate c.pem --client-key k.pem",
	} {
		o, got := nextCommands(t, strings.Fields(args)...)
		if got != want {
			t.Errorf("%s: %s\nwant %s", args, got, want)
		}
		if all := got + o.again + o.back + o.typed; strings.Contains(all, "t0psecret") {
			t.Errorf("%s: a secret in %q", args, all)
		}
	}
}

// What a user could type to go on or back: all that decides what moves, and nothing that decides how it is shown.
func TestRemember(t *testing.T) {
	for _, c := range []struct{ args, typed, again, back string }{
		{"shift --to 50", "shift --to 50", "canary shift --to 50", "canary rollback"},
		{
			"shift auth deploy/chat-v2 --to 12.5 --exact --max-surge 2 -o json --dry-run=client --reason because -n messenger --context x",
			"shift --to 12.5", "canary shift auth deploy/chat-v2 --exact --max-surge 2 --to 12.5", "canary rollback auth deploy/chat-v2",
		},
		{
			"promote -l app=auth --version-label track --stable a --canary b --replicas 3 --timeout 20s --on-failure hold --force",
			"promote", "canary promote --canary b --force --on-failure hold --replicas 3 --selector app=auth --stable a --timeout 20s --version-label track",
			"canary rollback --selector app=auth --version-label track --stable a --canary b",
		},
		{"rollback auth --max-unavailable 50%", "rollback", "canary rollback auth --max-unavailable 50%", ""},
		{"rollback --to-previous", "rollback --to-previous", "canary rollback --to-previous", ""},
	} {
		o, _ := nextCommands(t, strings.Fields(c.args)...)
		if o.typed != c.typed || o.again != c.again || o.back != c.back {
			t.Errorf("%s:\n%q\n%q\n%q\nwant\n%q\n%q\n%q", c.args, o.typed, o.again, o.back, c.typed, c.again, c.back)
		}
	}
}

const kubeconfig = `{apiVersion: v1, kind: Config, current-context: one,
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: u, user: {}}],
contexts: [{name: one, context: {cluster: c, user: u, namespace: messenger}}, {name: two, context: {cluster: c, user: u}}]}`

// The namespace and context are those of the kubeconfig, unless flags say otherwise.
func TestKubeconfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][2]string{
		"":                       {"messenger", "one"},
		"--context two":          {"default", "two"},
		"--context two -n other": {"other", "two"},
		"--namespace friends":    {"friends", "one"},
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		conn := newConnection(flags)
		if err := flags.Parse(append(strings.Fields(args), "--kubeconfig", file)); err != nil {
			t.Fatal(err)
		}
		ns, err := conn.namespace()
		if err != nil || ns != want[0] || conn.context() != want[1] {
			t.Errorf("%q: namespace %q (%v), context %q; want %q", args, ns, err, conn.context(), want)
		}
	}
	for args, want := range map[string]string{
		"status --context three":    `error: context "three" does not exist`,
		"status --kubeconfig /none": "error: stat /none: no such file or directory",
		"promote --context three":   `error: context "three" does not exist`,
		"status":                    "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
		"promote":                   "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
	} {
		words := strings.Fields(args)
		if !slices.Contains(words, "--kubeconfig") {
			words = append(words, "--kubeconfig", file)
		}
		if code, out, errOut := execute(words...); code != 1 || out != "" || errOut != want+"\n" {
			t.Errorf("%s: %d, %q, %q; want %q", args, code, out, errOut, want)
		}
	}
}
