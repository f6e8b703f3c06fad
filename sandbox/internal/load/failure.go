package load

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// Failure is how a request failed; empty if it did not.
type Failure string

// The failures. Local is one of this machine, which has run out of ports or file descriptors say, and no answer of the server's.
const (
	Refused Failure = "refused"
	Reset   Failure = "reset"
	Timeout Failure = "timeout"
	EOF     Failure = "eof"
	HTTP5xx Failure = "http5xx"
	Other   Failure = "other"
	Local   Failure = "local"
)

func classify(err error) Failure {
	var status statusError
	var timeout net.Error
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return ""
	case errors.As(err, &status):
		if status >= 500 {
			return HTTP5xx
		}
		return Other
	case is(syscall.ECONNREFUSED):
		return Refused
	case is(syscall.ECONNRESET, syscall.EPIPE):
		return Reset
	case is(io.EOF, io.ErrUnexpectedEOF):
		return EOF
	case is(syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS, syscall.ENOMEM):
		return Local
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Other
}
