// Package patience waits in tests for what takes as long as it takes.
package patience

import (
	"errors"
	"time"
)

// Limit bounds every command and every wait of a test. What takes longer hangs.
const Limit = 90 * time.Second

// Final is an error that waiting does not mend.
type Final struct{ error }

// NoMore makes an error final.
func NoMore(err error) error { return Final{err} }

// Until calls try until it succeeds, and returns its last error when it is final or patience is at its end.
func Until(try func() error) error {
	for deadline := time.Now().Add(Limit); ; time.Sleep(100 * time.Millisecond) {
		err := try()
		if err == nil || errors.As(err, new(Final)) || time.Now().After(deadline) {
			return err
		}
	}
}
