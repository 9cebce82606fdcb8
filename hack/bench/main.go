// Command bench measures what the controller costs and how quick it is, on the programs themselves
// (bin/kubebox, bin/awssim, bin/manager), and prints it as a Markdown table. It fails when something
// does not work, and never because a number is large.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

// bench is what all measurements have in common.
type bench struct {
	machine *lab.Machine
	size    size
	// bumper is the test binary of internal/simulation.
	bumper string
	// profiles is the directory for the profiles of the fleet's manager; "": none are taken.
	profiles string
	// hasty says that no time which comes out is of interest: what can be is measured side by side.
	hasty bool
}

// measurement is some rows of the table, for which a world of its own is brought up.
type measurement struct {
	name    string
	measure func(ctx context.Context, b *bench) ([]row, error)
	// apart says that it is made beside the others where no time is of interest: with a control plane of its
	// own, unless it is bare and needs none.
	apart, bare bool
}

var measurements = []measurement{
	{name: "latency", measure: latencies},
	{name: "rollouts", measure: rollouts},
	{name: "fleet", measure: narrow},
	{name: "wide", measure: wide},
	{name: "pipeline", measure: pipelines, apart: true},
	{name: "virtual", measure: virtual, apart: true, bare: true},
}

func main() {
	bin := flag.String("bin", "bin", "where kubebox, awssim and manager are, and simulation.test")
	releases := flag.Int("releases", 10000, "how many releases the fleet has")
	sweep := flag.Duration("sweep-interval", 5*time.Minute, "the manager's, while the fleet is watched; a shorter one makes that shorter")
	smoke := flag.Bool("smoke", false, "measure next to nothing, quickly, to see that every row comes out")
	only := flag.String("only", "", "measure only these, by commas: "+strings.Join(names(), ", "))
	profiles := flag.String("profiles", "", "a directory for profiles of the manager: of its CPU while it meets the fleet and in a sweep, and of its heap between the two; none are taken without it")
	timeout := flag.Duration("timeout", 4*time.Hour, "how long all of it may take")
	flag.Parse()

	chosen, err := choose(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	b := &bench{size: whole(*releases, *sweep), bumper: *bin + "/simulation.test", profiles: *profiles, hasty: *smoke}
	if *smoke {
		b.size = least
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	rows, err := b.run(ctx, *bin, chosen)
	cancel()
	stop()
	write(os.Stdout, b.size, rows)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return all
}

// choose are the measurements of these names; "" stands for all.
func choose(only string) ([]measurement, error) {
	if only == "" {
		return measurements, nil
	}
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("there is no measurement %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	var chosen []measurement
	for _, m := range measurements {
		if slices.Contains(wanted, m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

// run brings a control plane up and makes one measurement after the other, but for those beside them that
// may be where no time is of interest. One that fails costs its own rows and not those of the others.
func (b *bench) run(ctx context.Context, bin string, chosen []measurement) (rows []row, err error) {
	if err := b.open(ctx, bin); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.machine.Close()) }()
	measure := make([]func() ([]row, error), len(chosen))
	for i, m := range chosen {
		measure[i] = sync.OnceValues(func() ([]row, error) { return m.measure(ctx, b) })
		if !b.hasty || !m.apart {
			continue
		}
		if !m.bare {
			measure[i] = sync.OnceValues(func() ([]row, error) { return b.aside(ctx, bin, m) })
		}
		go measure[i]() //nolint:errcheck // it is asked for below
	}
	var failed []string
	for i, m := range chosen {
		began := time.Now()
		made, err := measure[i]()
		if err != nil {
			failed = append(failed, m.name)
			say("%s did not come out: %v", m.name, err)
		}
		for _, row := range made {
			say("%s: %s", row.measure, row.reached)
		}
		say("%s took %s", m.name, time.Since(began).Round(time.Second))
		rows = append(rows, made...)
	}
	if len(failed) > 0 {
		return rows, fmt.Errorf("%s did not come out", strings.Join(failed, ", "))
	}
	return rows, nil
}

// open brings up a control plane.
func (b *bench) open(ctx context.Context, bin string) (err error) {
	if b.machine, err = lab.NewMachine(bin); err != nil {
		return err
	}
	say("starting a control plane (logs are in %s)", b.machine.Dir)
	if err = b.machine.StartControlPlane(ctx); err == nil {
		err = b.machine.InstallCRDs(ctx)
	}
	if err != nil {
		return errors.Join(err, b.machine.Close())
	}
	return nil
}

// aside makes a measurement with a control plane of its own.
func (b *bench) aside(ctx context.Context, bin string, m measurement) (rows []row, err error) {
	own := *b
	if err := own.open(ctx, bin); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.machine.Close()) }()
	return m.measure(ctx, &own)
}

// say tells of the progress, aside from the table.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "== "+format+"\n", args...)
}
