package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// catcher is tests of one package.
type catcher struct {
	pkg string // as go test takes it: ./internal/cloud
	run string // the regular expression of their names
}

// verdict is what became of a mutation.
type verdict struct {
	caughtBy string // the test that failed; "" when none did
	problem  string // why nothing can be said; "" when something can
	took     time.Duration
}

func (v verdict) String() string {
	switch {
	case v.problem != "":
		return v.problem
	case v.caughtBy == "":
		return "no test failed"
	}
	return "caught by " + v.caughtBy
}

// slow is how long the tests of one mutation may take: a mutation that hangs them is caught.
const slow = 10 * time.Minute

// outcome is what go test reported.
type outcome struct {
	passed  []string // the tests that passed
	failed  []string // the tests that failed, subtests included
	unbuilt bool     // the package or one that it imports does not compile
	broken  bool     // something failed that is no test: the set-up, or a run that timed out
	output  string
}

// goTest runs the tests of a catcher; a non-nil error says that it could not be tried.
func goTest(ctx context.Context, c catcher, args ...string) (outcome, error) {
	args = append([]string{"test", "-json", "-count=1", "-vet=off", "-timeout=" + slow.String(), "-run", c.run}, args...)
	cmd := exec.CommandContext(ctx, "go", append(args, c.pkg)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	raw, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return outcome{}, fmt.Errorf("running go test %s: %w", c.pkg, err)
	}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	o, readErr := read(raw)
	o.output += errs.String()
	o.broken = err != nil && !o.unbuilt && len(o.failed) == 0
	return o, readErr
}

// read reads the events of go test -json.
func read(raw []byte) (outcome, error) {
	var o outcome
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			o.output += lines.Text() + "\n"
			continue
		}
		o.output += event.Output
		switch {
		case event.Action == "build-fail":
			o.unbuilt = true
		case event.Action == "fail" && event.Test != "":
			o.failed = append(o.failed, event.Test)
		case event.Action == "pass" && event.Test != "":
			o.passed = append(o.passed, event.Test)
		}
	}
	if err := lines.Err(); err != nil {
		return o, fmt.Errorf("reading what go test said: %w", err)
	}
	return o, nil
}

// sound runs the catchers of all mutations on the sources as they are: each must have tests, and
// all of them must pass, or a failure would prove nothing.
func sound(ctx context.Context, chosen []mutation) error {
	runs := map[string][]string{}
	for _, m := range chosen {
		for _, c := range m.catchers {
			if !slices.Contains(runs[c.pkg], c.run) {
				runs[c.pkg] = append(runs[c.pkg], c.run)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(runs)) {
		o, err := goTest(ctx, catcher{pkg: pkg, run: "(" + strings.Join(runs[pkg], ")|(") + ")"})
		if err != nil {
			return err
		}
		if o.unbuilt || o.broken || len(o.failed) > 0 {
			return fmt.Errorf("the tests of %s fail on the sources as they are: %s\n%s", pkg, strings.Join(o.failed, ", "), tail(o.output))
		}
		for _, run := range runs[pkg] {
			if o, err = goTest(ctx, catcher{pkg: pkg, run: run}, "-list", run); err != nil {
				return err
			}
			if !strings.Contains(o.output, "Test") {
				return fmt.Errorf("%s has no test that is called like %s", pkg, run)
			}
		}
	}
	return nil
}

// try shows the mutated file to the compiler and runs the catchers until one notices.
func (m mutation) try(ctx context.Context, dir string) verdict {
	overlay, err := m.overlay(dir)
	if err != nil {
		return verdict{problem: err.Error()}
	}
	for _, c := range m.catchers {
		o, err := goTest(ctx, c, "-overlay", overlay)
		switch {
		case err != nil:
			return verdict{problem: err.Error()}
		case o.unbuilt:
			return verdict{problem: "it does not compile, which proves nothing:\n" + tail(o.output)}
		case len(o.failed) > 0:
			return verdict{caughtBy: c.pkg + " " + outermost(o.failed)}
		case o.broken:
			return verdict{problem: "the tests of " + c.pkg + " failed without a test that failed:\n" + tail(o.output)}
		}
	}
	return verdict{}
}

// outermost is the first test that failed by itself, without the name of its subtest.
func outermost(failed []string) string {
	name, _, _ := strings.Cut(slices.MinFunc(failed, func(a, b string) int {
		return cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/"))
	}), "/")
	return name
}

// overlay writes the mutated source and the file that go test -overlay takes, and returns the
// path of the latter.
func (m mutation) overlay(dir string) (string, error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", fmt.Errorf("reading a source: %w", err)
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", m.file, err)
	}
	sub, err := os.MkdirTemp(dir, "")
	if err != nil {
		return "", fmt.Errorf("making a directory: %w", err)
	}
	mutated := filepath.Join(sub, filepath.Base(m.file))
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return "", fmt.Errorf("writing a mutated source: %w", err)
	}
	content, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	path := filepath.Join(sub, "overlay.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	return path, nil
}

// tail is the end of an output, for a message.
func tail(output string) string {
	const most = 3000
	return output[max(0, len(output)-most):]
}
