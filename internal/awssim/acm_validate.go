package awssim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

const (
	// validationPreparation is how long it takes until a new certificate shows the records
	// that validate it.
	validationPreparation = 5 * time.Second
	// validationDelay passes from a record being on the name servers to the name being
	// validated.
	validationDelay = time.Minute
	// validationPatience is how long ACM waits for the records.
	validationPatience = 72 * time.Hour
	// certificateValidity is the life of a certificate ("ACM certificate characteristics").
	certificateValidity = 395 * 24 * time.Hour
)

// validationRecord is the CNAME that proves who owns a name.
type validationRecord struct{ Name, Type, Value string }

// validationRecordOf is the same for each certificate of an account that has the name, or its
// wildcard.
func validationRecordOf(account, name string) validationRecord {
	name = strings.TrimPrefix(name, "*.")
	sum := sha256.Sum256([]byte(account + " " + name))
	digits := hex.EncodeToString(sum[:])
	zone := []byte(digits[54:])
	for i, digit := range zone { // AWS has letters there
		zone[i] = 'a' + digit%26
	}
	return validationRecord{
		Name: "_" + digits[:32] + "." + name + ".", Type: "CNAME",
		Value: "_" + digits[22:54] + "." + string(zone) + ".acm-validations.aws.",
	}
}

// stands tells whether the record is in a public hosted zone, whoever owns that.
func (v *validationRecord) stands(w *world) bool {
	key := recordKey{name: v.Name, kind: v.Type}
	for _, a := range w.accounts {
		r := a.regions[homeRegions["route53"]]
		if r == nil {
			continue
		}
		for _, z := range r.route53.zones {
			at, found := find(z.records, key)
			if found && len(z.vpcs) == 0 && len(z.records[at].ResourceRecords) == 1 &&
				strings.EqualFold(strings.TrimSuffix(z.records[at].ResourceRecords[0].Value, "."), strings.TrimSuffix(v.Value, ".")) {
				return true
			}
		}
	}
	return false
}

// reviewCertificates looks for the records of those that wait for them. It runs when there may
// be new ones.
func (w *world) reviewCertificates() {
	var waiting []*certificate
	for _, a := range w.accounts {
		for _, r := range a.regions {
			for _, cert := range r.acm.certificates {
				if cert.status == certificatePending && cert.validation == "DNS" && !w.now().Before(cert.shown) {
					waiting = append(waiting, cert)
				}
			}
		}
	}
	slices.SortFunc(waiting, func(a, b *certificate) int { return cmp.Compare(a.arn, b.arn) })
	for _, cert := range waiting {
		for _, domain := range cert.domains {
			if domain.status != certificatePending || domain.pending || !domain.record.stands(w) {
				continue
			}
			domain.pending = true
			w.after(validationDelay, func() { cert.validate(w, domain) })
		}
	}
}

// validate takes a name as proven if its record stands still, and issues the certificate with
// the last of them.
func (cert *certificate) validate(w *world, domain *domainValidation) {
	domain.pending = false
	if cert.status != certificatePending || !domain.record.stands(w) {
		return
	}
	domain.status = "SUCCESS"
	if !slices.ContainsFunc(cert.domains, func(d *domainValidation) bool { return d.status != "SUCCESS" }) {
		cert.issue(w.now())
	}
}

// issue makes it valid from the beginning of the day on.
func (cert *certificate) issue(now time.Time) {
	cert.status, cert.issued = certificateIssued, now
	cert.notBefore = now.UTC().Truncate(24 * time.Hour)
	cert.notAfter = cert.notBefore.Add(certificateValidity - time.Second)
	for _, domain := range cert.domains {
		domain.status = "SUCCESS"
	}
	sum := sha256.Sum256([]byte(cert.arn))
	octets := make([]string, 16)
	for i := range octets {
		octets[i] = hex.EncodeToString(sum[i : i+1])
	}
	cert.serial = strings.Join(octets, ":")
}

// giveUp ends the wait for the records.
func (cert *certificate) giveUp() {
	if cert.status != certificatePending {
		return
	}
	cert.status = certificateLate
	for _, domain := range cert.domains {
		if domain.status == certificatePending {
			domain.status = "FAILED"
		}
	}
}
