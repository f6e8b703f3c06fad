package realnode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const cloned = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// Namespaces are those of the process PID, the cluster's init. They live as long as it does, and all processes in them die with it.
type Namespaces struct{ PID int }

// StartInit makes cgroups for the cluster in dir, and starts the program as the init of new namespaces. It waits for proceed to be
// called, and ends when the caller ends before: so that no init runs that nobody has recorded.
func StartInit(program, dir string, log *os.File) (n Namespaces, proceed func() error, err error) {
	cmd := &exec.Cmd{
		Path: program, Args: []string{"sandbox-init", dir}, Dir: "/", Env: []string{}, Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Cloneflags: cloned, Unshareflags: syscall.CLONE_NEWNS},
	}
	if err := makeCgroups(CgroupTree(dir)); err != nil {
		return n, nil, err
	}
	gate, err := cmd.StdinPipe()
	if err != nil {
		return n, nil, err
	}
	answer, err := cmd.StdoutPipe()
	if err != nil {
		return n, nil, err
	}
	if err := cmd.Start(); err != nil {
		return n, nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	return Namespaces{cmd.Process.Pid}, func() error {
		defer gate.Close()
		go cmd.Wait() //nolint:errcheck // reaps it, should it end while this process lives
		if _, err := gate.Write([]byte{'\n'}); err != nil {
			return err
		}
		if _, err := bufio.NewReader(answer).ReadString('\n'); errors.Is(err, io.EOF) {
			return errors.New("it has ended")
		} else if err != nil {
			return err
		}
		return nil
	}, nil
}

// within runs do on a thread that has moved into the namespaces of these types. The thread is not used again.
func (n Namespaces) within(types int, do func() error) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		failed <- func() error {
			if err := n.enter(types); err != nil {
				return err
			}
			return do()
		}()
	}()
	return <-failed
}

// enter moves this thread, which must be locked.
func (n Namespaces) enter(types int) error {
	if n.PID == 0 {
		return errors.New("the cluster's namespaces are gone")
	}
	fd, err := unix.PidfdOpen(n.PID, 0)
	if err != nil {
		return fmt.Errorf("the cluster's namespaces: %w", err)
	}
	defer unix.Close(fd)
	if types&unix.CLONE_NEWNS != 0 {
		// mounts can be changed only by a thread that shares its root and working folder with no other
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return err
		}
	}
	if err := unix.Setns(fd, types); err != nil {
		return fmt.Errorf("enter the cluster's namespaces: %w", err)
	}
	return nil
}

// Start starts cmd in all the namespaces.
func (n Namespaces) Start(cmd *exec.Cmd) error { return n.within(cloned|unix.CLONE_NEWNS, cmd.Start) }

// Dial connects to an address in the cluster's network.
func (n Namespaces) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = n.within(unix.CLONE_NEWNET, func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Exec becomes a program in the cluster's network, with this process's number, files, folder and environment. It returns only errors.
func (n Namespaces) Exec(argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	return n.within(unix.CLONE_NEWNET, func() error {
		return fmt.Errorf("%s: %w", path, syscall.Exec(path, argv, os.Environ()))
	})
}

// Path is where this process finds a path of the cluster's own mounts.
func (n Namespaces) Path(path string) string { return "/proc/" + strconv.Itoa(n.PID) + "/root" + path }
