// Command awssim serves a local AWS: ECS, ECR, STS, load balancers, names, certificates and
// accelerators before them, alarms, queues and the events that go there, for as many accounts and regions as anybody signs for. See package
// awssim for what it implements and for its admin API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"heliumai.space/ecsrelease/internal/awssim"
)

const usage = `awssim is a local AWS: ECS, ECR, STS, Elastic Load Balancing (version 2), Route 53, Global
Accelerator, ACM's certificates, CloudWatch's alarms, SQS's queues and EventBridge's rules, for
any number of accounts and regions.

Usage: awssim [flags]

Point an AWS program at it with a few variables. An access key of twelve digits with the
secret "awssim" is the root of that account; nothing needs to be created first:

  export AWS_ENDPOINT_URL=http://127.0.0.1:4566
  export AWS_REGION=ap-south-1 AWS_DEFAULT_REGION=ap-south-1
  export AWS_ACCESS_KEY_ID=111122223333 AWS_SECRET_ACCESS_KEY=awssim
  aws sts get-caller-identity
  aws ecs create-cluster --cluster-name demo

Route 53 and Global Accelerator are in one region each, as they are at AWS:

  aws route53 list-hosted-zones --region us-east-1
  aws globalaccelerator list-accelerators --region us-west-2

Users, roles, faults, image behaviour, quotas, the journal of calls and what became of events
have an admin API:

  curl -s http://127.0.0.1:4566/_sim/

With --load-balancers each load balancer listens at an address of its own, 127.80.0.1 and up,
which is its DNS name. HTTPS listeners have certificates of an authority of the simulator's:

  curl -s http://127.0.0.1:4566/_sim/ca.pem > ca.pem
  curl --cacert ca.pem --connect-to app.example.com:443:127.80.0.1:443 https://app.example.com/

Flags:
`

// shutdownGrace is how long requests in flight may take after a signal.
const shutdownGrace = 3 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "awssim:", err)
		os.Exit(1)
	}
}

// errUsage stands for a mistake in the flags that the user has been told of.
var errUsage = errors.New("usage")

type settings struct {
	listen      string
	allowRemote bool
	readyFile   string
	simulator   awssim.Options
}

// run serves until ctx ends. It prints one line when it listens.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := checkLoopback(cfg); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	// Requests that hang on purpose end with this context; Shutdown would wait for them.
	requests, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	simulator := awssim.New(cfg.simulator)
	server := &http.Server{
		Handler:           simulator,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if cfg.simulator.LoadBalancerAddresses {
		stop := listenForLoadBalancers(ctx, simulator, stderr)
		defer stop()
	}
	if err := announce(cfg, "http://"+listener.Addr().String(), stdout); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-served:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	cancelRequests()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("shutting down: %w", errors.Join(err, server.Close()))
	}
	return nil
}

// listenForLoadBalancers serves the load balancers until stop is called, which waits for the
// end of it.
func listenForLoadBalancers(ctx context.Context, simulator *awssim.Simulator, stderr io.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		simulator.ListenForLoadBalancers(ctx, func(text string) { fmt.Fprintln(stderr, "awssim:", text) })
	}()
	return func() {
		cancel()
		<-ended
	}
}

func parse(args []string, stderr io.Writer) (settings, error) {
	cfg := settings{}
	flags := flag.NewFlagSet("awssim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&cfg.listen, "listen", "127.0.0.1:4566", "`host:port` to listen on; port 0 picks a free one")
	flags.BoolVar(&cfg.allowRemote, "allow-remote", false, "listen on an address that other machines can reach; anybody there can do anything, the admin API has no authentication")
	flags.StringVar(&cfg.readyFile, "ready-file", "", "write the URL to this `file` once it listens")
	flags.Float64Var(&cfg.simulator.Speed, "speed", 1, "how many times as fast the things pass that ECS, ECR and EventBridge take time for, quota refill included; timestamps, signatures, sessions and the seconds of queues stay on the wall clock")
	flags.BoolVar(&cfg.simulator.Quotas, "quotas", false, "enforce AWS's request quotas from the start; PUT /_sim/quotas switches them later")
	flags.DurationVar(&cfg.simulator.ReadLatency, "latency-read", 0, "what every answer of a reading operation takes")
	flags.DurationVar(&cfg.simulator.WriteLatency, "latency-write", 0, "what every answer of a changing operation takes")
	flags.BoolVar(&cfg.simulator.LoadBalancerAddresses, "load-balancers", false, "listen for each load balancer at a loopback address of its own, which is its DNS name; ports that cannot be listened on are reported")
	flags.Uint64Var(&cfg.simulator.Seed, "seed", 0, "make generated names and fault probabilities repeatable; 0 draws a seed")
	flags.IntVar(&cfg.simulator.JournalEntries, "journal", 0, "how many calls the journal keeps; 0 means 20000")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return cfg, err
		}
		return cfg, errUsage
	}
	var wrong string
	switch {
	case flags.NArg() > 0:
		wrong = fmt.Sprintf("unexpected argument %q", flags.Arg(0))
	case !(cfg.simulator.Speed > 0):
		wrong = "--speed must be positive"
	case cfg.simulator.ReadLatency < 0 || cfg.simulator.WriteLatency < 0:
		wrong = "latencies cannot be negative"
	case cfg.simulator.JournalEntries < 0:
		wrong = "--journal cannot be negative"
	default:
		return cfg, nil
	}
	fmt.Fprintln(stderr, "awssim:", wrong+"; see awssim --help")
	return cfg, errUsage
}

// checkLoopback keeps an API without authentication of its own off the network.
func checkLoopback(cfg settings) error {
	host, _, err := net.SplitHostPort(cfg.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", cfg.listen, err)
	}
	if cfg.allowRemote || host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--listen %s is not a loopback address; other machines could use it: add --allow-remote if that is meant", cfg.listen)
	}
	return nil
}

func announce(cfg settings, url string, stdout io.Writer) error {
	fmt.Fprintln(stdout, "listening on", url)
	if cfg.readyFile == "" {
		return nil
	}
	// Written aside and renamed: whoever waits for the file never reads half of it.
	draft := cfg.readyFile + ".tmp"
	if err := os.WriteFile(draft, []byte(url+"\n"), 0o644); err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	if err := os.Rename(draft, cfg.readyFile); err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	return nil
}
