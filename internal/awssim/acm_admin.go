package awssim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CertificateState is what a test wants a certificate of ACM's to be like, and what it is
// like. What is absent stays as it is.
type CertificateState struct {
	Certificate      string     `json:"certificate"`                // ARN
	Status           string     `json:"status,omitempty"`           // "EXPIRED", "REVOKED", "FAILED", "ISSUED" and so on
	NotBefore        *time.Time `json:"notBefore,omitempty"`        // of one that was issued
	NotAfter         *time.Time `json:"notAfter,omitempty"`         // of one that was issued
	FailureReason    string     `json:"failureReason,omitempty"`    // of FAILED; OTHER if absent
	RevocationReason string     `json:"revocationReason,omitempty"` // of REVOKED; UNSPECIFIED if absent
	RenewalStatus    string     `json:"renewalStatus,omitempty"`    // "PENDING_AUTO_RENEWAL", "PENDING_VALIDATION", "SUCCESS" or "FAILED"
	DomainName       string     `json:"domainName,omitempty"`       // output
	InUseBy          []string   `json:"inUseBy,omitempty"`          // output
}

var renewalStatuses = []string{"PENDING_AUTO_RENEWAL", "PENDING_VALIDATION", "SUCCESS", "FAILED"}

// SetCertificate changes a certificate, wherever it is, as no operation of ACM's could, and
// returns what it has become.
func (s *Simulator) SetCertificate(wanted CertificateState) (CertificateState, error) {
	switch {
	case wanted.Status != "" && !slices.Contains(certificateStatuses, wanted.Status):
		return CertificateState{}, fmt.Errorf("status %q is none of %s", wanted.Status, strings.Join(certificateStatuses, ", "))
	case wanted.RenewalStatus != "" && !slices.Contains(renewalStatuses, wanted.RenewalStatus):
		return CertificateState{}, fmt.Errorf("renewalStatus %q is none of %s", wanted.RenewalStatus, strings.Join(renewalStatuses, ", "))
	case wanted.DomainName != "" || wanted.InUseBy != nil:
		return CertificateState{}, fmt.Errorf("domainName and inUseBy cannot be set")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	r, cert := s.certificate(wanted.Certificate)
	if cert == nil {
		return CertificateState{}, fmt.Errorf("there is no certificate %q", wanted.Certificate)
	}
	if wanted.Status == certificateExpired && wanted.NotAfter != nil && wanted.NotAfter.After(s.now()) {
		return CertificateState{}, fmt.Errorf("notAfter %s is not over: the certificate cannot be %s", wanted.NotAfter.Format(time.RFC3339), certificateExpired)
	}
	cert.become(wanted, s.now())
	return cert.told(r, s.now()), nil
}

// become makes the changes.
func (cert *certificate) become(wanted CertificateState, now time.Time) {
	if wanted.Status != "" {
		cert.enter(wanted, now)
	}
	if wanted.NotBefore != nil {
		cert.notBefore = *wanted.NotBefore
	}
	if wanted.NotAfter != nil {
		cert.notAfter = *wanted.NotAfter
	}
	if wanted.RenewalStatus != "" {
		cert.renewalStatus, cert.renewed = wanted.RenewalStatus, now
	}
}

// enter changes the status, and what belongs to it.
func (cert *certificate) enter(wanted CertificateState, now time.Time) {
	cert.failureReason, cert.revocationReason, cert.revoked = "", "", time.Time{}
	switch wanted.Status {
	case certificatePending:
		cert.issued, cert.notBefore, cert.notAfter, cert.serial = time.Time{}, time.Time{}, time.Time{}, ""
		for _, domain := range cert.domains {
			domain.status = certificatePending
		}
	case certificateIssued, certificateExpired, "INACTIVE", "REVOKED":
		if cert.issued.IsZero() || now.After(cert.notAfter) {
			cert.issue(now)
		}
	}
	cert.status = wanted.Status
	switch wanted.Status {
	case "FAILED":
		cert.failureReason = cmp.Or(wanted.FailureReason, "OTHER")
	case "REVOKED":
		cert.revocationReason, cert.revoked = cmp.Or(wanted.RevocationReason, "UNSPECIFIED"), now
	case certificateExpired:
		cert.status, cert.notAfter = certificateIssued, now.Truncate(time.Second).Add(-time.Second)
		cert.notBefore = cert.notAfter.Add(time.Second - certificateValidity)
	}
}

// certificate finds one by its ARN, wherever it is.
func (w *world) certificate(arn string) (*region, *certificate) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || w.accounts[parts[4]] == nil || w.accounts[parts[4]].regions[parts[3]] == nil {
		return nil, nil
	}
	r := w.accounts[parts[4]].regions[parts[3]]
	return r, r.acm.certificates[arn]
}

func (cert *certificate) told(r *region, now time.Time) CertificateState {
	state := CertificateState{
		Certificate: cert.arn, Status: cert.state(now), FailureReason: cert.failureReason, RevocationReason: cert.revocationReason,
		RenewalStatus: cert.renewalStatus, DomainName: cert.names[0], InUseBy: r.elb.usersOf(cert.arn),
	}
	if !cert.issued.IsZero() {
		state.NotBefore, state.NotAfter = new(cert.notBefore), new(cert.notAfter)
	}
	return state
}

// Certificates lists the certificates of all accounts and regions, by ARN.
func (s *Simulator) Certificates() []CertificateState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	states := []CertificateState{}
	for _, a := range s.accounts {
		for _, r := range a.regions {
			for _, cert := range r.acm.certificates {
				states = append(states, cert.told(r, s.now()))
			}
		}
	}
	slices.SortFunc(states, func(a, b CertificateState) int { return strings.Compare(a.Certificate, b.Certificate) })
	return states
}
