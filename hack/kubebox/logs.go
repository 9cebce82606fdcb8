package main

import (
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// keepStderr returns a second way to standard error, which redirectLogs leaves
// alone and on which a crash of the Go runtime then also shows.
func keepStderr() (*os.File, error) {
	fd, err := unix.Dup(unix.Stderr)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	unix.CloseOnExec(fd)
	stderr := os.NewFile(uintptr(fd), "stderr")
	return stderr, debug.SetCrashOutput(stderr, debug.CrashOptions{})
}

// redirectLogs makes dir and sends what the Kubernetes components log, some
// 400 lines at a start, to kubernetes.log in it, by turning the descriptor of
// standard error there: klog could be configured, but it is not the only one
// that writes, and others have opened their log before main began.
func redirectLogs(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "kubernetes.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // standard error goes on being open on it
	return os.NewSyscallError("dup2", unix.Dup2(int(f.Fd()), unix.Stderr))
}
