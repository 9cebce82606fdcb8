package awssim

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority signs the certificates of the HTTPS listeners. It exists from its first use on,
// and its certificates outlive every simulation.
type authority struct {
	mu     sync.Mutex // not the world's: making keys takes a while
	root   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
	leaves map[string]*tls.Certificate // by server name
}

const certificateLife = 50 * 365 * 24 * time.Hour

// CertificateAuthority is the certificate, in PEM, that all certificates of the load
// balancers' HTTPS listeners are signed by.
func (s *Simulator) CertificateAuthority() ([]byte, error) {
	a := &s.elb.ca
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.found(); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw}), nil
}

// balancerTLS is the configuration of a listener's server side. A client that names no
// server gets the certificate of the load balancer's DNS name.
func (s *Simulator) balancerTLS(dnsName string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.elb.ca.certificate(cmp.Or(hello.ServerName, dnsName))
		},
	}
}

// found makes the root.
func (a *authority) found() error {
	if a.root != nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key of the certificate authority: %w", err)
	}
	a.key = key
	template := a.template("awssim load balancers")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("making the certificate authority: %w", err)
	}
	a.root, err = x509.ParseCertificate(signed)
	a.leaves = map[string]*tls.Certificate{}
	return err
}

func (a *authority) template(name string) *x509.Certificate {
	a.serial++
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
	}
}

// certificate is the one for a server name.
func (a *authority) certificate(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.found(); err != nil {
		return nil, err
	}
	if leaf := a.leaves[name]; leaf != nil {
		return leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key of %s: %w", name, err)
	}
	template := a.template("awssim")
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{name}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, a.root, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of %s: %w", name, err)
	}
	leaf := &tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
	a.leaves[name] = leaf
	return leaf, nil
}
