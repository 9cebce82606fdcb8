// Command e2e-argocd follows releases from git push to running tasks, with the real programs: a
// kube-apiserver (bin/kubebox), Argo CD's application controller and repository server
// (bin/argobox), the scripts that CI calls (hack/ci), git, a local AWS (bin/awssim) and the
// controller (bin/manager). It prints how long each hop took, checks what runs in AWS and what Argo
// CD shows, and ends. Run it from the repository's root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are how the story is told.
type options struct {
	bin       string
	manifests string
	tools     string
	speed     float64
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "where kubebox, awssim, manager and e2e/argobox are")
	flag.StringVar(&o.manifests, "argocd-manifests", "", "the directory with Argo CD's manifests, of the version that argobox is")
	flag.StringVar(&o.tools, "tools", "", "a directory with kustomize, and a docker that builds into the local AWS")
	flag.Float64Var(&o.speed, "speed", 10, "how many times as fast as in AWS deployments pass")
	timeout := flag.Duration("timeout", 15*time.Minute, "how long the story may take")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	err := run(ctx, o)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e-argocd:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.manifests == "" || o.tools == "" {
		return errors.New("--argocd-manifests and --tools have to be given: make e2e-argocd does")
	}
	began := time.Now()
	world, err := newWorld(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	// What is watched ends before the control plane does, which waits for it.
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if err := world.start(ctx); err != nil {
		return err
	}
	if err := tell(ctx, world); err != nil {
		return err
	}
	say("the whole story took %s", time.Since(began).Round(time.Second))
	return nil
}

// say prints a line of the story.
func say(format string, args ...any) {
	fmt.Printf("\n== "+format+"\n", args...)
}
