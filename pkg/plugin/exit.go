package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// ErrInterrupted is the cause with which main cancels the context on a signal.
var ErrInterrupted = mover.ErrInterrupted

// The exit codes; exitCodes says what they mean.
const (
	exitDone        = 0
	exitError       = 1
	exitPhase       = 3
	exitFailedGate  = 4
	exitNoVerdict   = 5
	exitConflict    = 6
	exitDeadline    = 124
	ExitInterrupted = 130
)

// exitCodes is the table that help and docs print.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitDone, "done, or already there"},
	{exitError, "an error, found by doctor too, a refusal or bad usage; or a definite cause ended the wait, restored or not"},
	{exitPhase, "(status --exit-status) the phase is not Stable, Canary or Promoted"},
	{exitFailedGate, "(migrate) a gate failed, and the releases were rolled back, or held with --on-failure=hold"},
	{exitNoVerdict, "(migrate) a gate was inconclusive, and the releases are held"},
	{exitConflict, "a conflict: somebody else has moved it, or holds the lock"},
	{exitDeadline, "the deadline passed, restored or not"},
	{ExitInterrupted, "interrupted by a signal"},
}

// usageError is a mistake in the command line.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (e usageError) Error() string {
	return fmt.Sprintf("%v (see '%s --help')", e.err, e.cmd.CommandPath())
}

func (e usageError) Unwrap() error { return e.err }

// toldError is one whose message the user has already seen.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// errPhase is what --exit-status ends with.
var errPhase = toldError{errors.New("not every release is Stable, Canary or Promoted")}

// report prints an error as kubectl would, and returns the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if !errors.As(err, new(toldError)) {
		fmt.Fprintln(w, message(err))
	}
	return exitCode(err)
}

// exitCode is the only place where an error becomes a number. Of several errors the most telling counts.
func exitCode(err error) int {
	var (
		conflict *canary.ConflictError
		locked   *canary.LockedError
		gate     *gateError
		unclear  *noVerdictError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.As(err, &conflict) || errors.As(err, &locked):
		return exitConflict
	case errors.Is(err, errPhase):
		return exitPhase
	case errors.As(err, &gate):
		return exitFailedGate
	case errors.As(err, &unclear):
		return exitNoVerdict
	case errors.Is(err, mover.ErrDeadline) || errors.Is(err, cluster.ErrNoAnswer):
		return exitDeadline
	}
	return exitError
}

// message is what kubectl would say: a server's answer in its own words, everything else after "error: ". It may have
// several lines, but what comes from the cluster is made safe.
func message(err error) string {
	var (
		status *apierrors.StatusError
		web    *url.Error
	)
	text := "error: " + err.Error()
	switch {
	case errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled):
		return "error: interrupted, nothing was moved"
	case errors.As(err, &status):
		return printer.Safe(answered(status))
	case errors.As(err, &web):
		text = unreachable(web)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = printer.Safe(lines[i])
	}
	return strings.Join(lines, "\n")
}

// answered and unreachable have the words of StandardErrorMessage in k8s.io/kubectl/pkg/cmd/util, which would bring half a megabyte.
func answered(status *apierrors.StatusError) string {
	switch reason := status.ErrStatus.Reason; reason {
	case metav1.StatusReasonUnauthorized:
		return fmt.Sprintf("error: You must be logged in to the server (%s)", status.ErrStatus.Message)
	case metav1.StatusReasonUnknown:
		return "Error from server: " + status.Error()
	default:
		return fmt.Sprintf("Error from server (%s): %s", reason, status.Error())
	}
}

func unreachable(web *url.Error) string {
	if !strings.Contains(web.Err.Error(), "connection refused") {
		return fmt.Sprintf("Unable to connect to the server: %v", web.Err)
	}
	host := web.URL
	if server, err := url.Parse(web.URL); err == nil {
		host = server.Host
	}
	return fmt.Sprintf("The connection to the server %s was refused - did you specify the right host or port?", host)
}
