// Command sandbox-init is the first process of a real node's namespaces, which it furnishes, and, as "pause", that of a pod's.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGCHLD) // the kernel then reaps the orphans that become this process's children
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "this is a part of sandbox: see `sandbox up --real-node`")
		os.Exit(2)
	}
	if os.Args[1] == "pause" {
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
		<-ended
		return
	}
	// whoever started this closes the pipe unread when it cannot record it
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		os.Exit(1)
	}
	for _, furnish := range []func() error{func() error { return mounts(os.Args[1]) }, network} {
		if err := furnish(); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
	fmt.Println("ready")
	for {
		_ = syscall.Pause()
	}
}
