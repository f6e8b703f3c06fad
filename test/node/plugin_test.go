package node

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// moves runs `kubectl canary` in a namespace to its end, and fails the test when it fails.
func moves(t testing.TB, namespace string, args ...string) {
	t.Helper()
	runs(t, "", append([]string{"kubectl", "canary", "-n", namespace}, args...)...)
}

// moving is `kubectl canary` at work.
type moving struct {
	t    testing.TB
	cmd  *exec.Cmd
	end  sync.Once
	says chan string // the lines of its progress
	all  strings.Builder
}

func startMove(t testing.TB, namespace string, args ...string) *moving {
	t.Helper()
	m := &moving{t: t, says: make(chan string, 1000)}
	m.cmd = cluster.command(t.Context(), append([]string{"kubectl", "canary", "-n", namespace}, args...)...)
	progress, err := m.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.kill)
	go m.read(progress)
	return m
}

func (m *moving) read(progress io.Reader) {
	defer close(m.says)
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		m.says <- lines.Text()
	}
}

// until waits for a line of progress that contains the text.
func (m *moving) until(text string) {
	m.t.Helper()
	timeout := time.After(2 * time.Minute)
	for {
		select {
		case line, more := <-m.says:
			m.all.WriteString(line + "\n")
			if strings.Contains(line, text) {
				return
			}
			if !more {
				m.t.Fatalf("it never says %q:\n%s", text, m.all.String())
			}
		case <-timeout:
			m.t.Fatalf("it does not say %q:\n%s", text, m.all.String())
		}
	}
}

// kill ends it by KILL, unless it has ended: `sandbox exec` and kubectl become the plugin, so that it is one process.
func (m *moving) kill() {
	m.end.Do(func() {
		_ = m.cmd.Process.Signal(syscall.SIGKILL)
		for range m.says {
		}
		_ = m.cmd.Wait()
	})
}

// replicas are what the Deployments of a service ask for, as "v1/v2".
func replicas(t testing.TB, namespace, service string) string {
	t.Helper()
	return runs(t, "", "kubectl", "get", "deployments", "-n", namespace, service+"-v1", service+"-v2", "-o",
		"jsonpath={.items[0].spec.replicas}/{.items[1].spec.replicas}")
}

// pods are the names of the pods that a selector selects, without those that are going.
func pods(t testing.TB, namespace, selector string) string {
	t.Helper()
	return runs(t, "", "kubectl", "get", "pods", "-n", namespace, "-l", selector, "-o",
		`go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}`)
}
