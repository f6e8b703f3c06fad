package main

import (
	"fmt"
	"os"
	"syscall"
)

// hold keeps so many bytes resident until the process ends. They are none of Go's heap, which would let its garbage grow to as much again.
func hold(bytes int64) error {
	if bytes == 0 {
		return nil
	}
	pages, err := syscall.Mmap(-1, 0, int(bytes), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("MEMORY: %w", err)
	}
	for i := 0; i < len(pages); i += os.Getpagesize() {
		pages[i] = 1 // a page that is written to is there
	}
	return nil
}
