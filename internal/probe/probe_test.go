package probe

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// local dials only what listens on this machine, whatever the name.
func local() *Prober {
	return &Prober{
		Allow: loopback,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
	}
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func says(t *testing.T, r Result, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(r.Message, word) {
			t.Errorf("message is %q, wanted it to say %q", r.Message, word)
		}
	}
}

func TestTheStatusDecides(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/healthz", http.StatusFound)
		case "/down":
			http.Error(w, "the database password is hunter2", http.StatusServiceUnavailable)
		case "/healthz":
			w.WriteHeader(http.StatusOK)
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	})
	address := server.Listener.Addr().String()
	for name, c := range map[string]struct {
		path string
		want int
		ok   bool
		seen int
		says []string
	}{
		"200 unless told":               {path: "/healthz", ok: true, seen: 200, says: []string{"GET http://api.example.com/healthz", address, "answered 200"}},
		"another than wanted":           {path: "/down", seen: 503, says: []string{"it answered 503, wanted 200"}},
		"another that is wanted":        {path: "/teapot", want: 418, ok: true, seen: 418},
		"a redirect is not followed":    {path: "/moved", seen: 302, says: []string{"it answered 302, wanted 200"}},
		"a redirect is a status":        {path: "/moved", want: 302, ok: true, seen: 302},
		"the query is not in a message": {path: "/down?token=hunter2", seen: 503},
	} {
		t.Run(name, func(t *testing.T) {
			r := local().Check(t.Context(), Request{URL: "http://api.example.com" + c.path, Address: address, ExpectStatus: c.want})
			if r.OK != c.ok || r.Status != c.seen {
				t.Errorf("result is %+v, wanted ok %v and status %d", r, c.ok, c.seen)
			}
			says(t, r, c.says...)
			if strings.Contains(r.Message, "hunter2") {
				t.Errorf("message is %q, which holds what was answered or asked", r.Message)
			}
		})
	}
}

func TestTheRequestIsAboutTheHostOfTheURLWhateverIsDialled(t *testing.T) {
	var asked atomic.Pointer[http.Request]
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked.Store(r) })
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for name, c := range map[string]struct{ url, address, host string }{
		"an address with its port":       {"http://api.example.com/a?b=c", "lb.example.com:" + port, "api.example.com"},
		"an address with the URL's port": {"http://api.example.com:" + port + "/a?b=c", "lb.example.com", "api.example.com:" + port},
		"no address":                     {"http://api.example.com:" + port + "/a?b=c", "", "api.example.com:" + port},
		"an IP address":                  {"http://api.example.com:" + port + "/a?b=c", "127.0.0.1", "api.example.com:" + port},
	} {
		t.Run(name, func(t *testing.T) {
			r := local().Check(t.Context(), Request{URL: c.url, Address: c.address})
			if !r.OK {
				t.Fatal(r.Message)
			}
			got := asked.Load()
			if got.Host != c.host || got.URL.RequestURI() != "/a?b=c" || got.Method != http.MethodGet {
				t.Errorf("asked %s %s of %s, wanted GET /a?b=c of %s", got.Method, got.URL.RequestURI(), got.Host, c.host)
			}
			if len(got.Cookies()) > 0 || got.Header.Get("Authorization") != "" || got.Header.Get("Accept-Encoding") != "" {
				t.Errorf("the request carries %v", got.Header)
			}
		})
	}
}

func TestTLSIsVerifiedForTheHostOfTheURL(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || r.TLS.ServerName != "example.com" {
			w.WriteHeader(http.StatusMisdirectedRequest)
		}
		w.Header().Set("X-Protocol", r.Proto)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it says which clients do not trust it
	server.StartTLS()
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate()) // it is for example.com

	for name, c := range map[string]struct {
		url   string
		roots *x509.CertPool
		ok    bool
		says  []string
	}{
		"an authority of ours":           {url: "https://example.com/", roots: roots, ok: true},
		"with a dot at the end":          {url: "https://example.com./", roots: roots, ok: true},
		"another name":                   {url: "https://api.example.org/", roots: roots, says: []string{"certificate", "api.example.org"}},
		"an authority that nobody knows": {url: "https://example.com/", says: []string{"certificate"}},
		"nor anybody of ours":            {url: "https://example.com/", roots: x509.NewCertPool(), says: []string{"certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := local()
			p.Roots = c.roots
			r := p.Check(t.Context(), Request{URL: c.url, Address: address})
			if r.OK != c.ok {
				t.Errorf("result is %+v, wanted ok %v", r, c.ok)
			}
			says(t, r, c.says...)
		})
	}
	t.Run("plain HTTP there", func(t *testing.T) {
		plain := serve(t, func(http.ResponseWriter, *http.Request) {})
		r := local().Check(t.Context(), Request{URL: "https://example.com/", Address: plain.Listener.Addr().String()})
		if r.OK {
			t.Error("plain HTTP passed for TLS")
		}
		says(t, r, "TLS")
	})
}

