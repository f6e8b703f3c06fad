package test

import (
	"net"

	"github.com/rogpeppe/go-internal/testscript"
)

// silentServer is $SILENT, the address of a server that takes connections and never answers.
func silentServer(env *testscript.Env) error {
	// Nobody accepts: the kernel does, and that is all.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { _ = l.Close() })
	env.Setenv("SILENT", "http://"+l.Addr().String())
	return nil
}
