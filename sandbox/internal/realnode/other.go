//go:build !linux

package realnode

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
)

var errLinux = errors.New("a real node needs Linux")

// Find says that there can be no real node here.
func Find() (Programs, error) { return Programs{}, errLinux }

// Namespaces are Linux's.
type Namespaces struct{ PID int }

// StartInit fails, as does all that follows.
func StartInit(string, string, *os.File) (Namespaces, func() error, error) {
	return Namespaces{}, nil, errLinux
}

// Start fails.
func (Namespaces) Start(*exec.Cmd) error { return errLinux }

// Dial fails.
func (Namespaces) Dial(context.Context, string, string) (net.Conn, error) { return nil, errLinux }

// Exec fails.
func (Namespaces) Exec([]string) error { return errLinux }

// Path is never used.
func (Namespaces) Path(path string) string { return path }

// RemoveCgroups has nothing to remove.
func RemoveCgroups(string) error { return nil }
