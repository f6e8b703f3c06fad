package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/load"
)

func TestMain(m *testing.M) {
	if os.Getenv("BE_LOAD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is the load generator as a process of its own; an environment with a proxy is none of its business.
func program(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "BE_LOAD=1", "http_proxy=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1")
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

func code(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

func read(t *testing.T, data []byte) load.Report {
	t.Helper()
	var report load.Report
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return report
}

func TestRun(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Version", "v1") }))
	defer server.Close()
	log := filepath.Join(t.TempDir(), "log")
	cmd, stdout, stderr := program("--url", server.URL, "--rate", "50", "--for", "1.2s", "--log", log, "-v")
	if got := code(cmd.Run()); got != 0 {
		t.Fatalf("exit code %d: %s", got, stderr)
	}
	if report := read(t, stdout.Bytes()); report.OK != 60 || report.Failed != 0 || report.Versions["v1"].Requests != 60 {
		t.Errorf("the report is %s", stdout)
	}
	lines, err := os.ReadFile(log)
	if err != nil || strings.Count(string(lines), `"version":"v1"}`+"\n") != 60 {
		t.Errorf("%v, the log is %s", err, lines)
	}
	if got := stderr.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "ok: map[v1:") {
		t.Errorf("stderr is %q", got)
	}
}

// Failed requests are what the program is there to find: only a run from which nothing follows is an error.
func TestExitCodes(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(200 * time.Millisecond) }))
	defer slow.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, c := range []struct {
		name, says string
		code       int
		args       []string
	}{
		{"all fail", "", 0, []string{"--url", gone.URL, "--for", "100ms"}},
		{"shed", "the run is invalid: 8 requests were not sent: 2 were in flight", 2, []string{"--url", slow.URL, "--rate", "100", "--for", "100ms", "--in-flight", "2"}},
		{"no URL", `"" is not http://IP:PORT/`, 1, nil},
		{"unknown flag", "unknown flag: --fast", 1, []string{"--fast"}},
		{"argument", "unknown command", 1, []string{gone.URL}},
		{"file", "no such file or directory", 1, []string{"--url", gone.URL, "--out", "/nowhere/at/all"}},
	} {
		cmd, stdout, stderr := program(c.args...)
		if got := code(cmd.Run()); got != c.code || !strings.Contains(stderr.String(), c.says) || strings.Count(stderr.String(), "\n") > 1 {
			t.Errorf("%s: exit code %d, not %d: %q", c.name, got, c.code, stderr)
		}
		if c.code == 1 {
			if stdout.Len() > 0 {
				t.Errorf("%s: stdout is %s", c.name, stdout)
			}
		} else if report := read(t, stdout.Bytes()); report.Valid != (c.code == 0) {
			t.Errorf("%s: valid is %v", c.name, report.Valid)
		}
	}
}

func TestInterrupt(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		out := filepath.Join(t.TempDir(), "report")
		cmd, stdout, stderr := program("--url", server.URL, "--for", "10m", "--out", out)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		_ = cmd.Process.Signal(signal)
		if got := code(cmd.Wait()); got != 0 || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", signal, got, stdout, stderr)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if report := read(t, data); !report.Interrupted || report.Failures[load.Other].Count < 50 || report.Requests > 250 {
			t.Errorf("%v: the report is %s", signal, data)
		}
	}
}
