package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	// Certificates are made at each start, so this only bounds one run.
	leafLifetime = 2 * 365 * 24 * time.Hour
	// clockSkew lets a machine whose clock was just set back still trust them.
	clockSkew = time.Hour
)

// serviceClusterIPRange is kube-apiserver's; its first address is that of the
// service "kubernetes", which the serving certificate therefore names.
const serviceClusterIPRange = "10.0.0.0/24"

// A leafSpec says whom a certificate names and what it may be used for.
type leafSpec struct {
	commonName string
	dnsNames   []string
	ips        []net.IP
	usages     []x509.ExtKeyUsage
}

var (
	loopback = net.IPv4(127, 0, 0, 1)

	apiServerLeaf = leafSpec{
		commonName: "kube-apiserver",
		dnsNames: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		},
		ips:    []net.IP{loopback, net.IPv4(10, 0, 0, 1)},
		usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	// etcd proves itself to other members with the certificate it serves with.
	etcdLeaf = leafSpec{
		commonName: "etcd",
		dnsNames:   []string{"localhost"},
		ips:        []net.IP{loopback},
		usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	etcdClientLeaf = leafSpec{
		commonName: "kube-apiserver-etcd-client",
		usages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
)

// An authority signs the certificates of one control plane.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// ensureAuthority reads the authority from its files, or makes a new one if
// there is no certificate. A certificate without its key, of another key or
// past its time is an error: replacing it silently would break every
// kubeconfig that trusts it.
func ensureAuthority(certFile, keyFile string) (*authority, error) {
	switch _, err := os.Stat(certFile); {
	case err == nil:
		return readAuthority(certFile, keyFile)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	key, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("making the key of the certificate authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{CommonName: "kubebox"},
		NotBefore:             time.Now().Add(-clockSkew),
		NotAfter:              time.Now().Add(authorityLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the certificate authority: %w", err)
	}
	// The certificate comes last: it is what says that the pair is complete.
	if err := writeKey(keyFile, key); err != nil {
		return nil, err
	}
	if err := writeCertificate(certFile, der); err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key}, nil
}

func readAuthority(certFile, keyFile string) (*authority, error) {
	der, err := readPEM(certFile, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", certFile, err)
	}
	if time.Now().After(cert.NotAfter) {
		return nil, fmt.Errorf("the certificate authority %s ended on %s: start with a new data directory", certFile, cert.NotAfter.Format(time.DateOnly))
	}
	if der, err = readPEM(keyFile, "EC PRIVATE KEY"); err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", keyFile, err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s is not the key of %s", keyFile, certFile)
	}
	return &authority{cert: cert, key: key}, nil
}

// issueFiles makes a key and a certificate for it.
func (a *authority) issueFiles(spec leafSpec, certFile, keyFile string) error {
	key, err := newKey()
	if err != nil {
		return fmt.Errorf("making the key of %s: %w", spec.commonName, err)
	}
	template := &x509.Certificate{
		SerialNumber: serialNumber(),
		Subject:      pkix.Name{CommonName: spec.commonName},
		DNSNames:     spec.dnsNames,
		IPAddresses:  spec.ips,
		NotBefore:    time.Now().Add(-clockSkew),
		NotAfter:     earlier(time.Now().Add(leafLifetime), a.cert.NotAfter),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  spec.usages,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("making the certificate of %s: %w", spec.commonName, err)
	}
	return errors.Join(writeKey(keyFile, key), writeCertificate(certFile, der))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func serialNumber() *big.Int {
	raw := make([]byte, 16)
	rand.Read(raw)
	raw[0] &= 0x7f // positive, as RFC 5280 wants it
	return new(big.Int).SetBytes(raw)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return writeFileAtomic(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func writeCertificate(path string, der []byte) error {
	return writeFileAtomic(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func readPEM(path, kind string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s does not hold a PEM block %q", path, kind)
	}
	return block.Bytes, nil
}