func TestHTTP2AndHTTP1AreSpoken(t *testing.T) {
	for _, h2 := range []bool{true, false} {
		var proto atomic.Value
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { proto.Store(r.ProtoMajor) }))
		server.EnableHTTP2 = h2
		server.StartTLS()
		t.Cleanup(server.Close)
		p := local()
		p.Roots = x509.NewCertPool()
		p.Roots.AddCert(server.Certificate())
		if r := p.Check(t.Context(), Request{URL: "https://example.com/", Address: server.Listener.Addr().String()}); !r.OK {
			t.Fatal(r.Message)
		}
		want := map[bool]int{true: 2, false: 1}[h2]
		if proto.Load() != want {
			t.Errorf("spoke HTTP/%v, wanted HTTP/%d", proto.Load(), want)
		}
	}
}

func TestNoMoreThanItsShareOfABodyIsRead(t *testing.T) {
	var sent atomic.Int64
	done := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		for r.Context().Err() == nil {
			n, err := w.Write(make([]byte, 32<<10))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	r := local().Check(t.Context(), Request{URL: "http://example.com/", Address: server.Listener.Addr().String()})
	if !r.OK {
		t.Error(r.Message)
	}
	<-done // else it would be read to its end, and there is none
	if sent.Load() < maxBody {
		t.Errorf("%d bytes were sent, wanted at least the %d that are read", sent.Load(), maxBody)
	}
}

func TestWhatIsNotAnAnswerIsToldWithoutQuotingIt(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		says   string
	}{
		"another protocol":      {"SSH-2.0-hunter2\r\n", unreadable},
		"nothing":               {"", "closed without an answer"},
		"half an answer":        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhunter2", "broke off"},
		"a header of any size":  {"HTTP/1.1 200 OK\r\nX-Secret: " + strings.Repeat("hunter2", maxBody) + "\r\n\r\n", unreadable},
		"a header with control": {"HTTP/1.1 200 OK\r\nhunter2\x00: x\r\n\r\n", unreadable},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Prober{Allow: loopback, Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					defer theirs.Close()
					if _, err := http.ReadRequest(bufio.NewReader(theirs)); err != nil {
						t.Error(err)
					}
					io.WriteString(theirs, c.answer)
				}()
				return ours, nil
			}}
			r := p.Check(t.Context(), Request{URL: "http://127.0.0.1/"})
			if r.OK {
				t.Error("it passed")
			}
			says(t, r, c.says)
			if strings.Contains(r.Message, "hunter2") || len(r.Message) > 500 {
				t.Errorf("message is %q", r.Message)
			}
		})
	}
}

// Virtual time: the server never answers.
func TestItTakesNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, timeout := range []time.Duration{0, 3 * time.Second} {
			var dialled []string
			p := &Prober{
				Resolve: func(context.Context, string) ([]netip.Addr, error) {
					return []netip.Addr{netip.MustParseAddr("52.0.0.1"), netip.MustParseAddr("52.0.0.2")}, nil
				},
				Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
					dialled = append(dialled, address)
					<-ctx.Done()
					return nil, ctx.Err()
				},
			}
			began := time.Now()
			r := p.Check(t.Context(), Request{URL: "http://api.example.com/", Timeout: timeout})
			want := timeout
			if want == 0 {
				want = defaultTimeout
			}
			if took := time.Since(began); took != want || r.OK {
				t.Errorf("took %s, ok %v, wanted a failure after %s", took, r.OK, want)
			}
			says(t, r, "within "+want.String())
			if len(dialled) != 2 {
				t.Errorf("dialled %v, wanted each address to get its share of the time", dialled)
			}
		}
	})
}

func TestTheNextAddressIsTriedWhenOneRefuses(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	var dialled []string
	p := &Prober{
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("52.0.0.1"), netip.MustParseAddr("52.0.0.2")}, nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			if address == "52.0.0.1:80" {
				return nil, errors.New("connection refused")
			}
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	r := p.Check(t.Context(), Request{URL: "http://api.example.com/"})
	if !r.OK || strings.Join(dialled, " ") != "52.0.0.1:80 52.0.0.2:80" {
		t.Errorf("dialled %v, result %+v", dialled, r)
	}
	says(t, r, "api.example.com (52.0.0.2:80)")

	p.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
	says(t, p.Check(t.Context(), Request{URL: "http://api.example.com/"}), "no connection to 52.0.0.1:80: connection refused; no connection to 52.0.0.2:80")
}

