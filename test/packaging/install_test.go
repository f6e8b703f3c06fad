package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestInstall installs the archive for this system as krew does, and runs the plugin through kubectl.
func TestInstall(t *testing.T) {
	m := shipped(t)
	krew := install(t, m)

	commit := "[0-9a-f]{12}"
	if exec.CommandContext(t.Context(), "git", "-C", root, "rev-parse", "HEAD").Run() != nil {
		commit = "none" // the source is no clone
	}
	version := kubectl(t, krew, "canary", "version")
	want := regexp.MustCompile(`^kubectl-canary ` + regexp.QuoteMeta(m.Spec.Version) +
		` \(commit ` + commit + `, go1\.\S+, ` + runtime.GOOS + "/" + runtime.GOARCH + `\)\n$`)
	if !want.MatchString(version) {
		t.Errorf("version: %q, want %s", version, want)
	}
	if help := kubectl(t, krew, "canary", "--help"); !strings.Contains(help, "kubectl canary [command]") {
		t.Errorf("help:\n%s", help)
	}
	follow(t, krew, m.Spec.Caveats)
	list := kubectl(t, krew, "plugin", "list")
	if want := filepath.Join(krew, "bin", "kubectl-canary") + "\n"; !strings.HasSuffix(list, "\n"+want) || strings.Contains(list, "warning") {
		t.Errorf("plugin list:\n%s\nwant %s", list, want)
	}
}

// follow runs the command of the caveats, after which kubectl completes the plugin's commands.
func follow(t *testing.T, krew, caveats string) {
	t.Helper()
	_, command, _ := strings.Cut(caveats, "run:\n")
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", command)
	cmd.Env = append(os.Environ(), "KREW_ROOT="+krew)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if offers := kubectl(t, krew, "__complete", "canary", ""); !strings.Contains(offers, "\nshift\t") {
		t.Errorf("kubectl completes:\n%s", offers)
	}
}

// install puts all files of the archive into the store, links the program where kubectl finds it, and returns krew's folder.
func install(t *testing.T, m manifest) string {
	t.Helper()
	i := slices.IndexFunc(m.Spec.Platforms, func(p platform) bool {
		found, err := p.selects()
		return err == nil && slices.Contains(found, runtime.GOOS+"/"+runtime.GOARCH)
	})
	if i < 0 {
		t.Fatalf("no archive for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	p := m.Spec.Platforms[i]
	krew := t.TempDir()
	store := filepath.Join(krew, "store", m.Metadata.Name, m.Spec.Version)
	bin := filepath.Join(krew, "bin")
	for _, folder := range []string{store, bin} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range unpack(t, p) {
		if err := os.WriteFile(filepath.Join(store, f.name), f.content, f.mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(store, p.Bin), filepath.Join(bin, "kubectl-"+strings.ReplaceAll(m.Metadata.Name, "-", "_"))); err != nil {
		t.Fatal(err)
	}
	return krew
}

// kubectl runs the real one, with the installed plugin and nothing else in PATH.
func kubectl(t *testing.T, krew string, args ...string) string {
	t.Helper()
	program, err := filepath.Abs(root + "/bin/kubectl")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = krew
	cmd.Env = []string{"PATH=" + filepath.Join(krew, "bin"), "HOME=" + krew, "KUBECONFIG=" + filepath.Join(krew, "none")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
