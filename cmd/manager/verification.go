package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"heliumai.space/ecsrelease/internal/probe"
)

// prober asks the URLs of releases' checks, within what the options allow.
func (o *options) prober() (*probe.Prober, error) {
	allow, err := prefixes("--verification-allow-cidrs", o.verificationAllow)
	deny, denyErr := prefixes("--verification-deny-cidrs", o.verificationDeny)
	roots, rootsErr := authorities(o.verificationCAFile)
	if err := errors.Join(err, denyErr, rootsErr); err != nil {
		return nil, err
	}
	return &probe.Prober{Allow: allow, Deny: deny, Roots: roots}, nil
}

// prefixes are ranges of addresses by commas, as a flag takes them; none for "".
func prefixes(flag, list string) ([]netip.Prefix, error) {
	var found []netip.Prefix
	var problems []error
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s has %q: wanted a range of addresses such as 10.1.0.0/16", flag, text))
			continue
		}
		found = append(found, prefix.Masked())
	}
	return found, errors.Join(problems...)
}

// authorities are the certificates in a file of PEM blocks, nil when there is no file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	blocks, err := os.ReadFile(file) //nolint:gosec // whoever starts the manager chooses it
	if err != nil {
		return nil, fmt.Errorf("--verification-ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(blocks) {
		return nil, fmt.Errorf("--verification-ca-file is %s: there is no certificate in it, wanted PEM blocks", file)
	}
	return pool, nil
}
