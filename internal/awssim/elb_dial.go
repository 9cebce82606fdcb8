package awssim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// DialLoadBalancer connects to a load balancer, "name:port", without a network; it is for
// http.Transport.DialContext. A host that is no load balancer's DNS name is not found, and
// a port without a listener refuses the connection. HTTPS listeners speak TLS, with a
// certificate for whatever server name the client asks for, signed by
// [Simulator.CertificateAuthority]. It works in a testing/synctest bubble; the other side of
// a connection ends when the client closes it or leaves it idle for a minute.
func (s *Simulator) DialLoadBalancer(ctx context.Context, network, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialing a load balancer: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("dialing load balancer %s: %w", host, err)
	}
	s.mu.Lock()
	s.advance()
	l := s.elb.listener(host, port)
	known := s.elb.byName[host] != nil
	secure := l != nil && l.protocol == "HTTPS"
	s.mu.Unlock()
	switch {
	case l == nil && known:
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case l == nil:
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	client, server := net.Pipe()
	if secure {
		server = tls.Server(server, s.balancerTLS(host))
	}
	go func() {
		// It returns at once, after it has started to serve the only connection.
		_ = balancerServer(s.LoadBalancer(host, port)).Serve(&singleListener{conn: server})
	}()
	return client, nil
}

func balancerServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: idleTimeout, IdleTimeout: idleTimeout}
}

// singleListener accepts one connection.
type singleListener struct {
	once sync.Once
	conn net.Conn
}

// Accept returns the connection, then net.ErrClosed.
func (l *singleListener) Accept() (conn net.Conn, err error) {
	err = net.ErrClosed
	l.once.Do(func() { conn, err = l.conn, nil })
	return conn, err
}

// Close has nothing to do: the connection belongs to its server.
func (l *singleListener) Close() error { return nil }

// Addr is the address of the connection.
func (l *singleListener) Addr() net.Addr { return l.conn.LocalAddr() }

// LoadBalancerEndpoint is a port that a load balancer listens on.
type LoadBalancerEndpoint struct {
	DNSName string
	Port    int
	TLS     bool
}

// LoadBalancerEndpoints lists what load balancers listen on now; changed is closed once
// that is no longer so.
func (s *Simulator) LoadBalancerEndpoints() (endpoints []LoadBalancerEndpoint, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, b := range s.elb.byName {
		for _, l := range b.listeners {
			endpoints = append(endpoints, LoadBalancerEndpoint{DNSName: name, Port: l.port, TLS: l.protocol == "HTTPS"})
		}
	}
	return endpoints, s.elb.changed
}

// ListenForLoadBalancers serves all load balancers at their own addresses until ctx ends;
// Options.LoadBalancerAddresses gives them some. A port that cannot be listened on is
// reported, and is tried again when the next listener comes or goes.
func (s *Simulator) ListenForLoadBalancers(ctx context.Context, report func(text string)) {
	open := map[LoadBalancerEndpoint]*http.Server{}
	for {
		endpoints, changed := s.LoadBalancerEndpoints()
		wanted := map[LoadBalancerEndpoint]bool{}
		for _, e := range endpoints {
			wanted[e] = true
		}
		for e, server := range open {
			if !wanted[e] {
				_ = server.Close() // the listener is gone, whatever becomes of its connections
				delete(open, e)
			}
		}
		for _, e := range endpoints {
			if open[e] != nil {
				continue
			}
			server, err := s.listen(ctx, e)
			if err != nil {
				report(fmt.Sprintf("load balancer %s does not listen on port %d: %s", e.DNSName, e.Port, err))
				continue
			}
			open[e] = server
		}
		select {
		case <-changed:
		case <-ctx.Done():
			for _, server := range open {
				_ = server.Close() // nobody waits for what is in flight
			}
			return
		}
	}
}

func (s *Simulator) listen(ctx context.Context, e LoadBalancerEndpoint) (*http.Server, error) {
	if ip := net.ParseIP(e.DNSName); ip == nil || !ip.IsLoopback() {
		return nil, errors.New("its name is not a loopback address")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(e.DNSName, strconv.Itoa(e.Port)))
	if err != nil {
		return nil, err
	}
	if e.TLS {
		listener = tls.NewListener(listener, s.balancerTLS(e.DNSName))
	}
	server := balancerServer(s.LoadBalancer(e.DNSName, e.Port))
	server.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	server.ReadHeaderTimeout = 10 * time.Second
	go func() { _ = server.Serve(listener) }() // it ends with Close
	return server, nil
}
