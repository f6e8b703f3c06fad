package node

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// watch tells of the objects of a kind in a namespace, those that are there at first, each time they change, until it is stopped.
func watch[T any](t testing.TB, namespace, kind string, see func(*T)) (stop func()) {
	t.Helper()
	cmd := cluster.command(t.Context(), "kubectl", "get", kind, "-n", namespace, "--watch", "-o", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for decoder := json.NewDecoder(out); ; {
			var o T
			err := decoder.Decode(&o)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it was killed in the middle of one
				return
			}
			if err != nil {
				t.Errorf("watching %s: %v", kind, err)
				return
			}
			see(&o)
		}
	}()
	stop = func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	}
	t.Cleanup(stop)
	return stop
}
