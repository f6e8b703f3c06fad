// Command kubectl-canary is `kubectl canary`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // the credential plugins that a kubeconfig may name

	"github.com/kubectl-canary/kubectl-canary/pkg/plugin"
)

func main() {
	ctx, interrupt := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		interrupt(plugin.ErrInterrupted)
		<-signals
		os.Exit(plugin.ExitInterrupted)
	}()
	out := os.Stdout
	args, completing := plugin.CommandLine(os.Args)
	if completing {
		leaveTerminal()
	}
	os.Exit(plugin.Main(ctx, args, os.Stdin, out, os.Stderr))
}
