package wayin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// expirySoon is how long before a certificate expires somebody should know. Certificate Manager renews
// its own 60 days before.
const expirySoon = 30 * 24 * time.Hour

// certificate looks for a certificate of the listener that covers the name: the one that is asked for,
// or else the best of those that it has.
func (j *judge) certificate(wanted *ecsv1alpha1.EndpointRegion, seen *Region) {
	if wanted.CertificateARN != "" {
		j.namedCertificate(wanted, seen)
		return
	}
	const hop = ecsv1alpha1.HopCertificate
	if j.beforeListener(hop, seen) || j.unknown(hop, seen.Certificates.Problem) {
		return
	}
	var found []verdict
	var names []string
	for _, c := range seen.Certificates.Answer {
		if c.Attached && c.covers(j.spec.Hostname) {
			found = append(found, j.worth(c))
		}
		names = append(names, c.Names...)
	}
	if len(found) == 0 && seen.MoreCertificates {
		j.note(hop, ecsv1alpha1.HopUnknown, fmt.Sprintf("none of the first %d certificates of the listener is for %s", len(seen.Certificates.Answer), j.spec.Hostname),
			"a certificate for "+j.spec.Hostname, "name it in certificateARN: of so many not all are looked at")
		return
	}
	if i := slices.IndexFunc(seen.Certificates.Answer, func(c Certificate) bool { return c.Opaque }); len(found) == 0 && i >= 0 {
		j.note(hop, ecsv1alpha1.HopUnknown, seen.Certificates.Answer[i].ARN+" is a certificate of IAM, into which cannot be looked", "a certificate of Certificate Manager",
			"move the certificate to Certificate Manager, or rely on the probe")
		return
	}
	if len(found) == 0 {
		said := "the listener has no certificate"
		if len(names) > 0 {
			said = "the listener's certificates are for " + list(names)
		}
		j.note(hop, ecsv1alpha1.HopMissing, said, "a certificate for "+j.spec.Hostname, "add a certificate for "+j.spec.Hostname+" to the listener")
		return
	}
	best := slices.MinFunc(found, func(a, b verdict) int { return a.rank() - b.rank() })
	j.note(hop, best.state, best.seen, best.wanted, best.action)
}

// namedCertificate looks at the certificate that the endpoint names.
func (j *judge) namedCertificate(wanted *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopCertificate
	if at := regionOf(wanted.CertificateARN); at != j.region {
		j.note(hop, ecsv1alpha1.HopBroken, "the certificate is in "+at, "a certificate in "+j.region,
			"request a certificate in "+j.region+": a load balancer takes none of another region; and name it in certificateARN")
		return
	}
	if j.unknown(hop, seen.Certificates.Problem) {
		return
	}
	i := slices.IndexFunc(seen.Certificates.Answer, func(c Certificate) bool { return c.ARN == wanted.CertificateARN })
	if i < 0 || seen.Certificates.Answer[i].Gone {
		j.note(hop, ecsv1alpha1.HopMissing, "there is no "+wanted.CertificateARN, "that certificate", "request it, or correct certificateARN")
		return
	}
	c := seen.Certificates.Answer[i]
	judged := j.worth(c)
	_, listens := seen.Listener()
	switch {
	case !c.covers(j.spec.Hostname):
		j.note(hop, ecsv1alpha1.HopBroken, "the certificate is for "+list(c.Names), "a certificate for "+j.spec.Hostname,
			"request a certificate for "+j.spec.Hostname+", and name it in certificateARN")
	case judged.rank() > rankWarning:
		j.note(hop, judged.state, judged.seen, judged.wanted, judged.action)
	case seen.Listeners.Unasked || seen.Balancer.Answer == nil || !listens:
		j.unreached(hop, ecsv1alpha1.HopListener)
	case !c.Attached:
		j.note(hop, ecsv1alpha1.HopMissing, "the listener does not have the certificate", "the certificate on the listener",
			"aws elbv2 add-listener-certificates --region "+j.region+" --certificates CertificateArn="+c.ARN+" --listener-arn …")
	default:
		j.note(hop, judged.state, judged.seen, judged.wanted, judged.action)
	}
}

// worth judges a certificate that covers the name.
func (j *judge) worth(c Certificate) verdict {
	until := c.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case c.Gone:
		return finding(ecsv1alpha1.HopBroken, c.ARN+" is gone", "a certificate that exists", "give the listener another certificate")
	case c.Status == "PENDING_VALIDATION" && c.Proof.Name != "":
		return finding(ecsv1alpha1.HopPending, c.Status, "ISSUED", fmt.Sprintf("create the record %s %s: %s", c.Proof.Name, c.Proof.Type, c.Proof.Value))
	case c.Status == "PENDING_VALIDATION" && c.Method == "EMAIL":
		return finding(ecsv1alpha1.HopPending, c.Status+" by EMAIL", "ISSUED", "answer the email, or request one that is validated by DNS")
	case c.Status == "PENDING_VALIDATION":
		return finding(ecsv1alpha1.HopPending, c.Status, "ISSUED", "nothing: Certificate Manager looks for the record that it asked for, which may take half an hour")
	case c.Status == "EXPIRED", !c.NotAfter.IsZero() && !c.NotAfter.After(j.now):
		return finding(ecsv1alpha1.HopBroken, "it expired on "+until, "a certificate that is valid", "renew it, or request another one, and give it to the listener")
	case c.Status != "ISSUED" && c.Why != "":
		return finding(ecsv1alpha1.HopBroken, c.Status+": "+c.Why, "ISSUED", "request another certificate, and give it to the listener")
	case c.Status != "ISSUED":
		return finding(ecsv1alpha1.HopBroken, c.Status, "ISSUED", "request another certificate, and give it to the listener")
	case !c.NotAfter.IsZero() && c.NotAfter.Sub(j.now) < expirySoon:
		return finding(ecsv1alpha1.HopWarning, "it expires on "+until, "more than 30 days to go", c.renewal())
	case c.Method == "EMAIL":
		return finding(ecsv1alpha1.HopWarning, "it is validated by EMAIL", "validated by DNS", "request one that is validated by DNS: this one is only renewed when somebody answers an email")
	}
	return well("%s, valid until %s", list(c.Names), until)
}

// renewal is what to do about a certificate that expires soon.
func (c Certificate) renewal() string {
	switch {
	case c.Type == "IMPORTED":
		return "import a new one: Certificate Manager does not renew what was imported"
	case c.Proof.Name != "":
		return fmt.Sprintf("put the record back by which it is renewed: %s %s: %s", c.Proof.Name, c.Proof.Type, c.Proof.Value)
	}
	return "look in Certificate Manager why it was not renewed"
}

// covers says whether one of the certificate's names is that host: a wildcard stands for exactly one
// label (RFC 6125).
func (c Certificate) covers(host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(c.Names, func(name string) bool {
		name = strings.TrimSuffix(strings.ToLower(name), ".")
		under, wildcard := strings.CutPrefix(name, "*.")
		return name == host || wildcard && under == parent
	})
}

// regionOf is the region in an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}
