package cluster

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// born tells when the process started: the boot, and the clock ticks since. It is empty when there is no such process or it is dead.
func born(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// the name, in parentheses, may hold anything; what follows its last one is fixed: the state is field 3, the start field 22
	_, rest, ok := strings.Cut(string(stat[max(0, bytes.LastIndexByte(stat, ')')):]), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "X" || fields[0] == "Z" && !moreThreads(pid) {
		return ""
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(boot)) + "/" + fields[19]
}

// moreThreads says whether threads besides the first are there: until the last of them has ended, the ports are still taken.
func moreThreads(pid int) bool {
	tasks, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	return len(tasks) > 1
}

// memory is what the process holds, in bytes.
func memory(pid int) int64 {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := strings.Fields(string(statm))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