func TestWhatCannotBeAskedSaysWhy(t *testing.T) {
	p := &Prober{
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "empty.example.com" {
				return nil, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Error("it was dialled")
			return nil, errors.New("no")
		},
	}
	for name, c := range map[string]struct {
		url, address string
		says         string
	}{
		"no URL":                    {url: "http://api example.com:secret", says: "cannot be read"},
		"another scheme":            {url: "ftp://example.com/", says: `scheme "ftp", wanted http or https`},
		"a file":                    {url: "file:///etc/passwd", says: "scheme"},
		"user information":          {url: "http://user:secret@example.com/", says: "user information"},
		"no host":                   {url: "http:///healthz", says: "no host"},
		"no port":                   {url: "http://example.com:0/", says: `port "0"`},
		"too high a port":           {url: "http://example.com:70000/", says: `port "70000"`},
		"a name in another script":  {url: "http://bücher.example/", says: "xn--"},
		"a name that is none":       {url: "http://exa*mple.com/", says: "which is no name"},
		"an address with two ports": {url: "http://example.com/", address: "a:1:2", says: "no host or host:port"},
		"an address without a host": {url: "http://example.com/", address: ":80", says: "no host"},
		"an address with a path":    {url: "http://example.com/", address: "lb.example.com/x", says: "which is no name"},
		"an address without a port": {url: "http://example.com/", address: "lb.example.com:", says: "port"},
		"a name that is not there":  {url: "http://example.com/", says: "looking up example.com: no such host"},
		"a name without addresses":  {url: "http://empty.example.com/", says: "no address"},
	} {
		t.Run(name, func(t *testing.T) {
			r := p.Check(t.Context(), Request{URL: c.url, Address: c.address})
			if r.OK || r.Status != 0 {
				t.Errorf("result is %+v", r)
			}
			says(t, r, c.says)
			if strings.Contains(r.Message, "secret") {
				t.Errorf("message is %q, which quotes a secret", r.Message)
			}
		})
	}
}

// What is seen is the same from one time to the next, whichever of several addresses comes first.
func TestWhatIsSeenDoesNotChangeWhileWhatHappensIsTheSame(t *testing.T) {
	first, second := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for name, c := range map[string]struct {
		allow                    []netip.Prefix
		failure                  error
		seen                     string
		unasked, absent, refused bool
	}{
		"addresses that are not dialled": {
			seen:    "not dialled: what api.example.com has is a private address; wanted a public address, or one that the manager is told to allow",
			unasked: true, refused: true,
		},
		"addresses that do not answer": {
			allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			seen:  "no connection to it: connection refused",
		},
		"a name that is not there": {
			failure: &net.DNSError{Err: "no such host", IsNotFound: true},
			seen:    "looking up api.example.com: no such host",
			unasked: true, absent: true,
		},
		"a resolver that does not answer": {
			failure: &net.DNSError{Err: "read udp 127.0.0.1:46898->127.0.0.1:35520: read: connection refused", IsTemporary: true},
			seen:    "looking up api.example.com: the resolver does not answer",
			unasked: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, order := range [][]netip.Addr{{first, second}, {second, first}} {
				p := &Prober{
					Allow:   c.allow,
					Resolve: func(context.Context, string) ([]netip.Addr, error) { return order, c.failure },
					Dial:    func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") },
				}
				r := p.Check(t.Context(), Request{URL: "https://api.example.com/"})
				if r.OK || r.Seen != c.seen || r.Unasked != c.unasked || r.Absent != c.absent || r.Refused != c.refused {
					t.Errorf("result is %+v, wanted %q", r, c.seen)
				}
			}
		})
	}
}

func TestACertificateThatExpiredIsToldWithoutTheTimeOfDay(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	p := local()
	for range 2 {
		r := p.Check(t.Context(), Request{URL: "https://example.com/", Address: server.Listener.Addr().String()})
		if want := "tls: failed to verify certificate: it is valid from 2025-01-01T00:00:00Z to 2026-01-01T00:00:00Z"; r.Seen != want {
			t.Errorf("seen is %q, wanted %q", r.Seen, want)
		}
		p.Roots = x509.NewCertPool()
		p.Roots.AddCert(parsed)
	}
}
