package plugin

import (
	"errors"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
)

// gateResult is what a check says of a release.
type gateResult struct {
	release string
	analysis.Result
}

func (r gateResult) String() string { return r.release + ": " + r.Check + ": " + r.Message }

func reasonOf(results []gateResult) string {
	words := make([]string, len(results))
	for i, r := range results {
		words[i] = r.String()
	}
	return strings.Join(words, "; ")
}

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
