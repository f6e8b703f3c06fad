package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lock makes the cluster's folder and holds it, so that two commands never start or stop the same cluster at once. The lock is on the
// folder itself, which leaves no file behind.
func (c *Cluster) lock() (unlock func(), err error) {
	for {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return nil, err
		}
		unlock, err := c.lockExisting()
		if errors.Is(err, fs.ErrNotExist) { // a `down` has just removed it
			continue
		}
		return unlock, err
	}
}

// lockExisting is lock for a folder that must be there.
func (c *Cluster) lockExisting() (unlock func(), err error) {
	f, err := os.Open(c.Dir)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		c.progressf("waiting for another command on cluster %q", c.Name)
		if err := flock(fd); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", c.Dir, err)
		}
	}
	// whoever held it may have removed the folder: then this lock is on nothing
	held, err1 := f.Stat()
	now, err2 := os.Stat(c.Dir)
	if err1 != nil || err2 != nil || !os.SameFile(held, now) {
		f.Close()
		return nil, fs.ErrNotExist
	}
	return func() { f.Close() }, nil
}

func flock(fd int) error {
	for {
		if err := syscall.Flock(fd, syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
