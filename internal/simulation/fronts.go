package simulation

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"heliumai.space/ecsrelease/internal/probe"
)

// inside is where the load balancers of the world have their addresses.
var inside = netip.MustParsePrefix("10.77.0.0/16")

// fronts are the names of the load balancers; each has an address by its place in the list.
type fronts struct {
	mu    sync.Mutex
	names []string
}

func (f *fronts) add(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = append(f.names, name)
}

func (f *fronts) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.Index(f.names, host)
	if at < 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{netip.AddrFrom4([4]byte{10, 77, 0, byte(at + 1)})}, nil
}

// name is the load balancer with an address.
func (f *fronts) name(address netip.Addr) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := int(address.As4()[3]) - 1
	if at < 0 || at >= len(f.names) {
		return "", false
	}
	return f.names[at], true
}

// prober asks the load balancers of the world.
func (w *world) prober() *probe.Prober {
	return &probe.Prober{
		Allow:   []netip.Prefix{inside},
		Resolve: w.fronts.resolve,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, fmt.Errorf("dialing %s: %w", address, err)
			}
			name, known := w.fronts.name(at.Addr())
			if !known {
				return nil, fmt.Errorf("dialing %s: nobody is there", address)
			}
			return w.aws.DialLoadBalancer(ctx, network, net.JoinHostPort(name, fmt.Sprint(at.Port())))
		},
	}
}
