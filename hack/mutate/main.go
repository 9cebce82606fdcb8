// Command mutate tests the tests: it takes one safety line at a time out of the real sources and
// expects a test to notice. The sources themselves stay as they are: the compiler is shown the
// mutated file in their place (go test -overlay).
//
// Run it from the root of the repository. It ends with status 1 if a mutation survives, or if the
// table of mutations does not fit the sources any more.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	only := flag.String("run", "", "Only the mutations whose names match this regular expression.")
	list := flag.Bool("list", false, "Only list the mutations.")
	parallel := flag.Int("parallel", 1, "How many mutations are tried at a time.")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := mutate(ctx, *only, *list, *parallel)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func mutate(ctx context.Context, only string, list bool, parallel int) error {
	chosen, err := choose(table, only)
	if err != nil {
		return err
	}
	if err := check(".", chosen); err != nil {
		return err
	}
	if list {
		return describe(chosen)
	}
	dir, err := os.MkdirTemp("", "ecsrelease-mutate-")
	if err != nil {
		return fmt.Errorf("making a directory for the mutated sources: %w", err)
	}
	defer os.RemoveAll(dir)

	fmt.Printf("The tests that are to notice %d mutations, on the sources as they are ...\n", len(chosen))
	if err := sound(ctx, chosen); err != nil {
		return err
	}
	verdicts := try(ctx, dir, chosen, parallel)
	return report(chosen, verdicts)
}

// choose is the part of the table that is asked for.
func choose(all []mutation, only string) ([]mutation, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("reading -run: %w", err)
	}
	var chosen []mutation
	for _, m := range all {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no mutation is called like %q", only)
	}
	return chosen, nil
}

func describe(chosen []mutation) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, m := range chosen {
		fmt.Fprintf(out, "%s\t%s\t%s\n", m.name, m.file, m.why)
	}
	return out.Flush()
}

// try tries every mutation and prints each verdict as it comes.
func try(ctx context.Context, dir string, chosen []mutation, parallel int) []verdict {
	verdicts := make([]verdict, len(chosen))
	turns := make(chan struct{}, max(parallel, 1))
	var group sync.WaitGroup
	for i, m := range chosen {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			began := time.Now()
			verdicts[i] = m.try(ctx, dir)
			verdicts[i].took = time.Since(began)
			fmt.Printf("%s: %s\n", m.name, verdicts[i])
		})
	}
	group.Wait()
	return verdicts
}

// report prints the table of verdicts; it is an error if one is not that the mutation was caught.
func report(chosen []mutation, verdicts []verdict) error {
	fmt.Println()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "MUTATION\tCAUGHT BY\tSECONDS")
	var missed []string
	for i, m := range chosen {
		by := verdicts[i].caughtBy
		if by == "" {
			by = "NOT CAUGHT"
			missed = append(missed, fmt.Sprintf("%s (%s): %s\n  it does: %s", m.name, m.file, verdicts[i], m.why))
		}
		fmt.Fprintf(out, "%s\t%s\t%.1f\n", m.name, by, verdicts[i].took.Seconds())
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	if len(missed) > 0 {
		return fmt.Errorf("%d of %d mutations were not caught:\n%s", len(missed), len(chosen), strings.Join(missed, "\n"))
	}
	fmt.Printf("\nAll %d mutations were caught.\n", len(chosen))
	return nil
}
