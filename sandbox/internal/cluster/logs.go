package cluster

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const tailLines = 20

// deadError says that a component has ended, and how its log ends.
type deadError struct {
	name, tail string
	portTaken  bool
}

func (e *deadError) Error() string {
	if e.tail == "" {
		return e.name + " has ended, and its log is empty"
	}
	return fmt.Sprintf("%s has ended; the end of its log:\n%s", e.name, e.tail)
}

func (c *Cluster) deadError(name string) error {
	log := end(c.logFile(name))
	return &deadError{name: name, tail: tail(log, tailLines), portTaken: strings.Contains(log, "address already in use")}
}

// end returns the last 64 KB of a file.
func end(file string) string {
	const size = 64 << 10
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > size {
		_, _ = f.Seek(-size, io.SeekEnd)
	}
	data, _ := io.ReadAll(f)
	return string(data)
}

// tail returns the last lines of a log, indented; long ones are cut.
func tail(log string, lines int) string {
	const width = 240
	all := strings.Split(strings.TrimSpace(log), "\n")
	if len(all) == 1 && all[0] == "" {
		return ""
	}
	all = slices.Clone(all[max(0, len(all)-lines):])
	for i, line := range all {
		if len(line) > width {
			line = line[:width] + "…"
		}
		all[i] = "  " + line
	}
	return strings.Join(all, "\n")
}

// Logs copies a component's log to w.
func (c *Cluster) Logs(name string, w io.Writer) error {
	s, err := c.running()
	if err != nil {
		return err
	}
	for _, known := range s.names() {
		if name != known && "kube-"+name != known {
			continue
		}
		f, err := os.Open(c.logFile(known))
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}
	return s.unknownComponent(name)
}
