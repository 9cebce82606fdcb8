package probe

import (
	"net/netip"
	"slices"
)

// reserved are the ranges that are not public, the narrower first where one is in another (IANA's
// special-purpose address registries).
var reserved = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "an address of a carrier's own network"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},

	{netip.MustParsePrefix("::/128"), "an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "an address that is translated to one of a local network"},
	{netip.MustParsePrefix("2001::/32"), "a Teredo address"},
	{netip.MustParsePrefix("2001::/23"), "a reserved address"},
	{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"},
	{netip.MustParsePrefix("2002::/16"), "a 6to4 address"},
	{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
}

var (
	// unicast is all of IPv6 that is given out for public use.
	unicast = netip.MustParsePrefix("2000::/3")
	// translated are the addresses that a gateway translates to the IPv4 address in their last
	// four bytes (RFC 6052); networks without IPv4 reach public ones by it.
	translated = netip.MustParsePrefix("64:ff9b::/96")
)

// refusal is why an address must not be dialled; "" if it may be. The address is not an
// IPv4-mapped one: that is the IPv4 address that would be dialled.
func (p *Prober) refusal(address netip.Addr) string {
	if covers(p.Deny, address) {
		return "an address that the manager is told to refuse"
	}
	switch {
	case covers(p.Allow, address):
		return ""
	case address.Zone() != "":
		return "a link-local address"
	case translated.Contains(address):
		bytes := address.As16()
		v4 := netip.AddrFrom4([4]byte(bytes[12:]))
		if why := p.refusal(v4); why != "" {
			return "which is translated to " + v4.String() + ", " + why
		}
		return ""
	}
	return special(address)
}

// special is what an address is if it is not a public one, "" if it is.
func special(address netip.Addr) string {
	if !address.IsValid() {
		return "no address"
	}
	for _, r := range reserved {
		if r.prefix.Contains(address) {
			return r.what
		}
	}
	if address.Is6() && !unicast.Contains(address) {
		return "a reserved address"
	}
	return ""
}

// covers says whether one of the ranges contains the address. A range of IPv4-mapped addresses
// is one of IPv4 addresses; an address that is only good on one link is in no range.
func covers(ranges []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(r netip.Prefix) bool {
		if r.Addr().Is4In6() && r.Bits() >= 96 {
			r = netip.PrefixFrom(r.Addr().Unmap(), r.Bits()-96)
		}
		return r.Contains(address)
	})
}
