// Command bench measures what the controller costs, on the programs themselves (bin/kubebox,
// bin/awssim, bin/manager), and prints it as a Markdown table. It fails when something does not
// work, and never because a number is large.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

// row is one line of the table.
type row struct {
	what, setup, result string
}

func main() {
	bin := flag.String("bin", "bin", "where kubebox, awssim and manager are")
	timeout := flag.Duration("timeout", 15*time.Minute, "how long all of it may take")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	rows, err := measure(ctx, *bin)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	write(os.Stdout, rows)
}

// measure brings a control plane and two accounts up, of which each measurement uses one: what
// is seeded in the first settles in AWS's own time while the second is measured.
func measure(ctx context.Context, bin string) (rows []row, err error) {
	machine, err := lab.NewMachine(bin)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	say("starting a control plane (logs are in %s)", machine.Dir)
	if err := machine.StartControlPlane(ctx); err != nil {
		return nil, err
	}
	if err := machine.InstallCRDs(ctx); err != nil {
		return nil, err
	}
	settled, err := newConverged(ctx, machine)
	if err != nil {
		return nil, err
	}
	idle, err := newLatency(ctx, machine)
	if err != nil {
		return nil, err
	}
	latencies, err := idle.measure(ctx)
	if err != nil {
		return nil, err
	}
	sweeps, err := settled.measure(ctx)
	if err != nil {
		return nil, err
	}
	return append(sweeps, latencies...), nil
}

// write prints the table.
func write(out io.Writer, rows []row) {
	fmt.Fprintf(out, "Measured on %s/%s with %d CPUs, %s.\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Fprintln(out, "| what | how | result |")
	fmt.Fprintln(out, "|---|---|---|")
	for _, row := range rows {
		fmt.Fprintf(out, "| %s | %s | %s |\n", row.what, row.setup, row.result)
	}
}

// say tells of the progress, aside from the table.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "== "+format+"\n", args...)
}
