package awssim

import (
	"strings"
	"time"
)

type certificateDetail struct {
	CertificateArn          string
	DomainName              string
	SubjectAlternativeNames []string
	DomainValidationOptions []domainValidationView
	Serial                  string `json:",omitempty"`
	Subject                 string
	Issuer                  string `json:",omitempty"`
	CreatedAt               *moment
	IssuedAt                *moment `json:",omitempty"`
	Status                  string
	RevokedAt               *moment `json:",omitempty"`
	RevocationReason        string  `json:",omitempty"`
	NotBefore               *moment `json:",omitempty"`
	NotAfter                *moment `json:",omitempty"`
	KeyAlgorithm            string
	SignatureAlgorithm      string
	InUseBy                 []string
	FailureReason           string `json:",omitempty"`
	Type                    string
	RenewalSummary          *renewalSummary `json:",omitempty"`
	KeyUsages               []keyUsage
	ExtendedKeyUsages       []extendedKeyUsage
	RenewalEligibility      string
	Options                 certificateOptions
}

type domainValidationView struct {
	DomainName       string
	ValidationEmails []string `json:",omitempty"`
	ValidationDomain string
	ValidationStatus string
	ResourceRecord   *validationRecord `json:",omitempty"`
	ValidationMethod string
}

type renewalSummary struct {
	RenewalStatus           string
	DomainValidationOptions []domainValidationView
	UpdatedAt               *moment
}

type keyUsage struct{ Name string }

type extendedKeyUsage struct{ Name, OID string }

type describeCertificateOutput struct{ Certificate certificateDetail }

func describeCertificate(c *call, in *certificateInput) (any, error) {
	cert, err := c.certificate(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	now := c.sim.now()
	users := c.region.elb.usersOf(cert.arn)
	v := certificateDetail{
		CertificateArn: cert.arn, DomainName: cert.names[0], SubjectAlternativeNames: cert.names, DomainValidationOptions: cert.viewDomains(now),
		Subject: "CN=" + cert.names[0], CreatedAt: momentOf(cert.created), IssuedAt: momentOf(cert.issued), Status: cert.state(now),
		RevokedAt: momentOf(cert.revoked), RevocationReason: cert.revocationReason, NotBefore: momentOf(cert.notBefore), NotAfter: momentOf(cert.notAfter),
		KeyAlgorithm: spellAlgorithm(cert.keyAlgorithm), SignatureAlgorithm: "SHA256WITHRSA", InUseBy: append([]string{}, users...),
		FailureReason: cert.failureReason, Type: "AMAZON_ISSUED", KeyUsages: []keyUsage{}, ExtendedKeyUsages: []extendedKeyUsage{},
		RenewalEligibility: cert.eligibility(len(users) > 0),
		Options:            certificateOptions{CertificateTransparencyLoggingPreference: "ENABLED", Export: cert.export},
	}
	for _, name := range cert.keyUsages() {
		v.KeyUsages = append(v.KeyUsages, keyUsage{name})
	}
	if !cert.issued.IsZero() {
		v.Serial, v.Issuer = cert.serial, "Amazon"
		v.ExtendedKeyUsages = append(v.ExtendedKeyUsages, extendedKeyUsage{serverAuthentication, "1.3.6.1.5.5.7.3.1"})
	}
	if cert.renewalStatus != "" {
		v.RenewalSummary = &renewalSummary{cert.renewalStatus, v.DomainValidationOptions, momentOf(cert.renewed)}
	}
	return describeCertificateOutput{v}, nil
}

const serverAuthentication = "TLS_WEB_SERVER_AUTHENTICATION"

// spellAlgorithm is an algorithm as answers spell it, which is not how requests do.
func spellAlgorithm(name string) string { return strings.ReplaceAll(name, "_", "-") }

// keyUsages are empty until there is a certificate.
func (cert *certificate) keyUsages() []string {
	switch {
	case cert.issued.IsZero():
		return []string{}
	case strings.HasPrefix(cert.keyAlgorithm, "RSA_"):
		return []string{"DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"}
	default:
		return []string{"DIGITAL_SIGNATURE"}
	}
}

// eligibility for ACM's own renewal, which it has for what is in use.
func (cert *certificate) eligibility(used bool) string {
	if used && cert.status == certificateIssued {
		return "ELIGIBLE"
	}
	return "INELIGIBLE"
}

func (cert *certificate) viewDomains(now time.Time) []domainValidationView {
	views := []domainValidationView{}
	for _, domain := range cert.domains {
		v := domainValidationView{DomainName: domain.name, ValidationDomain: domain.domain, ValidationStatus: domain.status, ValidationMethod: cert.validation}
		switch {
		case now.Before(cert.shown):
		case cert.validation == "DNS":
			v.ResourceRecord = &domain.record
		default:
			for _, person := range []string{"admin", "administrator", "hostmaster", "postmaster", "webmaster"} {
				v.ValidationEmails = append(v.ValidationEmails, person+"@"+strings.TrimPrefix(domain.domain, "*."))
			}
		}
		views = append(views, v)
	}
	return views
}
