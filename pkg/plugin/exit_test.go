package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
)

var (
	conflict  = &canary.ConflictError{Deployment: "auth-v2", Want: 1, Found: 5}
	locked    = &canary.LockedError{Release: "auth", Holder: "joe"}
	definite  = &mover.StuckError{Release: "auth", Version: "v2", Definite: true}
	late      = &mover.StuckError{Release: "auth", Version: "v2", Waited: time.Minute}
	forbidden = apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "auth-v2", errors.New("no"))
)

// A row of the table of exit codes each, and what makes one of several.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"any error", errors.New("boom"), 1},
		{"bad usage", usageError{&cobra.Command{}, errors.New("no")}, 1},
		{"the server says no", forbidden, 1},
		{"a definite cause", definite, 1},
		{"refused", refusalError{errs: []error{errors.New("paused")}}, 1},
		{"the phase", errPhase, 3},
		{"a conflict", conflict, 6},
		{"a lock", locked, 6},
		{"refused for a lock", refusalError{errs: []error{errors.New("paused"), locked}}, 6},
		{"the deadline", late, 124},
		{"a signal", ErrInterrupted, 130},
		{"a signal in a request", &url.Error{Op: "Get", URL: "http://api", Err: context.Canceled}, 130},

		{"wrapped", fmt.Errorf("auth: %w", conflict), 6},
		{"wrapped twice", toldError{fmt.Errorf("auth: %w", late)}, 124},
		{"told", toldError{definite}, 1},
		{"a signal before all", errors.Join(late, conflict, ErrInterrupted), 130},
		{"a conflict before a deadline", errors.Join(late, conflict), 6},
		{"a deadline before any other", errors.Join(definite, errors.New("boom"), late), 124},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Every code that the code can give stands in the table, and the table is in order.
func TestExitCodeTable(t *testing.T) {
	var codes []int
	for _, row := range exitCodes {
		codes = append(codes, row.code)
		if row.meaning == "" {
			t.Errorf("%d means nothing", row.code)
		}
	}
	if got, want := fmt.Sprint(codes), "[0 1 3 4 5 6 124 130]"; got != want {
		t.Errorf("the table has %s, want %s", got, want)
	}
	for _, row := range exitCodes {
		if want := fmt.Sprintf("%3d  %s\n", row.code, row.meaning); !strings.Contains(exitCodeTable(), want) {
			t.Errorf("help leaves out %q", want)
		}
	}
}

// A server's answer stands in its own words, whatever it was wrapped in; everything else is an "error:" of one line, and
// nothing in it can play with the terminal.
func TestMessage(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("boom"), "error: boom"},
		{"usage", usageError{&cobra.Command{Use: "shift"}, errors.New("no")}, "error: no (see 'shift --help')"},
		{"forbidden", forbidden, `Error from server (Forbidden): deployments.apps "auth-v2" is forbidden: no`},
		{"wrapped", fmt.Errorf("auth: %w", forbidden), `Error from server (Forbidden): deployments.apps "auth-v2" is forbidden: no`},
		{"joined", errors.Join(errors.New("boom"), forbidden), `Error from server (Forbidden): deployments.apps "auth-v2" is forbidden: no`},
		{"not logged in", apierrors.NewUnauthorized("who are you"), "error: You must be logged in to the server (who are you)"},
		{"no server", fmt.Errorf("reading: %w", &url.Error{Op: "Get", URL: "http://api", Err: errors.New("no such host")}), "Unable to connect to the server: no such host"},
		{"conflict", conflict, `error: replicas of deployment "auth-v2" were changed from 1 to 5 meanwhile; its managed fields do not say by whom`},
		{"hostile", errors.New("a\x1b[2Jb\u202ec"), "error: a?[2Jb?c"},
		{"hostile server", apierrors.NewBadRequest("a\x1b[2J\nError from server: forged"), "Error from server (BadRequest): a?[2J Error from server: forged"},
	} {
		if got := message(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := message(ErrInterrupted); !strings.HasPrefix(got, "error: interrupted") {
		t.Errorf("interrupted: %q", got)
	}
}

// What the user has been told is not said again.
func TestReport(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		out  string
	}{
		{nil, 0, ""},
		{errors.New("boom"), 1, "error: boom\n"},
		{toldError{late}, 124, ""},
		{errPhase, 3, ""},
	} {
		var out bytes.Buffer
		if code := report(&out, c.err); code != c.code || out.String() != c.out {
			t.Errorf("%v: %d, %q", c.err, code, out.String())
		}
	}
}

// Each reason is said once, of all the releases that it is of, with its commands below it.
func TestRefusal(t *testing.T) {
	var e refusalError
	e.reasons.add("auth", refusal{"paused", []string{"kubectl resume"}}.Error())
	if got, want := e.Error(), "auth: paused\n  kubectl resume"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e.reasons.add("chat", "locked")
	e.reasons.add("chat", refusal{"paused", []string{"kubectl resume"}}.Error())
	if got, want := e.Error(), "nothing was written, because:\n  auth, chat: paused\n    kubectl resume\n  chat: locked"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
