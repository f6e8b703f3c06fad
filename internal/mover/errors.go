package mover

import (
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// ErrInterrupted is the cause with which a caller cancels the context on a signal.
var ErrInterrupted = errors.New("interrupted")

// ErrDeadline is what a StuckError is when the wait has run out.
var ErrDeadline = errors.New("the deadline has passed")

// StuckError says that a side of a release does not come up: at the deadline, or for a definite cause.
type StuckError struct {
	Release  string
	Version  string // empty where it is not a side that lags
	Serving  int
	Replicas int
	Problem  *canary.Problem // nil where nothing is known to be wrong
	Definite bool            // waiting longer would be in vain
	Waited   time.Duration
}

func (e *StuckError) Error() string {
	s := e.Release
	if e.Version != "" {
		s += fmt.Sprintf(": %d of %d pods of %s serve", e.Serving, e.Replicas, e.Version)
	} else {
		s += ": pods that were taken away are still there"
	}
	if !e.Definite {
		s += fmt.Sprintf(" after %s", e.Waited)
	}
	if e.Problem != nil {
		s += ": " + e.Problem.Sentence()
	}
	return s
}

func (e *StuckError) Unwrap() error {
	if e.Definite {
		return nil
	}
	return ErrDeadline
}
