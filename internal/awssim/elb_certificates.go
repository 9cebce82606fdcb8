package awssim

import (
	"net/http"
	"slices"
	"strings"
)

// listenerCertificates is how many a listener may have besides its default one ("Quotas for
// your Application Load Balancers").
const listenerCertificates = 25

// checkCertificate refuses a certificate that a listener cannot have: one of ACM's must be in
// the load balancer's region and account and have been issued. There is no IAM here to look
// server certificates up in: those are believed.
func (st *elbState) checkCertificate(arn string) error {
	server := strings.HasPrefix(arn, "arn:aws:iam::"+st.region.account.id+":server-certificate/")
	if cert := st.region.acm.certificates[arn]; cert != nil {
		if cert.state(st.world.now()) != certificateIssued {
			return newError(http.StatusBadRequest, "UnsupportedCertificate",
				"The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size.", arn)
		}
		return nil
	}
	switch {
	case server:
		return nil
	case !strings.HasPrefix(arn, "arn:"):
		return newError(http.StatusBadRequest, "CertificateNotFound", "Certificate ARN '%s' is not valid", arn)
	default:
		return newError(http.StatusBadRequest, "CertificateNotFound", "Certificate '%s' not found", arn)
	}
}

// usersOf are the ARNs of the load balancers with a listener that has the certificate.
func (st *elbState) usersOf(certificate string) (balancers []string) {
	for _, l := range st.listeners {
		if slices.ContainsFunc(slices.Concat(l.certs, l.moreCerts), func(c elbCertificate) bool { return c.CertificateArn == certificate }) {
			balancers = append(balancers, l.balancer.arn)
		}
	}
	slices.Sort(balancers)
	return slices.Compact(balancers)
}

type listenerCertificatesInput struct {
	elbListenerInput
	Certificates []elbCertificate
}

type listenerCertificate struct {
	CertificateArn string
	IsDefault      bool
}

type listenerCertificatesOutput struct {
	Certificates []listenerCertificate
	NextMarker   string `json:",omitempty"`
}

// secureListener finds a listener that may have certificates.
func (c *call) secureListener(in *listenerCertificatesInput) (*elbListener, error) {
	l, err := c.listener(in.ListenerArn)
	switch {
	case err != nil:
		return nil, err
	case l.protocol != "HTTPS":
		return nil, elbValidationError("Certificates can only be added to or removed from HTTPS and TLS listeners")
	case len(in.Certificates) == 0:
		return nil, elbValidationError("A certificate must be specified")
	case len(in.Certificates) > 1:
		return nil, elbValidationError("Only one certificate can be specified")
	}
	return l, nil
}

// addListenerCertificates adds one, unless the listener has it already.
func addListenerCertificates(c *call, in *listenerCertificatesInput) (any, error) {
	l, err := c.secureListener(in)
	if err != nil {
		return nil, err
	}
	added := elbCertificate{in.Certificates[0].CertificateArn}
	if err := c.region.elb.checkCertificate(added.CertificateArn); err != nil {
		return nil, err
	}
	if !slices.Contains(l.moreCerts, added) {
		if len(l.moreCerts) == listenerCertificates {
			return nil, newError(http.StatusBadRequest, "TooManyCertificates", "The maximum number of certificates has been reached on listener '%s'", l.arn)
		}
		l.moreCerts = append(l.moreCerts, added)
	}
	return listenerCertificatesOutput{Certificates: []listenerCertificate{{CertificateArn: added.CertificateArn}}}, nil
}

// removeListenerCertificates removes one; what the listener does not have is removed already.
func removeListenerCertificates(c *call, in *listenerCertificatesInput) (any, error) {
	l, err := c.secureListener(in)
	if err != nil {
		return nil, err
	}
	removed := elbCertificate{in.Certificates[0].CertificateArn}
	if !slices.Contains(l.moreCerts, removed) && slices.Contains(l.certs, removed) {
		return nil, newError(http.StatusBadRequest, "OperationNotPermitted", "Default certificate '%s' cannot be removed", removed.CertificateArn)
	}
	l.moreCerts = slices.DeleteFunc(slices.Clone(l.moreCerts), func(c elbCertificate) bool { return c == removed })
	return struct{}{}, nil
}

type describeListenerCertificatesInput struct {
	elbPage
	elbListenerInput
}

// describeListenerCertificates lists the default one first.
func describeListenerCertificates(c *call, in *describeListenerCertificatesInput) (any, error) {
	if err := c.authorizeELB(); err != nil {
		return nil, err
	}
	l := c.region.elb.listeners[in.ListenerArn]
	if l == nil {
		if err := c.checkELBARN(listenerKind, in.ListenerArn); err != nil {
			return nil, err
		}
		return nil, listenerNotFound()
	}
	all := []listenerCertificate{}
	for _, cert := range l.certs {
		all = append(all, listenerCertificate{CertificateArn: cert.CertificateArn, IsDefault: true})
	}
	for _, cert := range l.moreCerts {
		all = append(all, listenerCertificate{CertificateArn: cert.CertificateArn})
	}
	page, next, err := pageOf(in.elbPage, all, func(c listenerCertificate) string {
		if c.IsDefault {
			return "default"
		}
		return c.CertificateArn
	})
	if err != nil {
		return nil, err
	}
	return listenerCertificatesOutput{Certificates: page, NextMarker: next}, nil
}
