package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// kernelWide are the settings that a kubelet changes for the whole machine.
var kernelWide = []string{
	"vm/overcommit_memory", "vm/panic_on_oom",
	"kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// mounts makes this mount namespace, which nothing leaves already, one in which the node's programs change nothing of the machine's:
// what they write outside dir is in memory. An empty /run also hides the machine's systemd, which would mistake the numbers of
// processes here for its own.
func mounts(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	below := fmt.Sprintf("/proc/self/fd/%d", folder.Fd())
	for _, tmpfs := range []string{"/run", "/var/log"} {
		if err := mount("tmpfs", tmpfs, "tmpfs", 0, "mode=755"); err != nil {
			return err
		}
	}
	for _, d := range []string{"/run/sandbox/upper", "/run/sandbox/work", "/run/sandbox/sys", dir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := mount("overlay", "/var/lib", "overlay", 0, "lowerdir=/var/lib,upperdir=/run/sandbox/upper,workdir=/run/sandbox/work"); err != nil {
		return err
	}
	if err := mount(below, dir, "", unix.MS_BIND, ""); err != nil { // it may be below one of these
		return err
	}
	for name, path := range realnode.Binds {
		source := filepath.Join(dir, "node", name)
		if err := os.MkdirAll(source, 0o700); err != nil {
			return err
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := mount(source, path, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	if err := mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	for _, name := range kernelWide {
		if err := pretend(name); err != nil {
			return err
		}
	}
	return mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "") // what a kubelet mounts, its pods' namespaces shall see
}

// pretend puts a plain file in the place of a setting.
func pretend(name string) error {
	setting := filepath.Join("/proc/sys", name)
	value, err := os.ReadFile(setting)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	file := filepath.Join("/run/sandbox/sys", filepath.Base(name))
	if err := os.WriteFile(file, value, 0o600); err != nil {
		return err
	}
	return mount(file, setting, "", unix.MS_BIND, "")
}

func mount(source, target, fsType string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, fsType, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}
