package controllers_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"sync"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/probe"
)

// balance creates an application load balancer in the home region.
func (w *world) balance(b seed.Balancer) *seed.Balanced {
	w.t.Helper()
	made, err := b.Create(w.t.Context(), elb.NewFromConfig(w.root(home)))
	w.must(err)
	return made
}

// prober reaches the simulator's load balancers, each by an address of its own, as if it resolved
// and dialled, and trusts their certificates.
func (s *suite) prober() (*probe.Prober, error) {
	authority, err := s.sim.CertificateAuthority()
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	var names addressBook
	return &probe.Prober{
		Roots: roots,
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			return []netip.Addr{names.addressOf(host)}, nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, err
			}
			name := names.nameOf(target.Addr())
			return s.sim.DialLoadBalancer(ctx, network, net.JoinHostPort(name, fmt.Sprint(target.Port())))
		},
	}, nil
}

// addressBook gives names public addresses.
type addressBook struct {
	mu    sync.Mutex
	names []string
}

func (b *addressBook) addressOf(name string) netip.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, known := range b.names {
		if known == name {
			return numbered(i)
		}
	}
	b.names = append(b.names, name)
	return numbered(len(b.names) - 1)
}

func (b *addressBook) nameOf(address netip.Addr) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, name := range b.names {
		if numbered(i) == address {
			return name
		}
	}
	return address.String()
}

// numbered is a public address.
func numbered(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{52, 1, byte(i >> 8), byte(i)})
}
