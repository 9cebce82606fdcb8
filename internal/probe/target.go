package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseURL reads a URL that can be asked. Errors quote nothing of one that can't be read.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("the URL is not one: it cannot be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the URL has the scheme %q, wanted http or https", u.Scheme)
	case u.User != nil:
		return nil, errors.New("the URL has user information, which a check sends to nobody")
	}
	if err := isHost(u.Hostname()); err != nil {
		return nil, fmt.Errorf("the URL has %w", err)
	}
	if port := u.Port(); port != "" {
		if err := isPort(port); err != nil {
			return nil, fmt.Errorf("the URL has %w", err)
		}
	}
	return u, nil
}

// whereTo is the host and port to dial: those of the address, where there is one, else of the URL.
func whereTo(u *url.URL, address string) (host, port string, err error) {
	host, port = u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if address == "" {
		return host, port, nil
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		return bare, port, nil
	}
	host = address
	if strings.Contains(address, ":") {
		if host, port, err = net.SplitHostPort(address); err != nil {
			return "", "", fmt.Errorf("the address to dial, %q, is no host or host:port", shorten(address))
		}
		if err := isPort(port); err != nil {
			return "", "", fmt.Errorf("the address to dial has %w", err)
		}
	}
	if err := isHost(host); err != nil {
		return "", "", fmt.Errorf("the address to dial has %w", err)
	}
	return host, port, nil
}

func isHost(host string) error {
	if host == "" {
		return errors.New("no host")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	for _, r := range host {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
		case r >= utf8.RuneSelf:
			return fmt.Errorf("the host %q: write it in its ASCII form, which begins with xn--", shorten(host))
		default:
			return fmt.Errorf("the host %q, which is no name", shorten(host))
		}
	}
	return nil
}

func isPort(port string) error {
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("the port %q, wanted 1 to 65535", shorten(port))
	}
	return nil
}

// shorten keeps a message from flooding a condition.
func shorten(s string) string {
	const most = 500
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "\uFFFD")
	if len(s) <= most {
		return s
	}
	s = s[:most-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
