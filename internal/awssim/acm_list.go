package awssim

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

type certificateFilters struct {
	ExtendedKeyUsage []string `json:"extendedKeyUsage"`
	KeyUsage         []string `json:"keyUsage"`
	KeyTypes         []string `json:"keyTypes"`
	ExportOption     string   `json:"exportOption"`
	ManagedBy        string   `json:"managedBy"`
}

type listCertificatesInput struct {
	CertificateStatuses []string
	Includes            certificateFilters
	NextToken           string
	MaxItems            *int
	SortBy              string
	SortOrder           string
}

type listCertificatesOutput struct {
	NextToken              string `json:",omitempty"`
	CertificateSummaryList []certificateSummary
}

type certificateSummary struct {
	CertificateArn                       string
	DomainName                           string
	SubjectAlternativeNameSummaries      []string
	HasAdditionalSubjectAlternativeNames bool
	Status                               string
	Type                                 string
	KeyAlgorithm                         string
	KeyUsages                            []string
	ExtendedKeyUsages                    []string
	ExportOption                         string
	InUse                                bool
	Exported                             bool
	RenewalEligibility                   string
	NotBefore                            *moment `json:",omitempty"`
	NotAfter                             *moment `json:",omitempty"`
	CreatedAt                            *moment
	IssuedAt                             *moment `json:",omitempty"`
	RevokedAt                            *moment `json:",omitempty"`
}

const certificatePage = 1000

// listCertificates lists those with RSA keys of up to 2048 bits unless it is told which types
// of keys.
func listCertificates(c *call, in *listCertificatesInput) (any, error) {
	if err := c.authorize("acm:ListCertificates", "*", nil); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	now := c.sim.now()
	all := slices.SortedFunc(maps.Values(c.region.acm.certificates), func(a, b *certificate) int {
		return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.arn, b.arn))
	})
	if in.SortOrder == "DESCENDING" {
		slices.Reverse(all)
	}
	if in.NextToken != "" {
		raw, err := base64.StdEncoding.DecodeString(in.NextToken)
		at := slices.IndexFunc(all, func(cert *certificate) bool { return cert.arn == string(raw) })
		if err != nil || at < 0 {
			return nil, newError(http.StatusBadRequest, "InvalidArgsException", "The next token is not valid.")
		}
		all = all[at:]
	}
	size := certificatePage
	if in.MaxItems != nil {
		size = *in.MaxItems
	}
	out := listCertificatesOutput{CertificateSummaryList: []certificateSummary{}}
	for _, cert := range all {
		if !in.selects(cert, now) {
			continue
		}
		if len(out.CertificateSummaryList) == size {
			out.NextToken = base64.StdEncoding.EncodeToString([]byte(cert.arn))
			break
		}
		out.CertificateSummaryList = append(out.CertificateSummaryList, cert.summary(now, len(c.region.elb.usersOf(cert.arn)) > 0))
	}
	return out, nil
}

func (in *listCertificatesInput) check() error {
	for _, status := range in.CertificateStatuses {
		if err := acmAmong("certificateStatuses", status, certificateStatuses); err != nil {
			return err
		}
	}
	for _, kind := range in.Includes.KeyTypes {
		if err := acmAmong("includes.keyTypes", kind, keyAlgorithms); err != nil {
			return err
		}
	}
	switch {
	case in.MaxItems != nil && (*in.MaxItems < 1 || *in.MaxItems > certificatePage):
		return acmInvalid("'"+strconv.Itoa(*in.MaxItems)+"'", "maxItems", "Member must have value between 1 and 1000")
	case (in.SortBy == "") != (in.SortOrder == ""):
		return newError(http.StatusBadRequest, "ValidationException", "SortBy and SortOrder must be specified together.")
	}
	return firstError(
		acmAmong("sortBy", in.SortBy, []string{"CREATED_AT"}), acmAmong("sortOrder", in.SortOrder, []string{"ASCENDING", "DESCENDING"}),
		acmAmong("includes.exportOption", in.Includes.ExportOption, switchPreferences), acmAmong("includes.managedBy", in.Includes.ManagedBy, []string{"CLOUDFRONT"}))
}

func (in *listCertificatesInput) selects(cert *certificate, now time.Time) bool {
	types := in.Includes.KeyTypes
	if len(types) == 0 {
		types = []string{"RSA_1024", "RSA_2048"}
	}
	used := func(wanted, has []string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(usage string) bool { return usage == "ANY" || slices.Contains(has, usage) })
	}
	return slices.Contains(types, cert.keyAlgorithm) &&
		(len(in.CertificateStatuses) == 0 || slices.Contains(in.CertificateStatuses, cert.state(now))) &&
		used(in.Includes.KeyUsage, cert.keyUsages()) && used(in.Includes.ExtendedKeyUsage, []string{serverAuthentication}) &&
		(in.Includes.ExportOption == "" || in.Includes.ExportOption == cert.export) && in.Includes.ManagedBy == ""
}

func (cert *certificate) summary(now time.Time, used bool) certificateSummary {
	v := certificateSummary{
		CertificateArn: cert.arn, DomainName: cert.names[0], SubjectAlternativeNameSummaries: cert.names, Status: cert.state(now), Type: "AMAZON_ISSUED",
		KeyAlgorithm: spellAlgorithm(cert.keyAlgorithm), KeyUsages: cert.keyUsages(), ExtendedKeyUsages: []string{}, ExportOption: cert.export, InUse: used,
		RenewalEligibility: cert.eligibility(used), NotBefore: momentOf(cert.notBefore), NotAfter: momentOf(cert.notAfter),
		CreatedAt: momentOf(cert.created), IssuedAt: momentOf(cert.issued), RevokedAt: momentOf(cert.revoked),
	}
	if !cert.issued.IsZero() {
		v.ExtendedKeyUsages = append(v.ExtendedKeyUsages, serverAuthentication)
	}
	return v
}
