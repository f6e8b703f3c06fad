// Command sandbox runs a real Kubernetes control plane with simulated nodes on this machine, for tests and demos.
package main

import (
	"fmt"
	"os"
)

func main() {
	if run := selected(os.Args[0]); run != nil {
		os.Exit(run())
	}
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
