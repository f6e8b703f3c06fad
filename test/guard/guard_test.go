package guard

import (
	"os"
	"path/filepath"
	"testing"
)

// A command is run on the cluster, which is taken down, and its folder removed, once.
func TestStop(t *testing.T) {
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	program := filepath.Join(t.TempDir(), "sandbox")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$@\" >>"+log+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "test"), 0o700); err != nil {
		t.Fatal(err)
	}
	g, err := Watch(program, dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Run("status"); err != nil {
		t.Error(err)
	}
	g.Stop()
	g.Stop()
	if did, err := os.ReadFile(log); string(did) != "status --dir "+dir+" --name test\ndown --dir "+dir+" --name test\n" {
		t.Errorf("it has done %q (%v)", did, err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}
