package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"time"
)

// A component is a running part of the control plane.
type component struct {
	name string
	// stop asks it to end; calling it again does nothing.
	stop func()
	// done is closed when it has ended; err then says why, if not by stop.
	done chan struct{}
	err  error
}

// startComponent runs the function until stop is called or it returns.
func startComponent(name string, run func(ctx context.Context) error) *component {
	// Not a child of the caller's context: the parts end in order, not at once.
	ctx, cancel := context.WithCancel(context.Background())
	c := &component{name: name, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		err := run(ctx)
		switch {
		case ctx.Err() != nil:
			// It was told to end; how it complains about that is of no interest.
		case err == nil:
			c.err = fmt.Errorf("%s ended by itself", name)
		default:
			c.err = fmt.Errorf("%s: %w", name, err)
		}
	}()
	return c
}

// stopTimeout bounds how long a component may take to end. Requests in flight
// are let finish; a watch that does not end must not hold us up for ever.
const stopTimeout = 20 * time.Second

// controlPlane is one run of etcd, kube-apiserver and kube-controller-manager.
type controlPlane struct {
	options upOptions
	creds   *credentials
	logDir  string
	out     io.Writer
	started time.Time

	running []*component // in the order they were started
}

// run starts the parts one after the other, waits until the API serves, writes
// the kubeconfig, waits for the end of ctx or of a part, and stops the parts.
//
// A start that does not come to its end is not taken back part by part: told to
// end before its start hooks are through, kube-apiserver exits the process with
// a status of its own. The caller is to exit instead, which etcd survives as it
// survives any crash of the process.
func (p *controlPlane) run(ctx context.Context) error {
	if err := p.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // a start that was interrupted did not fail
		}
		return err
	}
	err := p.wait(ctx)
	if err == nil {
		fmt.Fprintln(p.out, "stopping")
	}
	return errors.Join(err, p.stopAll())
}

func (p *controlPlane) start(ctx context.Context) error {
	startCtx, cancel := context.WithTimeout(ctx, p.options.readyTimeout)
	defer cancel()

	listener, err := net.Listen("tcp4", net.JoinHostPort(loopback.String(), strconv.Itoa(p.options.port)))
	if err != nil {
		return fmt.Errorf("opening the port of kube-apiserver: %w", err)
	}
	url := "https://" + listener.Addr().String()

	etcd, etcdURL, err := startEtcd(startCtx, filepath.Join(p.options.dataDir, "etcd"), filepath.Join(p.logDir, "etcd.log"), p.creds)
	if err != nil {
		listener.Close()
		return fmt.Errorf("starting etcd: %w", err)
	}
	p.running = append(p.running, etcd)
	fmt.Fprintf(p.out, "etcd serves on %s\n", etcdURL)

	apiServer, err := startAPIServer(listener, etcdURL, p.creds, p.options.withControllerManager)
	if err != nil {
		listener.Close()
		return fmt.Errorf("starting kube-apiserver: %w", err)
	}
	p.running = append(p.running, apiServer)

	probe, err := newProbe(url, p.creds)
	if err != nil {
		return err
	}
	// "ready" does not say that the namespace is made, which the first thing
	// that anybody creates needs.
	if err := p.await(startCtx, probe, "/readyz", "/api/v1/namespaces/default"); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "kube-apiserver serves on %s\n", url)

	if p.options.withControllerManager {
		manager, err := startControllerManager(url, p.options.dataDir, p.creds)
		if err != nil {
			return fmt.Errorf("starting kube-controller-manager: %w", err)
		}
		p.running = append(p.running, manager)
		if err := p.await(startCtx, probe, "/api/v1/namespaces/default/serviceaccounts/default"); err != nil {
			return err
		}
		fmt.Fprintln(p.out, "kube-controller-manager runs")
	}

	if err := writeKubeconfig(p.options.kubeconfig, url, p.creds.caFile, p.creds.adminToken); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "ready after %.1fs; stop with SIGINT or SIGTERM\nexport KUBECONFIG=%s\n",
		time.Since(p.started).Seconds(), p.options.kubeconfig)
	return nil
}

// await returns when each path has answered 200, ctx ends or a part breaks.
func (p *controlPlane) await(ctx context.Context, probe *probe, paths ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, c := range p.running {
		go func() {
			select {
			case <-c.done:
				cancel(c.err)
			case <-ctx.Done():
			}
		}()
	}
	for _, path := range paths {
		if err := probe.await(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// wait returns nil at the end of ctx, or why a part has ended before.
func (p *controlPlane) wait(ctx context.Context) error {
	broken := make(chan error, len(p.running))
	for _, c := range p.running {
		go func() {
			<-c.done
			broken <- c.err
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-broken:
		return err
	}
}

// stopAll ends the parts, users before what they use.
func (p *controlPlane) stopAll() error {
	var errs []error
	for i := len(p.running) - 1; i >= 0; i-- {
		c := p.running[i]
		c.stop()
		select {
		case <-c.done:
		case <-time.After(stopTimeout):
			errs = append(errs, fmt.Errorf("%s did not end within %s", c.name, stopTimeout))
		}
	}
	return errors.Join(errs...)
}
