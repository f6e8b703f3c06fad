package plugin

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// complete returns what the shell is offered: the words, and what it is to do with them.
func (a *api) complete(line string) []string {
	a.t.Helper()
	words := strings.Split(line, " ") // an empty word at the end is one that is not begun
	args := append([]string{cobra.ShellCompRequestCmd, "--server", "http://api", "-n", ns}, words...)
	code, out, _ := a.execute(a.t.Context(), args)
	if code != 0 {
		a.t.Errorf("%q: exits with %d", line, code)
	}
	return strings.Split(strings.TrimSpace(out), "\n")
}

const (
	noFiles   = ":4"
	keepOrder = ":36" // no files, and in this order
	anyFile   = ":0"
)

func TestCompletion(t *testing.T) {
	auth, chat := "auth\tv1 3/3, v2 1/1", "chat\tv1 2/2, v2 2/2"
	for line, want := range map[string][]string{
		"status ":                          {auth, chat, noFiles},
		"shift --to 50 ":                   {auth, chat, noFiles},
		"promote c":                        {chat, noFiles},
		"rollback auth ":                   {chat, noFiles},
		"rollback deploy/auth-v2 ":         {chat, noFiles},
		"status auth nosuch ":              {chat, noFiles},
		"status auth chat ":                {noFiles},
		"status x":                         {noFiles},
		"status svc/":                      {"svc/auth\tv1 3/3, v2 1/1", "svc/chat\tv1 2/2, v2 2/2", noFiles},
		"status auth Deployment/":          {"Deployment/chat-v1\tv1 2/2, v2 2/2", "Deployment/chat-v2\tv1 2/2, v2 2/2", noFiles},
		"status pod/":                      {noFiles},
		"status --all o":                   {"one\tv1 1/1", noFiles},
		"status -l app=auth ":              {noFiles},
		"status -A ":                       {noFiles},
		"shift --to ":                      {"0", "10", "25", "50", "75", "100", keepOrder},
		"shift --canary ":                  {"v1", "v2", noFiles},
		"shift chat --stable v1 --canary ": {"v2", noFiles},
		"shift --canary v2 --stable ":      {"v1", noFiles},
		"help _":                           {noFiles},
		"shift one --canary ":              {noFiles},
		"status --stable=":                 {"v1", "v2", noFiles},
		"status --version-label ":          {"version", noFiles},
		"shift --dry-run=":                 {"none", "client", "server", keepOrder},
		"promote --on-failure ":            {"restore", "hold", keepOrder},
		"status --exit":                    {"--exit-status\tExit with 3 unless every phase is Stable, Canary or Promoted", noFiles},
		"status --kubeconfig ":             {anyFile},
		"status --cache-dir ":              {":16"},
		"analysis auth --check ":           {anyFile},
		"analysis c":                       {"chat\tv1 2/2, v2 2/2", noFiles},
		"promote --reason ":                {noFiles},
		"version ":                         {noFiles},
		"nosuch ":                          {noFiles},
		"completion p":                     {"powershell", noFiles},
		"help exit":                        {"exit-codes\tWhat the commands exit with", noFiles},
		"help status ":                     {noFiles},
		"help nosuch ":                     {noFiles},
		"pro":                              {"promote\tGive all of the traffic to the canary", noFiles},
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 2, 2)
			a.release("one", 1, 0)
			delete(a.objects, "deployments/one-v2")
			if diff := cmp.Diff(want, a.complete(line)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", line, diff)
			}
			if got := a.writes(); len(got) > 0 {
				t.Errorf("%q writes %q", line, got)
			}
		})
	}
}

// A value for each flag that takes one is completed, or nothing is: never files by mistake.
func TestCompletionOfEveryFlag(t *testing.T) {
	files := []string{"kubeconfig", "certificate-authority", "client-certificate", "client-key", "cache-dir", "analysis", "check", "filename"}
	for _, cmd := range commands() {
		path := strings.Join(strings.Fields(cmd.CommandPath())[2:], " ")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" || !cmd.Runnable() {
				return
			}
			_, out, _ := execute(append(strings.Fields("__complete "+path), "--"+f.Name+"=")...)
			hasFiles := !strings.HasSuffix(out, noFiles+"\n") && !strings.HasSuffix(out, keepOrder+"\n")
			if hasFiles != slices.Contains(files, f.Name) {
				t.Errorf("%s --%s: %q", path, f.Name, out)
			}
		})
	}
}

