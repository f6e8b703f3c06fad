package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/load"
)

func TestMain(m *testing.M) {
	if os.Getenv("BE_APP") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// begin starts the app as a process of its own, and waits until it listens.
func begin(t *testing.T, env ...string) (cmd *exec.Cmd, url string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "BE_APP=1", "ADDRESS=127.0.0.1", "PORT=0", "VERSION=v1"), env...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stderr).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "v1 serves on ")
	if !ok {
		t.Fatalf("it says %q, %v", line, err)
	}
	return cmd, "http://" + address
}

// under sends 200 requests a second for 2 s, and SIGTERM after one of them; took is how long the process lives on.
func under(t *testing.T, keepAlive int, env ...string) (report load.Report, took time.Duration) {
	t.Helper()
	cmd, url := begin(t, env...)
	var running sync.WaitGroup
	running.Go(func() {
		time.Sleep(time.Second)
		told := time.Now()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
		took = time.Since(told)
	})
	r, err := load.Start(t.Context(), load.Options{
		URL: url, Rate: 200, For: 2 * time.Second, Timeout: time.Second, InFlight: 500, KeepAlive: keepAlive,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	running.Wait()
	report = r.Report()
	if !report.Valid {
		t.Fatal(report.Reason)
	}
	return report, took
}

// An app that drains loses nothing while its grace lasts, new connections and kept ones alike.
func TestDrain(t *testing.T) {
	for _, keepAlive := range []int{0, 20} {
		t.Run(fmt.Sprint("keep-alive ", keepAlive), func(t *testing.T) {
			t.Parallel()
			report, took := under(t, keepAlive, "DRAIN=true", "DRAIN_FOR=1500ms", "LATENCY=20ms")
			if report.OK != 400 || report.Failed != 0 {
				t.Errorf("%d ok, %d failed: %+v", report.OK, report.Failed, report.Failures)
			}
			if keepAlive > 0 && report.Reconnects < 150 {
				t.Errorf("%d reconnects: a client is not told to go elsewhere", report.Reconnects)
			}
			if took < 1500*time.Millisecond || took > 2500*time.Millisecond {
				t.Errorf("it lived on for %v", took)
			}
		})
	}
}

// Without, it is gone at once, and so is what it was about to answer.
func TestNoDrain(t *testing.T) {
	for _, keepAlive := range []int{0, 20} {
		t.Run(fmt.Sprint("keep-alive ", keepAlive), func(t *testing.T) {
			t.Parallel()
			report, took := under(t, keepAlive, "LATENCY=50ms")
			if took > 500*time.Millisecond {
				t.Errorf("it lived on for %v", took)
			}
			refused, broken := report.Failures[load.Refused], 0
			for _, kind := range []load.Failure{load.EOF, load.Reset} {
				if lost := report.Failures[kind]; lost != nil {
					broken += lost.Count
				}
			}
			if refused == nil || refused.Count < 150 || broken < 3 || broken > 40 || report.OK < 150 {
				t.Errorf("%d ok, %d broken off, refused %+v", report.OK, broken, refused)
			}
		})
	}
}

// What is in flight when the grace ends is answered.
func TestDrainInFlight(t *testing.T) {
	cmd, url := begin(t, "DRAIN=true", "DRAIN_FOR=100ms", "LATENCY=1s")
	go func() {
		time.Sleep(200 * time.Millisecond)
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}()
	r, err := load.Start(t.Context(), load.Options{URL: url, Rate: 100, For: 100 * time.Millisecond, Timeout: 5 * time.Second, InFlight: 10}, nil)
	if report := r.Report(); err != nil || report.OK != 10 {
		t.Errorf("%d ok of 10, %v: %+v", report.OK, err, report.Failures)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	began := time.Now()
	_, url := begin(t, "READY_AFTER=700ms", "ERROR_RATE=0.1", "LATENCY=20ms")
	for code := 0; code != 200; {
		if code, _, _ = get(t, url+"/health"); time.Since(began) > 10*time.Second {
			t.Fatal("it is never ready")
		}
	}
	if took := time.Since(began); took < 700*time.Millisecond {
		t.Errorf("ready after %v", took)
	}
	r, err := load.Start(t.Context(), load.Options{URL: url, Rate: 100, For: time.Second, Timeout: time.Second, InFlight: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	report := r.Report()
	if lost := report.Failures[load.HTTP5xx]; report.OK != 90 || lost == nil || lost.Count != 10 || report.Versions["v1"].Requests != 100 {
		t.Errorf("%d ok of 100: %+v", report.OK, report.Failures)
	}
	if p50 := report.Latency.P50; p50 < 0.02 || p50 > 0.2 {
		t.Errorf("half take up to %v s", p50)
	}
}

func TestBadEnvironment(t *testing.T) {
	for _, variable := range []string{
		"PORT=http", "PORT=65536", "READY_AFTER=5", "READY_AFTER=-1s", "LATENCY=fast", "ERROR_RATE=1.1", "ERROR_RATE=-0.1", "ERROR_RATE=NaN",
		"ERROR_RATE=10%", "MEMORY=64MB", "MEMORY=-1", "DRAIN=yes", "DRAIN_FOR=5",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), "BE_APP=1", "ADDRESS=127.0.0.1", "PORT=0", variable)
		output, err := cmd.CombinedOutput()
		cancel()
		name, _, _ := strings.Cut(variable, "=")
		if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(output), "error: "+name+"=") || strings.Count(string(output), "\n") != 1 {
			t.Errorf("%s: %v: %q", variable, err, output)
		}
	}
}

func TestMemory(t *testing.T) {
	resident := func(env ...string) (kilobytes int) {
		cmd, _ := begin(t, env...)
		out, err := exec.Command("ps", "-o", "rss=", "-p", fmt.Sprint(cmd.Process.Pid)).Output()
		if _, scan := fmt.Sscan(string(out), &kilobytes); err != nil || scan != nil {
			t.Fatal(err, scan)
		}
		return kilobytes
	}
	if more := resident("MEMORY=64Mi") - resident(); more < 60<<10 || more > 70<<10 {
		t.Errorf("MEMORY=64Mi holds %d KiB", more)
	}
}
