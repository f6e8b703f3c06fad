package cluster

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// As "headless" this program ends its first thread at once, and the others half a second later.
func init() { //nolint:gochecknoinits // only here it is certain which thread runs
	if os.Args[0] == "headless" {
		runtime.LockOSThread()
		go func() {
			time.Sleep(500 * time.Millisecond)
			os.Exit(0)
		}()
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
	}
}

// A process whose first thread has ended is a zombie already, but holds its ports until the last has.
func TestAliveUntilItsLastThreadEnds(t *testing.T) {
	began := time.Now()
	p, _ := launchTest(t, "headless")
	eventually(t, "it ends", func() bool { return !p.alive() })
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("counted as dead after %s", took)
	}
}
