package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"heliumai.space/ecsrelease/internal/rollout"
)

// road is the way to the API server, which can be closed.
type road struct {
	t       *testing.T
	to      string
	address string

	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
}

// newRoad is an open road.
func newRoad(t *testing.T) *road {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", shared.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	r := &road{t: t, to: strings.TrimPrefix(config.Host, "https://"), address: "127.0.0.1:0"}
	r.reopen()
	t.Cleanup(r.close)
	return r
}

// reopen lets traffic through again, at the same address.
func (r *road) reopen() {
	r.t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.listener, r.address = listener, listener.Addr().String()
	r.mu.Unlock()
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := new(net.Dialer).DialContext(context.Background(), "tcp", r.to)
			if err != nil {
				_ = from.Close()
				return
			}
			r.mu.Lock()
			r.open = append(r.open, from, to)
			r.mu.Unlock()
			go func() { _, _ = io.Copy(to, from) }()
			go func() { _, _ = io.Copy(from, to) }()
		}
	}()
}

// close ends all traffic, and lets none begin.
func (r *road) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.listener.Close()
	for _, c := range r.open {
		_ = c.Close()
	}
	r.open = nil
}

// waits is somebody who waits for a release over a road, and has heard of it.
func (r *road) waits(name, timeout string) (cmd *exec.Cmd, output, problems *bufio.Scanner) {
	r.t.Helper()
	cmd = shared.command(r.t.Context(), told, "wait", name, "--timeout", timeout, "--server", "https://"+r.address)
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	wrong, err := cmd.StderrPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	output, problems = bufio.NewScanner(out), bufio.NewScanner(wrong)
	if !output.Scan() || !strings.Contains(output.Text(), "Progressing") {
		r.t.Fatalf("it says %q", output.Text())
	}
	return cmd, output, problems
}

func TestAnAPIServerThatIsAwayForAWhileIsAskedAgain(t *testing.T) {
	release := tell(t, "away", "progressing")
	road := newRoad(t)
	cmd, output, problems := road.waits(release.Name, "60s")
	road.close()
	if !problems.Scan() || !strings.HasPrefix(problems.Text(), "still trying: ") || !strings.Contains(problems.Text(), "EcsRelease told/away") {
		t.Fatalf("it says %q", problems.Text())
	}
	retell(t, release, seen(t, "ready").Status, release.Generation)
	road.reopen()
	for output.Scan() && !strings.Contains(output.Text(), "Ready: 6/6 services") {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestAnAPIServerThatStaysAwayIsNoTimeOutOfTheRelease(t *testing.T) {
	release := tell(t, "gone", "progressing")
	road := newRoad(t)
	cmd, _, problems := road.waits(release.Name, "4s")
	road.close()
	var said []string
	for problems.Scan() {
		said = append(said, problems.Text())
	}
	_ = cmd.Wait() // its code is looked at
	outcome{code: cmd.ProcessState.ExitCode(), errors: strings.Join(said, "\n")}.ends(t, rollout.ExitUsage, "the API server did not answer until 4s were over", "connection refused")
}
