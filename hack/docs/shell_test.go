package docs_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

// shell is the terminal of somebody who follows a page: what one block sets or starts is there in the
// next.
type shell struct {
	cmd     *exec.Cmd
	stdin   io.Writer
	answers *bufio.Scanner
	scratch string // for what passes between us and it
	ended   chan struct{}
}

// answered begins the line by which the shell says that a step has ended.
const answered = "the step ended with "

// openShell opens a terminal in a directory; "" is one of its own. Whoever does must close it.
func openShell(home string, env ...string) (*shell, error) {
	scratch, err := os.MkdirTemp(dir, "shell-")
	if err != nil {
		return nil, fmt.Errorf("opening a shell: %w", err)
	}
	answers, out, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("opening a shell: %w", err)
	}
	defer out.Close() // the shell has its own
	s := &shell{scratch: scratch, answers: bufio.NewScanner(answers), ended: make(chan struct{})}
	s.cmd = exec.Command("bash", "--noprofile", "--norc")
	s.cmd.Dir, s.cmd.Env = cmp.Or(home, scratch), append(lab.CleanEnvironment(), env...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("opening a shell: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("opening a shell: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // a signal ends it, or a command that failed
		close(s.ended)
	}()
	return s, nil
}

// close ends the shell and all that was started in it: its process group. What does not end in order is
// ended by force.
func (s *shell) close() {
	const patience = 20 * time.Second
	group := -s.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	for began := time.Now(); syscall.Kill(group, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			_ = syscall.Kill(group, syscall.SIGKILL)
			break
		}
	}
	<-s.ended
}

// do runs commands, of which each must succeed, and returns what they print.
func (s *shell) do(ctx context.Context, commands string) (string, error) {
	output, status, err := s.send(ctx, "set -eE -o pipefail\n", commands)
	if err == nil && status != 0 {
		err = fmt.Errorf("exit status %d", status)
	}
	return output, err
}

// ask runs one command and returns what it prints and what it ends with.
func (s *shell) ask(ctx context.Context, command string) (output string, status int, err error) {
	return s.send(ctx, "set +eE -o pipefail\n", command)
}

// send has the shell itself run the commands, so that what they set stays. The first that fails under
// set -e ends the shell, and with it the page.
func (s *shell) send(ctx context.Context, options, commands string) (output string, status int, err error) {
	file, printed := filepath.Join(s.scratch, "step"), filepath.Join(s.scratch, "printed")
	trap := `trap 'echo "this failed: $BASH_COMMAND" >&2' ERR` + "\n"
	if strings.Contains(options, "+e") {
		trap = "trap - ERR\n"
	}
	if err := os.WriteFile(file, []byte(options+trap+commands+"\n"), 0o600); err != nil {
		return "", 0, err
	}
	if _, err := fmt.Fprintf(s.stdin, "source %q </dev/null >%q 2>&1; echo %q$?\n", file, printed, answered); err != nil {
		return "", 0, fmt.Errorf("the shell has ended: %w", err)
	}
	line := make(chan string, 1)
	go func() {
		for s.answers.Scan() {
			if found, ok := strings.CutPrefix(s.answers.Text(), answered); ok {
				line <- found
				return
			}
		}
		close(line)
	}()
	var answer string
	ok := false
	select {
	case answer, ok = <-line:
	case <-ctx.Done():
		err = ctx.Err()
	}
	content, readErr := os.ReadFile(printed)
	if err = errors.Join(err, readErr); err != nil {
		return string(content), 0, err
	}
	if !ok {
		return string(content), 0, errors.New("a command failed")
	}
	_, err = fmt.Sscan(answer, &status)
	return string(content), status, err
}

func TestAShellKeepsWhatWasSetAndStopsAtWhatFails(t *testing.T) {
	home := t.TempDir()
	s, err := openShell(home)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, err := s.do(t.Context(), "export WORD=kept\nmkdir a && cd a\nsleep 1000 & "); err != nil {
		t.Fatal(err)
	}
	if output, err := s.do(t.Context(), "echo $WORD\npwd"); err != nil || output != "kept\n"+home+"/a\n" {
		t.Errorf("it prints %q, %v", output, err)
	}
	if _, status, err := s.ask(t.Context(), "(exit 7)"); status != 7 || err != nil {
		t.Errorf("a question ended with %d, %v", status, err)
	}
	output, err := s.do(t.Context(), "echo before\nfalse | cat\necho after")
	if err == nil || !strings.Contains(output, "before") || !strings.Contains(output, "this failed") || strings.Contains(output, "after") {
		t.Errorf("commands of which one fails print %q, %v", output, err)
	}
	if _, err := s.do(t.Context(), "true"); err == nil {
		t.Error("a page goes on after a command of it has failed")
	}
}
