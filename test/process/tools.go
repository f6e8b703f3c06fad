package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Tools fills a folder with the programs under test: from each path in it, a link to the program of that name in bin, so that
// nothing else of the name is on the PATH. CANARY_BIN stands in for the plugin, for one that was broken on purpose.
func Tools(folder, bin string, paths ...string) error {
	for _, path := range paths {
		link := filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			return err
		}
		file := filepath.Join(bin, filepath.Base(path))
		if other := os.Getenv("CANARY_BIN"); other != "" && path == "kubectl-canary" {
			file = other
		}
		file, err := filepath.Abs(file)
		if err == nil {
			_, err = exec.LookPath(file)
		}
		if err != nil {
			return fmt.Errorf("%s is not built: run `make build sandbox` first", file)
		}
		if err := os.Symlink(file, link); err != nil {
			return err
		}
	}
	return nil
}
