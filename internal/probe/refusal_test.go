package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(s ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, p := range s {
		ps = append(ps, netip.MustParsePrefix(p))
	}
	return ps
}

// dialledBy is what a prober dials for a host that is, or resolves to, an address.
func dialledBy(t testing.TB, p Prober, url string, resolved ...netip.Addr) (dialled []string, r Result) {
	t.Helper()
	p.Resolve = func(context.Context, string) ([]netip.Addr, error) { return resolved, nil }
	p.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return nil, errors.New("this is as far as it goes")
	}
	r = p.Check(context.Background(), Request{URL: url})
	return dialled, r
}

func TestOnlyPublicAddressesAreDialledUnlessAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		address     string
		allow, deny []netip.Prefix
		dialled     string // "": refused
		says        string
	}{
		"a public one":                     {address: "52.94.236.248", dialled: "52.94.236.248:80"},
		"a public one of IPv6":             {address: "2600:1f18::1", dialled: "[2600:1f18::1]:80"},
		"a public one spelled as IPv6":     {address: "::ffff:52.94.236.248", dialled: "52.94.236.248:80"},
		"a public one, translated":         {address: "64:ff9b::345e:ecf8", dialled: "[64:ff9b::345e:ecf8]:80"},
		"loopback":                         {address: "127.0.0.1", says: "127.0.0.1, a loopback address"},
		"all of loopback":                  {address: "127.255.255.254", says: "loopback"},
		"loopback of IPv6":                 {address: "::1", says: "loopback"},
		"loopback spelled as IPv6":         {address: "::ffff:127.0.0.1", says: "127.0.0.1, a loopback address"},
		"the metadata of the instance":     {address: "169.254.169.254", says: "link-local"},
		"the credentials of the task":      {address: "169.254.170.2", says: "link-local"},
		"the credentials of the pod":       {address: "169.254.170.23", says: "link-local"},
		"the metadata spelled as IPv6":     {address: "::ffff:a9fe:a9fe", says: "link-local"},
		"the metadata, translated":         {address: "64:ff9b::a9fe:a9fe", says: "translated to 169.254.169.254, a link-local address"},
		"the metadata of IPv6":             {address: "fd00:ec2::254", says: "private"},
		"link-local of IPv6":               {address: "fe80::1", says: "link-local"},
		"link-local with its link":         {address: "fe80::1%eth0", says: "link-local"},
		"a link where there is none":       {address: "2600:1f18::1%eth0", says: "link-local"},
		"private, ten":                     {address: "10.1.2.3", says: "private"},
		"private, 172":                     {address: "172.31.255.255", says: "private"},
		"private, 192":                     {address: "192.168.0.1", says: "private"},
		"private, translated":              {address: "64:ff9b::a00:1", says: "translated to 10.0.0.1"},
		"a translation of one's own":       {address: "64:ff9b:1::a00:1", says: "translated"},
		"a carrier's":                      {address: "100.64.0.1", says: "carrier"},
		"multicast":                        {address: "224.0.0.1", says: "multicast"},
		"multicast of IPv6":                {address: "ff02::1", says: "multicast"},
		"unspecified":                      {address: "0.0.0.0", says: "unspecified"},
		"unspecified of IPv6":              {address: "::", says: "unspecified"},
		"this network":                     {address: "0.1.2.3", says: "unspecified"},
		"broadcast":                        {address: "255.255.255.255", says: "reserved"},
		"IPv4-compatible":                  {address: "::7f00:1", says: "reserved"},
		"6to4 around a private one":        {address: "2002:a00:1::", says: "6to4"},
		"Teredo":                           {address: "2001:0:1::", says: "Teredo"},
		"site-local":                       {address: "fec0::1", says: "private"},
		"discard":                          {address: "100::1", says: "reserved"},
		"a private one that is allowed":    {address: "10.1.2.3", allow: prefixes("10.1.0.0/16"), dialled: "10.1.2.3:80"},
		"its neighbour":                    {address: "10.2.2.3", allow: prefixes("10.1.0.0/16"), says: "private"},
		"allowed, and spelled as IPv6":     {address: "::ffff:10.1.2.3", allow: prefixes("10.1.0.0/16"), dialled: "10.1.2.3:80"},
		"allowed as spelled in IPv6":       {address: "10.1.2.3", allow: prefixes("::ffff:10.1.0.0/112"), dialled: "10.1.2.3:80"},
		"allowed, and translated":          {address: "64:ff9b::a01:203", allow: prefixes("10.1.0.0/16"), dialled: "[64:ff9b::a01:203]:80"},
		"all of IPv6 is not IPv4":          {address: "10.1.2.3", allow: prefixes("::/0"), says: "private"},
		"a public one of the cluster's":    {address: "52.94.236.248", deny: prefixes("52.94.0.0/16"), says: "told to refuse"},
		"denied wins over allowed":         {address: "10.1.2.3", allow: prefixes("10.0.0.0/8"), deny: prefixes("10.1.0.0/16"), says: "told to refuse"},
		"denied wins when translated, too": {address: "64:ff9b::345e:ecf8", deny: prefixes("52.94.0.0/16"), says: "told to refuse"},
	} {
		t.Run(name, func(t *testing.T) {
			address := netip.MustParseAddr(c.address)
			p := Prober{Allow: c.allow, Deny: c.deny}
			urls := []string{"http://api.example.com/"}
			if address.Zone() == "" {
				literal := address.String()
				if address.Is6() {
					literal = "[" + literal + "]"
				}
				urls = append(urls, "http://"+literal+"/")
			} else {
				urls = append(urls, "http://["+strings.ReplaceAll(address.String(), "%", "%25")+"]/")
			}
			for _, url := range urls {
				dialled, r := dialledBy(t, p, url, address)
				if got := strings.Join(dialled, " "); got != c.dialled {
					t.Errorf("for %s it dialled %q, wanted %q (%s)", url, got, c.dialled, r.Message)
				}
				says(t, r, c.says)
			}
		})
	}
}

