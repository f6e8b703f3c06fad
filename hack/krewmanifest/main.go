// Command krewmanifest renders the template .krew.yaml with the checksums of archives that were built here:
// `go run ./hack/krewmanifest TAG CHECKSUMS`, from the root of the repository.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/kubectl-canary/kubectl-canary/hack/krewmanifest/render"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: krewmanifest TAG CHECKSUMS")
	}
	text, err := os.ReadFile(".krew.yaml")
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	return render.Manifest(os.Stdout, string(text), args[0], string(sums))
}
