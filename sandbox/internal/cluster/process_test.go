package cluster

import (
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// This program is also the component that the tests start: argv[0] says which.
func TestMain(m *testing.M) {
	switch os.Args[0] {
	case "sleeper":
		time.Sleep(time.Minute)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		os.Stdout.WriteString("deaf\n")
		time.Sleep(time.Minute)
	case "untidy":
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		os.Stdout.WriteString("waits\n")
		<-asked
		_ = os.Mkdir("late", 0o700)
	case "broken":
		os.Stderr.WriteString("first line\nbind: address already in use\nlast line\n")
		os.Exit(1)
	default:
		os.Exit(m.Run())
	}
}

func launchTest(t *testing.T, name string) (process, string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	p, err := start(&recorded{Name: name}, dir, log, (*exec.Cmd).Start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.signal(syscall.SIGKILL) })
	return p, log
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func TestStartAndStop(t *testing.T) {
	p, _ := launchTest(t, "sleeper")
	if !p.alive() {
		t.Fatal("not alive after the start")
	}
	if session, _, _ := syscall.Syscall(syscall.SYS_GETSID, uintptr(p.PID), 0, 0); int(session) != p.PID {
		t.Errorf("session %d, want its own, %d", session, p.PID)
	}
	begin := time.Now()
	if err := stop(10*time.Second, p); err != nil {
		t.Fatal(err)
	}
	if p.alive() || time.Since(begin) > 5*time.Second {
		t.Errorf("alive: %v, after %v", p.alive(), time.Since(begin))
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	p, log := launchTest(t, "stubborn")
	eventually(t, "it ignores the signal", func() bool { return strings.Contains(tail(end(log), 1), "deaf") })
	if err := stop(200*time.Millisecond, p); err != nil {
		t.Fatal(err)
	}
	if p.alive() {
		t.Error("still alive")
	}
}

// TestReusedPID records a process whose number now belongs to another: that one must be left alone.
func TestReusedPID(t *testing.T) {
	p, _ := launchTest(t, "sleeper")
	reused := process{PID: p.PID, Born: p.Born + "0"}
	if reused.alive() {
		t.Error("another process passes for the recorded one")
	}
	if err := stop(time.Millisecond, reused, process{}, process{PID: p.PID}); err != nil {
		t.Fatal(err)
	}
	if !p.alive() {
		t.Error("stop has killed a process that was not recorded")
	}
}

func TestDeadButNotWaitedFor(t *testing.T) {
	cmd := exec.Command("/bin/true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := process{PID: cmd.Process.Pid, Born: born(cmd.Process.Pid)}
	eventually(t, "a zombie counts as dead", func() bool { return !p.alive() })
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestBorn(t *testing.T) {
	if a, b := born(os.Getpid()), born(os.Getpid()); a == "" || a != b {
		t.Errorf("born = %q, then %q", a, b)
	}
	if b := born(1 << 30); b != "" {
		t.Errorf("no such process was born %q", b)
	}
}

func TestFreePorts(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, port := range ports {
		if seen[port] {
			t.Errorf("port %d twice", port)
		}
		if seen[port] = true; port >= 32768 {
			t.Errorf("port %d may be given to a client", port)
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Errorf("port %d is not free: %v", port, err)
			continue
		}
		l.Close()
	}
}
