package realnode

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchies lists where the cgroup hierarchies are mounted: one of version 2, or one for each controller of version 1.
func hierarchies() ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var mounts []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// the mount point is field 5; after a lone hyphen comes the type
		mount, fsType, ok := strings.Cut(lines.Text(), " - ")
		if fields := strings.Fields(mount); ok && len(fields) > 4 && strings.HasPrefix(fsType, "cgroup") {
			mounts = append(mounts, fields[4])
		}
	}
	if lines.Err() == nil && len(mounts) == 0 {
		return nil, errors.New("no cgroups are mounted")
	}
	return mounts, lines.Err()
}

// makeCgroups makes the tree in every hierarchy. The kubelet makes the pods' cgroups in it.
func makeCgroups(tree string) error {
	mounts, err := hierarchies()
	if err != nil {
		return err
	}
	for _, mount := range mounts {
		// version 2: what the root does not hand down, the tree does not have. It stays so, as with every container runtime;
		// the kubelet says which it misses
		for _, controller := range []string{"cpu", "cpuset", "memory", "hugetlb", "pids"} {
			_ = os.WriteFile(filepath.Join(mount, "cgroup.subtree_control"), []byte("+"+controller), 0)
		}
		if err := os.Mkdir(filepath.Join(mount, tree), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// RemoveCgroups removes the tree from every hierarchy. Its processes must be dead; the kernel may take a moment to see that.
func RemoveCgroups(tree string) error {
	mounts, err := hierarchies()
	if err != nil {
		return nil // no cgroups, nothing to remove
	}
	for _, mount := range mounts {
		var dirs []string
		_ = filepath.WalkDir(filepath.Join(mount, tree), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		slices.Reverse(dirs) // the innermost first
		for _, dir := range dirs {
			if err := removeCgroup(dir); err != nil {
				return fmt.Errorf("cgroup %s: %w", dir, err)
			}
		}
	}
	return nil
}

func removeCgroup(dir string) error {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Rmdir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
