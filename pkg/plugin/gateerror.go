package plugin

import (
	"errors"
	"fmt"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
)

// gateResult is what a check says of a release.
type gateResult struct {
	release string
	analysis.Result
}

func (r gateResult) String() string { return r.release + ": " + r.Check + ": " + r.Message }

// reasonOf names the first of the results and counts the others, which the report has; empty for none.
func reasonOf(results []gateResult) string {
	if len(results) == 0 {
		return ""
	}
	text := []rune(results[0].String())
	if len(text) > mostReason {
		text = append(text[:mostReason-1], '…')
	}
	switch n := len(results) - 1; n {
	case 0:
		return string(text)
	case 1:
		return string(text) + " (and 1 more check)"
	default:
		return fmt.Sprintf("%s (and %d more checks)", string(text), n)
	}
}

// mostReason bounds what a check says where it has to fit a line, in characters: Events and servers are wordy.
const mostReason = 240

// gateError says that gates have failed.
type gateError struct {
	step    string
	results []gateResult
}

func (e *gateError) Error() string {
	return "a gate failed at step " + e.step + ": " + reasonOf(e.results)
}

// noVerdictError says that gates have seen too little for a verdict by the end of a pause.
type noVerdictError struct {
	step    string
	results []gateResult
}

func (e *noVerdictError) Error() string {
	return "no verdict at step " + e.step + ": " + reasonOf(e.results)
}

// errAborted is what somebody has asked for from another terminal.
var errAborted = errors.New("aborted")

type abortError struct{ by string }

func abortedBy(who string) error { return abortError{who} }

func (e abortError) Error() string { return "aborted by " + e.by }
func (e abortError) Unwrap() error { return errAborted }
