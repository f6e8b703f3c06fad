package sandbox_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is what a real node could change outside its cluster's folder.
type machine struct {
	paths, settings []string
}

// lookAtMachine looks at it, but for what other clusters have: that comes and goes.
func lookAtMachine(t *testing.T) machine {
	t.Helper()
	var m machine
	for _, pattern := range []string{
		"/run/containerd", "/run/netns/*", "/run/runc", "/run/sandbox", "/var/lib/cni", "/var/lib/containerd", "/var/lib/kubelet",
		"/var/log/containers", "/var/log/pods", "/etc/cni", "/sys/class/net/*", "/sys/fs/cgroup/k8s.io", "/sys/fs/cgroup/*/k8s.io",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		m.paths = append(m.paths, paths...)
	}
	rules, stderr, err := run(t, "", "nft", "list", "ruleset")
	if err != nil {
		t.Fatalf("nft: %v\n%s", err, stderr)
	}
	m.settings = append(m.settings, rules)
	for _, name := range []string{"vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"} {
		value, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			t.Fatal(err)
		}
		m.settings = append(m.settings, name+"="+string(value))
	}
	return m
}

// unchanged compares the machine with what it was.
func (m machine) unchanged(t *testing.T) {
	t.Helper()
	now := lookAtMachine(t)
	if !slices.Equal(m.paths, now.paths) {
		t.Errorf("files were\n%q, and are\n%q", m.paths, now.paths)
	}
	if !slices.Equal(m.settings, now.settings) {
		t.Errorf("settings were %q, and are %q", m.settings, now.settings)
	}
}

// initPID reads the number of the process that holds the namespaces of a cluster with a real node, 0 when there is none yet.
func (c *cluster) initPID() int {
	c.t.Helper()
	var state struct{ Init struct{ PID int } }
	data, err := os.ReadFile(filepath.Join(c.dir(), "state.json"))
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	return state.Init.PID
}

// namespaces are those of a process.
func namespaces(t *testing.T, pid int) map[string]string {
	t.Helper()
	own := map[string]string{}
	for _, kind := range []string{"net", "mnt", "pid", "ipc", "uts"} {
		of := func(pid int) string {
			link, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/" + kind)
			return link
		}
		if own[kind] = of(pid); own[kind] == "" || own[kind] == of(os.Getpid()) {
			t.Fatalf("process %d is in the %s namespace %q, want one of the cluster's own", pid, kind, own[kind])
		}
	}
	return own
}

// remains counts the processes that live in one of these namespaces or in the cluster's cgroups, as pods do, and lists its cgroups,
// mounts and folder.
func (c *cluster) remains(own map[string]string) (processes int, paths []string) {
	c.t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, proc := range entries {
		if _, err := os.Readlink(proc + "/exe"); err != nil {
			continue // dead, and not yet waited for
		}
		if cgroup, err := os.ReadFile(proc + "/cgroup"); err == nil && strings.Contains(string(cgroup), "/sandbox-"+c.name+"-") {
			processes++
			continue
		}
		for kind, namespace := range own {
			if link, err := os.Readlink(filepath.Join(proc, "ns", kind)); err == nil && link == namespace {
				processes++
				break
			}
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup/sandbox-" + c.name + "-*", "/sys/fs/cgroup/*/sandbox-" + c.name + "-*"} {
		cgroups, err := filepath.Glob(pattern)
		if err != nil {
			c.t.Fatal(err)
		}
		paths = append(paths, cgroups...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, c.dir()) {
			paths = append(paths, line)
		}
	}
	if _, err := os.Stat(c.dir()); err == nil {
		paths = append(paths, c.dir())
	}
	return processes, paths
}

// gone fails unless nothing is left of the cluster that lived in these namespaces.
func (c *cluster) gone(own map[string]string) {
	c.t.Helper()
	if processes, paths := c.remains(own); processes > 0 || len(paths) > 0 {
		c.t.Errorf("left: %d processes, %q", processes, paths)
	}
}

// kill kills a process and waits for its end, which its parent may be slow to notice.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func() error {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			return fmt.Errorf("process %d still runs: %s", pid, stat)
		}
		return nil
	})
}
