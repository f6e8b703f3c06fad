// Command app is what the pods of the example run: an HTTP server that is told by its environment how well it behaves.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until it is told to stop: at once without DRAIN; with it, after DRAIN_FOR and with every answer given.
func run() error {
	started := time.Now()
	told, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := configure(os.Getenv)
	if err != nil {
		return err
	}
	if err := hold(c.memory); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.address, c.port))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s serves on %s\n", c.version, listener.Addr())
	a := newApp(c, started.Add(c.readyAfter))
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-told.Done():
	}
	if !c.drain {
		return server.Close()
	}
	a.draining.Store(true)
	time.Sleep(c.drainFor)
	ctx, cancel := context.WithTimeout(context.Background(), c.latency+10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
