package main

import "os"

// leaveTerminal keeps libraries and credential plugins from the terminal, on which the user is typing: who would ask for a
// password gets none, and what they say is not seen.
func leaveTerminal() {
	if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
		os.Stdin, os.Stdout, os.Stderr = null, null, null
	}
	detach()
}
