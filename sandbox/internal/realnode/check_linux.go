package realnode

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Find finds the programs; the error names, in one line, all that this machine lacks for a real node. It changes nothing.
func Find() (Programs, error) {
	if os.Geteuid() != 0 {
		return Programs{}, errors.New("a real node needs root")
	}
	self, err := os.Executable()
	if err != nil {
		return Programs{}, err
	}
	var missing []string
	find := func(name string, dirs ...string) string {
		for _, dir := range dirs {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path
			}
		}
		missing = append(missing, name)
		return ""
	}
	path := filepath.SplitList(Path())
	p := Programs{
		Node: find("sandbox-node", filepath.Dir(self)), Init: find("sandbox-init", filepath.Dir(self)),
		Containerd: find("containerd", path...), Ctr: find("ctr", path...),
	}
	if len(missing) > 0 && p.Node+p.Init == "" {
		missing = append([]string{"sandbox-node and sandbox-init (`make sandbox-node` builds them)"}, missing[2:]...)
	}
	for _, name := range []string{"containerd-shim-runc-v2", "runc"} {
		find(name, path...)
	}
	mount, nft := find("mount", path...), find("nft", path...)
	// where Debian has them, and where most others do
	p.CNI = filepath.Dir(find("ptp", "/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"))
	for _, name := range []string{"host-local", "loopback"} {
		find(name, p.CNI)
	}
	if len(missing) > 0 {
		return p, fmt.Errorf("a real node needs programs that are missing: %s", strings.Join(missing, ", "))
	}
	return p, allowed(mount, nft)
}

// allowed tries what a node does first, in namespaces that are gone at once.
func allowed(mount, nft string) error {
	mounts, err := hierarchies()
	if err != nil {
		return fmt.Errorf("a real node needs cgroups: %w", err)
	}
	for _, dir := range mounts {
		if err := unix.Access(dir, unix.W_OK); err != nil {
			return fmt.Errorf("a real node needs cgroups that it may write: %s: %w", dir, err)
		}
	}
	for _, try := range [][]string{{mount, "-t", "tmpfs", "sandbox", "/run"}, {nft, "add", "table", "ip", "sandbox"}} {
		cmd := exec.Command(try[0], try[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: cloned, Unshareflags: syscall.CLONE_NEWNS}
		if out, err := cmd.CombinedOutput(); err != nil {
			line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			return fmt.Errorf("a real node needs namespaces of its own; `%s` in new ones: %w %s", cmd, err, line)
		}
	}
	return nil
}
