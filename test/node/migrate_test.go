package node

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The exit codes of migrate: a gate failed and all is rolled back, or could not tell and all is held.
const gateFailed, gateUnsure = 4, 5

// migration is what became of a canary, by whoever moved it, and of the requests meanwhile.
type migration struct {
	code    int    // the command's exit code
	says    string // and all it said
	took    time.Duration
	at      string // what the Deployments of every service ask for, or of each where they differ
	loads   reports
	invalid string // why the load is none to conclude from
}

// underLoad runs a command to its end with load on all services, from a second before it until five seconds after.
func underLoad(t testing.TB, namespace string, args ...string) (m migration) {
	t.Helper()
	all := startLoads(t, namespace)
	time.Sleep(time.Second)
	m = ends(t, namespace, args...)
	time.Sleep(5 * time.Second)
	m.loads = reports{}
	for service, l := range all {
		r := l.finish()
		m.loads[service] = r
		if !r.Valid {
			m.invalid = service + ": " + r.Reason
		}
	}
	return m
}

// ends runs a command to its end, whatever that is.
func ends(t testing.TB, namespace string, args ...string) (m migration) {
	t.Helper()
	began := time.Now()
	out, err := cluster.command(t.Context(), args...).CombinedOutput()
	m.took, m.says = time.Since(began), string(out)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		m.code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	for _, service := range services {
		at := replicas(t, namespace, service)
		switch {
		case m.at == "":
			m.at = at
		case m.at != at:
			m.at += ", " + service + " " + at
		}
	}
	return m
}

// bad are the answers of chat's canary that its callers should not have had: those that failed, or where it is slow, all.
func (m migration) bad(slow bool) (n int, share float64, first, last time.Time) {
	v2 := m.loads["chat"].Versions["v2"]
	n, first, last = v2.Failed, v2.FirstFailure, v2.LastFailure
	if slow {
		n, first, last = v2.Requests, v2.First, v2.Last
	}
	requests, _ := m.loads.sum()
	return n, float64(n) / float64(requests), first, last
}

// migrateBy is the migration of the acceptance, with gates.
func migrateBy(namespace string, gates ...string) []string {
	return append([]string{"kubectl", "canary", "migrate", "-n", namespace, "--steps", "25,50,75,100", "--pause", "20s"}, gates...)
}

// A canary that fails some requests, or is slow, is rolled back with those that move beside it, while others still get good answers.
func TestMigrateSick(t *testing.T) {
	onNode(t)
	const failing, slow = "ERROR_RATE=0.05", "LATENCY=200ms"
	for _, c := range []struct {
		name, sick string
		gates      []string
	}{
		{"errors by scrape", failing, []string{"--scrape", "--max-error-rate", "1%"}},
		{"errors by probe", failing, []string{"--probe", "/", "--max-error-rate", "1%"}},
		{"errors by Prometheus", failing, []string{"--prometheus", prometheusURL, "--max-error-rate", "1%"}},
		{"latency by scrape", slow, []string{"--scrape", "--max-latency", "p99=150ms"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := deploy(t, app{alone: true, graceful: true, sick: map[string]string{"chat-v2": c.sick}})
			if strings.Contains(c.name, "Prometheus") {
				startPrometheus(t, ns)
			}
			m := underLoad(t, ns, migrateBy(ns, c.gates...)...)
			n, share, first, last := m.bad(c.sick == slow)
			t.Logf("%s\nafter %s at %s; %d bad answers, %.2f%% of all, for %s", m.says, m.took, m.at, n, 100*share, last.Sub(first))
			if m.invalid != "" {
				t.Fatal(m.invalid)
			}
			if m.code != gateFailed || m.at != "3/0" {
				t.Errorf("exit code %d, at %s; want %d and 3/0", m.code, m.at, gateFailed)
			}
			requests, failed := m.loads.sum()
			if n == 0 || share > 0.07 || failed != m.loads["chat"].Versions["v2"].Failed {
				t.Errorf("%d bad answers, %d of %d requests failed; want only those of chat-v2, and few", n, failed, requests)
			}
			if v2 := m.loads["auth"].Versions["v2"]; v2.Requests == 0 {
				t.Error("the others have not moved beside it")
			}
		})
	}
}

// A canary that is as good as stable gets everything, though it is watched by all that there is.
func TestMigrateGood(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{alone: true, graceful: true})
	startPrometheus(t, ns)
	m := underLoad(t, ns, migrateBy(ns, "--pause", "15s", "--min-requests", "50", "--scrape", "--probe", "/", "--prometheus", prometheusURL, "--max-error-rate", "1%", "--max-latency", "p99=2s")...)
	t.Logf("%s\nafter %s at %s", m.says, m.took, m.at)
	requests, failed := m.loads.sum()
	if m.code != 0 || m.at != "0/3" || failed > 0 || m.invalid != "" {
		t.Errorf("exit code %d, at %s, %d of %d requests failed %s; want 0, 0/3 and none", m.code, m.at, failed, requests, m.invalid)
	}
}

// Where stable is as sick, the canary is not to blame: it is not rolled back. With a bound that both break nobody can tell.
func TestMigrateStableSick(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{alone: true, graceful: true, sick: map[string]string{"chat-v1": "ERROR_RATE=0.05", "chat-v2": "ERROR_RATE=0.05"}})
	for _, c := range []struct {
		gates []string
		codes string
		at    string
	}{
		{[]string{"--scrape", "--max-error-rate", "1%"}, fmt.Sprint(gateUnsure), "3/1"},
		{[]string{"--scrape", "--to", "50"}, fmt.Sprint(0, gateUnsure), "2/2 3/1"},
	} {
		m := underLoad(t, ns, migrateBy(ns, c.gates...)...)
		t.Logf("%s\nafter %s at %s", m.says, m.took, m.at)
		if m.invalid != "" || !strings.Contains(c.codes, fmt.Sprint(m.code)) || !strings.Contains(c.at, m.at) {
			t.Errorf("%v: exit code %d, at %s %s; want %s, %s", c.gates, m.code, m.at, m.invalid, c.codes, c.at)
		}
		moves(t, ns, "rollback")
	}
}

// Without requests nothing is known of the canary: it is held where it is.
func TestMigrateNoTraffic(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{alone: true, graceful: true})
	m := ends(t, ns, migrateBy(ns, "--scrape", "--max-error-rate", "1%")...)
	t.Logf("%s\nafter %s at %s", m.says, m.took, m.at)
	if m.code != gateUnsure || m.at != "3/1" {
		t.Errorf("exit code %d, at %s; want %d and 3/1", m.code, m.at, gateUnsure)
	}
}