// -o offers what is accepted.
func TestCompletionOfOutput(t *testing.T) {
	for command, wide := range map[string]bool{"status": true, "promote": false} {
		_, out, _ := execute("__complete", command, "-o", "")
		formats := strings.Fields(out)
		if !slices.Contains(formats, "json") || slices.Contains(formats, "wide") != wide {
			t.Errorf("%s -o: %q", command, formats)
		}
		for _, format := range formats[:len(formats)-1] {
			if _, _, errOut := execute(command, "-o", format); strings.Contains(errOut, "unable to match") {
				t.Errorf("%s -o %s: %s", command, format, errOut)
			}
		}
	}
}

func TestCompletionFromKubeconfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	err := os.WriteFile(file, []byte(`{"kind": "Config", "apiVersion": "v1", "current-context": "home",
		"contexts": [{"name": "home", "context": {"cluster": "c"}}, {"name": "away", "context": {"cluster": "c"}}, {"name": "aw\u001b[2Jful", "context": {"cluster": "c"}}],
		"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "users": [{"name": "jane", "user": {}}]}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{"context": "away\nhome\n:4\n", "cluster": "c\n:4\n", "user": "jane\n:4\n"} {
		if code, out, _ := execute("__complete", "status", "--kubeconfig", file, "--"+flag, ""); code != 0 || out != want {
			t.Errorf("--%s: %d, %q, want %q", flag, code, out, want)
		}
	}
}

// Names from the cluster that a terminal would not show as they are, are not offered.
func TestCompletionIsSafe(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("ev\u202eil", 3, 1)
		d := a.deployment("auth-v2")
		d.Spec.Template.Labels = map[string]string{"app": "auth", "version": "v2\x1b[2J"}
		a.put("deployments", d)
		if diff := cmp.Diff([]string{"auth\tv1 3/3, v2?[2J 1/1", noFiles}, a.complete("status ")); diff != "" {
			t.Error(diff)
		}
	})
}

// What may not be read, or is not there, is not offered, and not complained of.
func TestCompletionForbidden(t *testing.T) {
	for _, line := range []string{"status ", "shift --canary ", "shift --version-label ", "status -n "} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.refuse = forbid("GET")
			if got := a.complete(line); !slices.Equal(got, []string{noFiles}) {
				t.Errorf("%q: %q", line, got)
			}
		})
	}
}

// A transport that does not even look at its context holds nothing up.
func TestCompletionIsInTime(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		hang := make(chan struct{})
		a.refuse = func(*http.Request) (metav1.StatusReason, string) {
			<-hang
			return "", ""
		}
		began := time.Now()
		if got := a.complete("status "); !slices.Equal(got, []string{noFiles}) {
			t.Errorf("%q", got)
		}
		if took := time.Since(began); took != askTime {
			t.Errorf("it took %s, want %s", took, askTime)
		}
		close(hang)
		synctest.Wait()
	})
}

// Completion asks for no more than it needs.
func TestCompletionRequests(t *testing.T) {
	const services, deployments = "GET /api/v1/namespaces/messenger/services", "GET /apis/apps/v1/namespaces/messenger/deployments"
	for line, want := range map[string][]string{
		"status ":         {services, deployments},
		"shift --canary ": {services, deployments},
		"shift --to ":     {},
		"status -A ":      {},
		"status --con":    {},
		"status -n ":      {"GET /api/v1/namespaces"},
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.put("namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
			a.complete(line)
			if got := slices.Sorted(slices.Values(a.requests)); !slices.Equal(got, want) {
				t.Errorf("%q asks for %q, want %q", line, got, want)
			}
		})
	}
}

// Versions are told apart by the label that is typed.
func TestCompletionByVersionLabel(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		for version, ring := range map[string]string{"v1": "outer", "v2": "inner"} {
			d := a.deployment("auth-" + version)
			d.Spec.Template.Labels = map[string]string{"app": "auth", "version": version, "ring": ring}
			a.put("deployments", d)
		}
		for line, want := range map[string][]string{
			"status --version-label ring ":          {"auth\tinner 1/1, outer 3/3", noFiles},
			"status --version-label ring --canary ": {"inner", "outer", noFiles},
			"status --version-label ":               {"ring", "version", noFiles},
		} {
			if diff := cmp.Diff(want, a.complete(line)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", line, diff)
			}
		}
	})
}
