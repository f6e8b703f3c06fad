package plugin

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
)

func TestStatus(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 2, 2)
		code, out, errOut := a.do("status --no-headers")
		want := []string{"auth   25% ██▌░░░░░░░   v1 3/3   v2 1/1   Canary", "chat   50% █████░░░░░   v1 2/2   v2 2/2   Canary"}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 0 || errOut != "" || len(lines) != 2 || !strings.HasPrefix(lines[0], want[0]) || !strings.HasPrefix(lines[1], want[1]) {
			t.Errorf("%d, %q\n%s", code, errOut, out)
		}
		if got := a.writes(); len(got) > 0 {
			t.Errorf("it writes: %q", got)
		}
	})
}

// Each way to choose releases, and to print them.
func TestStatusFlags(t *testing.T) {
	for line, want := range map[string]string{
		"status auth -o name": "service/auth\n",
		"status svc/auth deploy/auth-v2 service/chat -o name":                       "service/auth\nservice/chat\n",
		"status -l tier=backend -o name":                                            "service/auth\nservice/chat\n",
		"status -l tier=frontend -o name":                                           "",
		"status auth -o jsonpath={.items[0].weight.actual}":                         "25",
		"status --stable v2 --canary v1 auth -o jsonpath={.items[*].weight.actual}": "75",
		"status -o jsonpath={.kind}":                                                "ReleaseList",
		"status --all -o name":                                                      "service/auth\nservice/chat\n",
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			a.release("chat", 2, 2)
			if code, out, errOut := a.do(line); code != 0 || errOut != "" || out != want {
				t.Errorf("%s: %d, %q, %q; want %q", line, code, out, errOut, want)
			}
		})
	}
}

func TestStatusOfAllNamespaces(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		code, out, _ := a.run(t.Context(), "status -A")
		if code != 0 || !strings.HasPrefix(out, "NAMESPACE   SERVICE") || !strings.Contains(out, "\nmessenger   auth") {
			t.Errorf("%d\n%s", code, out)
		}
		for _, r := range a.requests {
			if strings.Contains(r, "/namespaces/") {
				t.Errorf("asks for one namespace: %s", r)
			}
		}
	})
}

func TestStatusAsJSONAndYAML(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		var list struct {
			Kind  string
			Items []struct {
				Name, Phase string
				Weight      map[string]*float64
			}
		}
		code, out, _ := a.do("status -o json")
		if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
			t.Fatalf("%d, %v\n%s", code, err, out)
		}
		item := list.Items[0]
		if item.Name != "auth" || item.Phase != "Canary" || *item.Weight["actual"] != 25 || item.Weight["desired"] != nil {
			t.Errorf("%+v", item)
		}
		if code, out, _ := a.do("status -o yaml"); code != 0 || !strings.HasPrefix(out, "apiVersion: kubectl-canary/v1alpha1\n") {
			t.Errorf("%d\n%s", code, out)
		}
	})
}

func TestExitStatus(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		if code, _, _ := a.do("status --exit-status"); code != 0 {
			t.Errorf("all is well, and the exit is %d", code)
		}
		a.release("chat", 3, 1)
		a.serves(a.deployment("chat-v2"), 0)
		if code, out, errOut := a.do("status --exit-status"); code != 3 || errOut != "" || !strings.Contains(out, "Degraded") {
			t.Errorf("%d, %q\n%s", code, errOut, out)
		}
		if code, _, _ := a.do("status"); code != 0 {
			t.Errorf("without being asked to, it exits with %d", code)
		}
	})
}

// Nothing there is no error for who only looks; a namespace or a release that is not there is.
func TestStatusOfNothing(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		if code, out, errOut := a.do("status"); code != 0 || out != "" || errOut != "No resources found in messenger namespace.\n" {
			t.Errorf("%d, %q, %q", code, out, errOut)
		}
		if code, out, errOut := a.do("status -o json"); code != 0 || errOut != "" || !strings.Contains(out, `"items": []`) {
			t.Errorf("%d, %q, %q", code, out, errOut)
		}
		if code, _, errOut := a.run(t.Context(), "status -n nowhere"); code != 1 || errOut != "Error from server (NotFound): namespaces \"nowhere\" not found\n" {
			t.Errorf("%d, %q", code, errOut)
		}
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		if code, _, errOut := a.do("status aut"); code != 1 || errOut != "error: release \"aut\" not found in namespace \"messenger\": it has auth, chat\n" {
			t.Errorf("%d, %q", code, errOut)
		}
	})
}

func TestForbiddenStatus(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.refuse = forbid("/deployments")
		code, out, errOut := a.do("status")
		if code != 1 || out != "" || errOut != "Error from server (Forbidden): you may not /deployments\n" {
			t.Errorf("%d, %q, %q", code, out, errOut)
		}
		a.refuse = forbid("/leases")
		if code, out, _ := a.do("status"); code != 0 || !strings.Contains(out, "Canary") {
			t.Errorf("without leases: %d\n%s", code, out)
		}
	})
}

// Where the output is no terminal, `-w` prints each row that has changed, once.
func TestWatch(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		a.release("chat", 3, 1)
		var code int
		var out string
		ctx, interrupt := interruptible(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			code, out, _ = a.run(ctx, "status -w -n "+ns)
		}()
		synctest.Wait()
		a.serves(a.deployment("chat-v2"), 0)
		synctest.Wait()
		interrupt()
		<-done
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 130 || len(lines) != 4 || !strings.HasPrefix(lines[3], "chat") || !strings.Contains(lines[3], "Degraded") {
			t.Errorf("%d\n%s", code, out)
		}
	})
}
