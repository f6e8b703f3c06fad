//go:build !linux

package cluster

import (
	"os/exec"
	"strconv"
	"strings"
)

// born tells when the process started, or is empty when there is no such process or it is dead.
func born(pid int) string {
	out, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	status, start, ok := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !ok || strings.HasPrefix(status, "Z") {
		return ""
	}
	return strings.TrimSpace(start)
}

// memory is what the process holds, in bytes.
func memory(pid int) int64 {
	out, _ := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	kilobytes, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return kilobytes * 1024
}
