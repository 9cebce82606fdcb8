// Command argobox is Argo CD without its user interface in one file: the
// application controller and the repository server, unmodified, from their
// published Go module, and a Redis for them, for the end-to-end test on machines
// that have no cluster.
//
//	argobox application-controller ARGS...    argocd-application-controller
//	argobox repo-server ARGS...               argocd-repo-server
//	argobox redis --listen HOST:PORT          what they keep their cache in
//
// The first two take the flags and the ARGOCD_* variables of the programs they are.
// They run until SIGINT or SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/util/log"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const usage = `argobox is Argo CD's controllers in one binary, for the end-to-end test.

Usage:
  argobox application-controller ARGS...
  argobox repo-server ARGS...
  argobox redis [--listen HOST:PORT]
`

func main() {
	os.Exit(dispatch(os.Args, os.Stdout, os.Stderr))
}

// dispatch runs the program that the first argument names.
func dispatch(argv []string, stdout, stderr io.Writer) int {
	name := ""
	if len(argv) > 1 {
		name = argv[1]
	}
	switch name {
	case "application-controller":
		return run(controller.NewCommand(), argv[2:])
	case "repo-server":
		return run(reposerver.NewCommand(), argv[2:])
	case "redis":
		return redis(argv[2:], stdout, stderr)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	default:
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
}

// run runs one of Argo CD's programs; cobra prints what is wrong.
func run(command *cobra.Command, args []string) int {
	// As in Argo CD's own main: what client-go logs goes to the same log.
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	command.SetArgs(args)
	if err := command.Execute(); err != nil {
		return exitFailure
	}
	return exitOK
}

// redis serves until it is told to end. What it holds is gone then, as with the Redis that Argo CD
// is installed with.
func redis(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("argobox redis", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "where to listen")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(*listen); err != nil {
		fmt.Fprintln(stderr, "argobox: redis:", err)
		return exitFailure
	}
	defer server.Close()
	fmt.Fprintln(stdout, "listening on", server.Addr())
	<-ctx.Done()
	return exitOK
}