// A name whose address changes between the check and the dial gains nothing: the name is looked
// up once, and what was found is dialled.
func TestANameIsLookedUpOnceAndNeverDialled(t *testing.T) {
	lookups := 0
	var dialled []string
	p := Prober{
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			if lookups++; lookups == 1 {
				return []netip.Addr{netip.MustParseAddr("52.0.0.1")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, errors.New("this is as far as it goes")
		},
	}
	p.Check(t.Context(), Request{URL: "https://rebind.example.com/"})
	if lookups != 1 || strings.Join(dialled, " ") != "52.0.0.1:443" {
		t.Errorf("looked up %d times and dialled %v, wanted once and 52.0.0.1:443", lookups, dialled)
	}
}

func TestTheZeroValueDialsNothingOnThisMachine(t *testing.T) {
	server := serve(t, nil)
	r := (&Prober{}).Check(t.Context(), Request{URL: server.URL})
	if r.OK {
		t.Error("it passed")
	}
	says(t, r, "not dialled", "loopback")
}

// forbidden is a second opinion on what must not be dialled, by other means than the table's.
func forbidden(a netip.Addr) bool {
	if a.Is4In6() {
		a = a.Unmap()
	}
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() ||
		a.IsInterfaceLocalMulticast() || a.IsMulticast() || a.IsUnspecified() || a.Zone() != "" ||
		net.IP(a.AsSlice()).Equal(net.IPv4bcast)
}

func FuzzNothingButAPublicAddressIsEverDialled(f *testing.F) {
	for _, seed := range []string{
		"http://127.0.0.1/", "http://[::1]/", "http://[::ffff:7f00:1]:8080/", "http://2130706433/", "http://0x7f.1/", "http://[fe80::1%25lo]/",
		"https://api.example.com/healthz", "http://169.254.169.254/latest/meta-data/", "http://[64:ff9b::a9fe:a9fe]/", "http://a@b/", "http://52.0.0.1:80",
	} {
		f.Add(seed, "", []byte{10, 0, 0, 1})
		f.Add(seed, "lb.example.com:8443", []byte{52, 94, 0, 1})
		f.Add("http://example.com/", strings.TrimPrefix(seed, "http://"), []byte("0123456789abcdef"))
	}
	f.Fuzz(func(t *testing.T, url, address string, resolved []byte) {
		addr, _ := netip.AddrFromSlice(resolved)
		var dialled []string
		p := Prober{
			Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{addr}, nil },
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				return nil, errors.New("this is as far as it goes")
			},
		}
		r := p.Check(t.Context(), Request{URL: url, Address: address})
		if r.OK || r.Message == "" || len(r.Message) > 500 {
			t.Errorf("result is %+v", r)
		}
		for _, d := range dialled {
			target, err := netip.ParseAddrPort(d)
			if err != nil {
				t.Fatalf("dialled %q, which is no address", d)
			}
			if forbidden(target.Addr()) {
				t.Errorf("dialled %s for %q, %q", d, url, address)
			}
		}
	})
}
