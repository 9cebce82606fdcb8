package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

const upUsage = `Run a control plane on 127.0.0.1 until SIGINT or SIGTERM.

Usage:
  kubebox up --data-dir DIR [flags]

etcd, kube-apiserver and kube-controller-manager run in this process. Only the
controllers that an API without nodes needs are on: garbage collection,
namespaces, service accounts and their tokens, aggregated cluster roles and the
type checks of ValidatingAdmissionPolicy. Nothing runs pods.

DIR is made if it is absent and holds everything:
  kubeconfig   cluster-admin; there exactly while the control plane serves or
               since it last did, removed at start and written when it is ready
  pki/         certificate authority, keys and tokens, kept between runs
  etcd/        the objects, kept between runs
  logs/        kubernetes.log and etcd.log, appended to
A kubeconfig holds a credential: all of it is for its owner only. Objects survive
a crash of kubebox, but not surely one of the machine (etcd runs without fsync).

Flags:
%s
Exit status: 0 after a signal, 1 when the control plane could not start or
broke, 2 for wrong usage. A second signal, a second later, ends the process at once.
`

// secondSignalAfter is how much later a signal must come to be a second one.
const secondSignalAfter = time.Second

// upOptions are the flags of "kubebox up".
type upOptions struct {
	dataDir               string
	port                  int
	kubeconfig            string
	withControllerManager bool
	readyTimeout          time.Duration
}

// upMain is "kubebox up".
func upMain(args []string) int {
	options, err := parseUpFlags(args, os.Stdout)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(os.Stderr, "kubebox up: %v\n\"kubebox up --help\" tells more\n", err)
		return exitUsage
	}
	stderr, err := keepStderr()
	if err != nil {
		fmt.Fprintf(os.Stderr, "kubebox up: keeping standard error: %v\n", err)
		return exitFailure
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A while after the first signal the next one has its default effect. Not at
	// once: timeout(1), and shells between a terminal and us, deliver one twice.
	context.AfterFunc(ctx, func() { time.AfterFunc(secondSignalAfter, stop) })
	defer stop()

	if err := up(ctx, options, os.Stdout); err != nil {
		fmt.Fprintf(stderr, "kubebox up: %v\n", err)
		return exitFailure
	}
	return exitOK
}

// parseUpFlags returns absolute paths and pflag.ErrHelp after printing the
// help to stdout if that was asked for.
func parseUpFlags(args []string, stdout io.Writer) (upOptions, error) {
	var o upOptions
	flags := pflag.NewFlagSet("kubebox up", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&o.dataDir, "data-dir", "", "directory of this control plane (required)")
	flags.IntVar(&o.port, "port", 0, "port of kube-apiserver on 127.0.0.1; 0 picks a free one")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "where to write the kubeconfig (default DIR/kubeconfig)")
	flags.BoolVar(&o.withControllerManager, "with-controller-manager", true,
		"run the controllers; without them nothing is garbage collected and deleted namespaces stay Terminating")
	flags.DurationVar(&o.readyTimeout, "ready-timeout", 2*time.Minute, "how long it may take to become ready")
	flags.Usage = func() { fmt.Fprintf(stdout, upUsage, flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("takes no arguments, got %q", flags.Args())
	case o.dataDir == "":
		return o, errors.New("--data-dir is required")
	case o.port < 0 || o.port > 65535:
		return o, fmt.Errorf("--port %d is not a port", o.port)
	case o.readyTimeout <= 0:
		return o, fmt.Errorf("--ready-timeout %s is not a positive duration", o.readyTimeout)
	}
	var err error
	if o.dataDir, err = filepath.Abs(o.dataDir); err != nil {
		return o, err
	}
	if o.kubeconfig == "" {
		o.kubeconfig = filepath.Join(o.dataDir, "kubeconfig")
	}
	o.kubeconfig, err = filepath.Abs(o.kubeconfig)
	return o, err
}

// up runs a control plane until ctx ends (nil) or a part of it breaks. What it
// does goes to out as it does it; standard error becomes a log file. The process
// must exit after it: a start that failed leaves parts behind.
func up(ctx context.Context, o upOptions, out io.Writer) error {
	started := time.Now()
	if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
		return err
	}
	unlock, err := lockDataDir(o.dataDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := removeKubeconfig(o.kubeconfig); err != nil {
		return err
	}
	logDir := filepath.Join(o.dataDir, "logs")
	if err := redirectLogs(logDir); err != nil {
		return fmt.Errorf("redirecting logs to %s: %w", logDir, err)
	}
	creds, err := ensureCredentials(filepath.Join(o.dataDir, "pki"))
	if err != nil {
		return fmt.Errorf("preparing credentials in %s: %w", o.dataDir, err)
	}
	fmt.Fprintf(out, "data directory %s (logs in %s)\n", o.dataDir, logDir)

	plane := &controlPlane{options: o, creds: creds, logDir: logDir, out: out, started: started}
	if err := plane.run(ctx); err != nil {
		return fmt.Errorf("%w (logs in %s)", err, logDir)
	}
	fmt.Fprintln(out, "stopped")
	return nil
}

// lockDataDir makes sure that one process at a time uses dir: etcd would wait
// for ever, in silence, for the other one to leave its database.
func lockDataDir(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another kubebox runs on %s", dir)
		}
		return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}
