package test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
	"github.com/kubectl-canary/kubectl-canary/test/process"
)

// killed N VERB FLAG...: for each release whose name ends in a number and b or a, such as x3b and x3a for every number up
// to N, runs `kubectl canary VERB RELEASE FLAG...` and ends it by KILL at the write of that number (of a Lease, a
// pod or a scale): before its answer has come, or after. All at once.
func cmdKilled(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: killed N VERB FLAG...")
	}
	writes, err := strconv.Atoi(args[0])
	ts.Check(err)
	var all sync.WaitGroup
	failed := make(chan string, 2*writes)
	for n := 1; n <= writes; n++ {
		for _, when := range []string{"b", "a"} {
			release := fmt.Sprintf("x%d%s", n, when)
			k := startKilled(ts, release, n, when == "b", append([]string{"kubectl", "canary", args[1], release}, args[2:]...))
			all.Go(func() {
				if err := k.end(); err != nil {
					failed <- fmt.Sprintf("%s: %v", release, err)
				}
			})
		}
	}
	all.Wait()
	close(failed)
	for message := range failed {
		ts.Fatalf("%s", message)
	}
}

// killing is a process that the proxy before it will end.
type killing struct {
	*process.Process
	proxy *proxy
}

func startKilled(ts *testscript.TestScript, release string, at int, before bool, command []string) *killing {
	s := of(ts)
	p, err := newProxy(ts.Getenv("CANARY_AS"))
	ts.Check(err)
	ts.Defer(p.close)
	file := ts.MkAbs(".killed-" + release)
	ts.Check(cluster.kubeconfigFor(admin, file, s.namespace, p.server.URL))
	k := &killing{proxy: p}
	started := make(chan struct{})
	var mu sync.Mutex
	count := 0
	p.setAround(func(w http.ResponseWriter, _ *http.Request, name string, pass func(http.ResponseWriter)) {
		if !strings.Contains(name, "leases") && !strings.HasPrefix(name, "PATCH pods/") && !strings.HasSuffix(name, "/scale") {
			pass(w)
			return
		}
		mu.Lock()
		count++
		mine, late := count == at, count > at
		mu.Unlock()
		if late { // it must not get to the API server any more, nor be answered
			<-p.closed
			return
		}
		if !mine {
			pass(w)
			return
		}
		<-started
		answer := httptest.NewRecorder()
		pass(answer)
		if before {
			_ = k.Cmd.Process.Signal(syscall.SIGKILL)
			<-k.Ended
			return
		}
		for key, values := range answer.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond) // for the answer to be taken in
		_ = k.Cmd.Process.Signal(syscall.SIGKILL)
		<-k.Ended
	})
	k.Process = launch(ts, s.command(ts, command, "KUBECONFIG="+file))
	close(started)
	return k
}

func (k *killing) end() error {
	code, err := k.Code()
	if err == nil && code != 128+int(syscall.SIGKILL) {
		err = fmt.Errorf("ended with %d before it could be killed, having written %q\n%s%s", code, k.proxy.log, k.Stdout.String(), k.Stderr.String())
	}
	return err
}

// locks-expired: the locks of all releases are free, or have run out.
func cmdLocksExpired(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: locks-expired")
	}
	ns := of(ts).namespace
	ts.Check(patience.Until(func() error {
		leases, err := cluster.client.CoordinationV1().Leases(ns).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, l := range leases.Items {
			if l.Spec.HolderIdentity == nil || l.Spec.RenewTime == nil || l.Spec.LeaseDurationSeconds == nil {
				continue
			}
			until := l.Spec.RenewTime.Add(time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second)
			if left := time.Until(until); left > 0 {
				return fmt.Errorf("lease %s is held for another %s", l.Name, left)
			}
		}
		return nil
	}))
}
