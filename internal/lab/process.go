package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// patience is how long a process may take to end in order.
	patience = 20 * time.Second
	// logged is how much of the end of a log an error message quotes.
	logged = 2000
	// glance is how often a log is looked into.
	glance = 50 * time.Millisecond
)

// Process is a program that runs until it ends by itself or is ended, by its pid.
type Process struct {
	// Name is what messages call it.
	Name string
	// Log is the path of the file with its output.
	Log string

	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended; only read once ended is closed
}

// Launch starts the program at path with its output in a new file at log. To the caller's
// environment, cleaned of its AWS and Kubernetes settings, env is added. The program outlives
// every context: whoever launches it must Stop or Kill it.
func Launch(name, path, log string, env []string, args ...string) (*Process, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer output.Close()               // the program has its own
	cmd := exec.Command(path, args...) //nolint:noctx // it is ended by its pid
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Env = append(CleanEnvironment(), env...)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &Process{Name: name, Log: log, cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// CleanEnvironment is the caller's environment without what would point a program at another
// cluster or another AWS.
func CleanEnvironment() []string {
	var clean []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "KUBECONFIG=") {
			clean = append(clean, variable)
		}
	}
	return clean
}

// PID is its process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Alive is nil while the process runs; then it is an error with the end of its log.
func (p *Process) Alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended (%w); the end of its log:\n%s", p.Name, p.outcome(), p.Tail())
	default:
		return nil
	}
}

// outcome is how an ended process ended; ending in order is an error too for one that was
// meant to run.
func (p *Process) outcome() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// Stop ends the process in order, and by force where it does not end; that is then an error.
// One that has ended already is none.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM", p.Name, patience)
	}
}

// Kill ends the process by SIGKILL: it gets no chance to do anything more, and is gone when Kill
// returns. It may be called twice.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it fails for one that has ended already
	<-p.ended
}

// AwaitLine waits until a line with the given prefix is in the log, and returns what follows it.
func (p *Process) AwaitLine(ctx context.Context, prefix string) (string, error) {
	for {
		if rest, ok := findLine(p.Log, prefix); ok {
			return rest, nil
		}
		select {
		case <-p.ended:
			return "", p.Alive()
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for %s to say %q: %w; the end of its log:\n%s", p.Name, prefix, ctx.Err(), p.Tail())
		case <-time.After(glance):
		}
	}
}

func findLine(path, prefix string) (string, bool) {
	file, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer file.Close() // only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// Tail is the end of the log, for an error message.
func (p *Process) Tail() string {
	content, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-logged):])
}
