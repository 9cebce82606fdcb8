// Package probe asks a URL whether it answers as it should, from inside of a network that the one
// who wrote the URL may not look into.
//
// Whoever may write an EcsRelease may have the manager dial; what they must not get is a look at
// what only the manager can reach. So a Prober dials no address that is not public unless it is
// told to, and what it dials is the address that it checked, never a name. It follows no redirect,
// uses no proxy, keeps no cookie, and tells nothing of what an answer says but its status.
package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxBody is how much of a body is read, and of a header.
	maxBody = 64 << 10
	// defaultTimeout is that of a request that has none.
	defaultTimeout = 10 * time.Second
)

// Prober asks URLs. The zero value works, and dials public addresses only. It may be used
// concurrently, and must not be changed once it is.
type Prober struct {
	// Allow are ranges of addresses that may be dialled although they are not public.
	Allow []netip.Prefix
	// Deny are ranges that are never dialled, such as those of the pods and services of a cluster
	// that uses public addresses for them.
	Deny []netip.Prefix
	// Roots are authorities that are trusted as well as the system's.
	Roots *x509.CertPool
	// Dial connects to an address, IP:port. Absent: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolve looks up the addresses of a host. Absent: the resolver of the system, which is
	// asked for the name as it is written, without search domains.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Request is what to ask, and where.
type Request struct {
	// URL is asked with GET. Its host is what the request and the certificate are about.
	URL string
	// Address is the host[:port] to dial instead of the URL's; the port is the URL's where there
	// is none. "": the URL's host.
	Address string
	// ExpectStatus is the status wanted; 0: 200.
	ExpectStatus int
	// Timeout is how long all of it may take; 0: 10 s.
	Timeout time.Duration
}

// Result is what came of it.
type Result struct {
	// OK says that the status is the one wanted.
	OK bool
	// Status is that of the answer, 0 when there was none.
	Status int
	// Message names what was asked where, what was seen and what was wanted, for people.
	Message string
	// Seen is what was seen, without where: it is the same whichever of several addresses was dialled, and
	// whenever, as long as what happens is.
	Seen string
	// Unasked says that nobody was dialled: since the host has no address, if Absent says so too, since
	// none that it has may be dialled, if Refused does, or since its addresses could not be looked up.
	Unasked, Absent, Refused bool
}

// Check asks once. Whatever goes wrong is in the result.
func (p *Prober) Check(ctx context.Context, r Request) Result {
	if r.ExpectStatus == 0 {
		r.ExpectStatus = http.StatusOK
	}
	if r.Timeout <= 0 {
		r.Timeout = defaultTimeout
	}
	deadline := time.Now().Add(r.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	u, err := parseURL(r.URL)
	if err != nil {
		result := failed("%v", err)
		result.Unasked = true
		return result
	}
	c := &check{prober: p, url: u}
	if c.host, c.port, err = whereTo(u, r.Address); err != nil {
		return c.result(0, "%v", err)
	}
	c.where = c.host
	status, err := c.ask(ctx)
	switch {
	case err != nil && !time.Now().Before(deadline):
		// Whoever noticed first.
		return c.result(status, "no full answer within %s", r.Timeout)
	case err != nil:
		result := c.result(status, "%s", told(err, unreadable))
		if ours := (*plainError)(nil); errors.As(err, &ours) {
			result.Seen = shorten(cmp.Or(ours.seen, ours.said))
			result.Absent, result.Refused = ours.absent, ours.refused
		}
		return result
	case status != r.ExpectStatus:
		return c.result(status, "it answered %d, wanted %d", status, r.ExpectStatus)
	}
	result := c.result(status, "it answered %d", status)
	result.OK = true
	return result
}

func failed(format string, args ...any) Result {
	said := shorten(fmt.Sprintf(format, args...))
	return Result{Message: said, Seen: said}
}

// check is one request under way.
type check struct {
	prober *Prober
	url    *url.URL
	host   string // to dial
	port   string

	mu    sync.Mutex // the transport may still dial when it was given up
	where string     // for messages: the host, and the address once it is dialled
	// dialled says that an address was.
	dialled bool
}

// result is one that did not come out as wanted. It begins with what was asked, and where. The
// query stays out: it may hold what is nobody's business.
func (c *check) result(status int, format string, args ...any) Result {
	c.mu.Lock()
	where, dialled := c.where, c.dialled
	c.mu.Unlock()
	asked := "GET " + c.url.Scheme + "://" + c.url.Host + c.url.EscapedPath()
	if where != "" && where != c.url.Hostname() {
		asked += " at " + where
	}
	seen := fmt.Sprintf(format, args...)
	result := failed("%s: %s", asked, seen)
	result.Status, result.Seen, result.Unasked = status, shorten(seen), !dialled
	return result
}

func (c *check) at(where string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.where, c.dialled = where, true
}

// ask is the status of the answer, whose body, as far as it is read, came through.
func (c *check) ask(ctx context.Context) (int, error) {
	transport := &http.Transport{
		// What the transport gives a dial has no deadline, and the name that is not to be dialled.
		DialContext:            func(_ context.Context, network, _ string) (net.Conn, error) { return c.dial(ctx, network) },
		TLSClientConfig:        c.prober.tls(strings.TrimSuffix(c.url.Hostname(), ".")),
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxBody,
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url.String(), http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", "ecsrelease")
	request.Header.Set("Accept", "*/*")
	// Of a client, this is the part that knows nothing of redirects and cookies.
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response.StatusCode, nil
	}
	if _, err := io.CopyN(io.Discard, response.Body, maxBody); err != nil && !errors.Is(err, io.EOF) {
		return response.StatusCode, &plainError{said: fmt.Sprintf("it answered %d, and the answer broke off", response.StatusCode)}
	}
	return response.StatusCode, nil
}

// dial connects to the first of the host's addresses that may be dialled and answers. Each gets
// its share of the time that is left.
func (c *check) dial(ctx context.Context, network string) (net.Conn, error) {
	addresses, err := c.prober.addresses(ctx, c.host)
	if err != nil {
		return nil, err
	}
	dial := c.prober.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	var failures, reasons []string
	for i, address := range addresses {
		target := net.JoinHostPort(address.String(), c.port)
		where := target
		if c.host != address.String() {
			where = c.host + " (" + target + ")"
		}
		c.at(where)
		share, cancel := share(ctx, len(addresses)-i)
		conn, err := dial(share, network, target)
		cancel()
		if err == nil {
			return conn, nil
		}
		why := told(err, err.Error())
		failures, reasons = append(failures, fmt.Sprintf("no connection to %s: %s", target, why)), append(reasons, why)
	}
	return nil, &plainError{said: strings.Join(failures, "; "), seen: "no connection to it: " + each(reasons)}
}

// share is ctx with its part of the time that is left, for one of so many tries.
func share(ctx context.Context, tries int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(tries))
}

// addresses are those of the host that may be dialled; there is at least one.
func (p *Prober) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	var found []netip.Addr
	if literal, err := netip.ParseAddr(host); err == nil {
		found = []netip.Addr{literal}
	} else {
		resolve := p.Resolve
		if resolve == nil {
			resolve = lookUp
		}
		if found, err = resolve(ctx, host); err != nil {
			failure := &plainError{said: fmt.Sprintf("looking up %s: %s", host, told(err, err.Error()))}
			if lookup := (*net.DNSError)(nil); errors.As(err, &lookup) {
				failure.absent = lookup.IsNotFound
			}
			return nil, failure
		}
	}
	var addresses []netip.Addr
	var refused, reasons []string
	for _, address := range found {
		address = address.Unmap()
		if why := p.refusal(address); why != "" {
			refused, reasons = append(refused, address.String()+", "+why), append(reasons, why)
			continue
		}
		addresses = append(addresses, address)
	}
	if len(addresses) > 0 {
		return addresses, nil
	}
	if len(refused) == 0 {
		return nil, &plainError{said: host + " has no address", absent: true}
	}
	const wanted = "wanted a public address, or one that the manager is told to allow"
	return nil, &plainError{
		said:    fmt.Sprintf("not dialled: %s is %s; %s", host, strings.Join(refused, "; "), wanted),
		seen:    fmt.Sprintf("not dialled: what %s has is %s; %s", host, each(reasons), wanted),
		refused: true,
	}
}

// each is every one of some texts once, in one order.
func each(texts []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(texts))), ", or ")
}

// lookUp asks the system's resolver. A name with a dot is a whole one: with a search domain added,
// it could be that of something in the cluster.
func lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if strings.Contains(host, ".") && !strings.HasSuffix(host, ".") {
		host += "."
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// tls verifies the certificate for a host with the system's authorities, or else with ours.
func (p *Prober) tls(host string) *tls.Config {
	if p.Roots == nil {
		return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return &tls.Config{
		ServerName: host,
		MinVersion: tls.VersionTLS12,
		// There is no pool that is the system's and some more, so VerifyConnection does what this
		// leaves out.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(state tls.ConnectionState) error {
			o := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool()}
			for _, c := range state.PeerCertificates[1:] {
				o.Intermediates.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(o)
			if err == nil {
				return nil
			}
			o.Roots = p.Roots
			if _, again := state.PeerCertificates[0].Verify(o); again == nil {
				return nil
			}
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		},
	}
}
