//go:build unix

package main

import "syscall"

// detach takes /dev/tty away, from the programs too that this one starts.
func detach() { _, _ = syscall.Setsid() }
