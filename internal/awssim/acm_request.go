package awssim

import (
	"cmp"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

type certificateOptions struct {
	CertificateTransparencyLoggingPreference string `json:",omitempty"`
	Export                                   string `json:",omitempty"`
}

type requestCertificateInput struct {
	DomainName              *string
	ValidationMethod        string
	SubjectAlternativeNames []string
	IdempotencyToken        string
	DomainValidationOptions []struct{ DomainName, ValidationDomain string }
	Options                 certificateOptions
	CertificateAuthorityArn string
	Tags                    []elbTag
	KeyAlgorithm            string
	ManagedBy               string
}

type requestCertificateOutput struct{ CertificateArn string }

const (
	certificateNames = 10        // how many names a certificate may have
	tokenMemory      = time.Hour // how long ACM knows an idempotency token
)

var (
	certificateName   = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$`)
	idempotencyToken  = regexp.MustCompile(`^\w{1,32}$`)
	keyAlgorithms     = []string{"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"}
	issuedAlgorithms  = []string{"RSA_2048", "EC_prime256v1", "EC_secp384r1"}
	switchPreferences = []string{"ENABLED", "DISABLED"}
)

// requestCertificate begins to issue a certificate, or returns the one that was requested
// within the hour with the same token and the same parameters.
func requestCertificate(c *call, in *requestCertificateInput) (any, error) {
	tags, err := c.authorizeCertificate(in)
	if err == nil {
		err = in.check()
	}
	if err != nil {
		return nil, err
	}
	now := c.sim.now()
	for _, other := range c.region.acm.certificates {
		if in.IdempotencyToken != "" && reflect.DeepEqual(other.request, *in) && now.Sub(other.created) < tokenMemory {
			return requestCertificateOutput{other.arn}, nil
		}
	}
	cert := &certificate{
		arn: c.arn("acm", "certificate/"+c.sim.newUUID()), names: in.names(), validation: cmp.Or(in.ValidationMethod, "EMAIL"),
		keyAlgorithm: cmp.Or(in.KeyAlgorithm, "RSA_2048"), export: cmp.Or(in.Options.Export, "DISABLED"), tags: tags, request: *in,
		status: certificatePending, created: now, shown: now.Add(c.sim.scale(validationPreparation)),
	}
	for _, name := range cert.names {
		cert.domains = append(cert.domains, &domainValidation{
			name: name, domain: in.validationDomain(name), status: certificatePending, record: validationRecordOf(c.account.id, name),
		})
	}
	c.region.acm.certificates[cert.arn] = cert
	c.sim.after(validationPreparation, c.sim.reviewCertificates)
	c.sim.after(validationPatience, func() { cert.giveUp() })
	return requestCertificateOutput{cert.arn}, nil
}

// authorizeCertificate asks whether the caller may request the certificate, and tag it so.
func (c *call) authorizeCertificate(in *requestCertificateInput) (tags map[string]string, err error) {
	tags, err = readACMTags(in.Tags)
	if err != nil {
		return nil, err
	}
	conditions := map[string]string{
		"acm:ValidationMethod": cmp.Or(in.ValidationMethod, "EMAIL"), "acm:KeyAlgorithm": cmp.Or(in.KeyAlgorithm, "RSA_2048"),
	}
	for key, value := range tags {
		conditions["aws:RequestTag/"+key] = value
	}
	context := c.conditionContext(conditions)
	context["acm:domainnames"] = in.names()
	if err := c.authorizeIn("acm:RequestCertificate", "*", context); err != nil || len(tags) == 0 {
		return tags, err
	}
	return tags, c.authorizeIn("acm:AddTagsToCertificate", c.arn("acm", "certificate/*"), context)
}

func readACMTags(list []elbTag) (map[string]string, error) {
	tags := map[string]string{}
	for _, tag := range list {
		_, twice := tags[tag.Key]
		if twice || !tagKeyPattern.MatchString(tag.Key) || utf8.RuneCountInString(tag.Key) > 128 || strings.HasPrefix(strings.ToLower(tag.Key), "aws:") ||
			!tagValuePattern.MatchString(tag.Value) || utf8.RuneCountInString(tag.Value) > 256 {
			return nil, newError(http.StatusBadRequest, "InvalidTagException", "Tag %s is not valid.", tag.Key)
		}
		tags[tag.Key] = tag.Value
	}
	if len(tags) > 50 {
		return nil, newError(http.StatusBadRequest, "TooManyTagsException", "The maximum number of tags per certificate is 50.")
	}
	return tags, nil
}

// names are those that the certificate will be for, each once.
func (in *requestCertificateInput) names() []string {
	var names []string
	if in.DomainName != nil {
		names = append(names, strings.ToLower(*in.DomainName))
	}
	for _, name := range in.SubjectAlternativeNames {
		if name = strings.ToLower(name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (in *requestCertificateInput) check() error {
	if in.DomainName == nil {
		return acmInvalid("null", "domainName", "Member must not be null")
	}
	for i, name := range in.names() {
		member := "domainName"
		if i > 0 {
			member = "subjectAlternativeNames"
		}
		if !certificateName.MatchString(name) || len(name) > 253 {
			return acmInvalid("'"+name+"'", member, "Member must satisfy regular expression pattern: "+certificateName.String())
		}
	}
	if err := firstError(
		acmAmong("validationMethod", in.ValidationMethod, []string{"EMAIL", "DNS", "HTTP"}),
		acmAmong("keyAlgorithm", in.KeyAlgorithm, keyAlgorithms),
		acmAmong("options.export", in.Options.Export, switchPreferences),
		acmAmong("options.certificateTransparencyLoggingPreference", in.Options.CertificateTransparencyLoggingPreference, switchPreferences),
		acmAmong("managedBy", in.ManagedBy, []string{"CLOUDFRONT"}),
	); err != nil {
		return err
	}
	switch {
	case in.IdempotencyToken != "" && !idempotencyToken.MatchString(in.IdempotencyToken):
		return acmInvalid("'"+in.IdempotencyToken+"'", "idempotencyToken", "Member must satisfy regular expression pattern: \\w+")
	case len(*in.DomainName) > 64:
		return newError(http.StatusBadRequest, "InvalidParameterException", "The first domain name cannot be longer than 64 octets.")
	case len(in.names()) > certificateNames:
		return newError(http.StatusBadRequest, "LimitExceededException", "The number of domain names in a certificate cannot exceed %d.", certificateNames)
	case in.CertificateAuthorityArn != "":
		return notInACM("private certificates")
	case in.ValidationMethod == "HTTP" || in.ManagedBy != "":
		return notInACM("certificates of CloudFront")
	case in.KeyAlgorithm != "" && !slices.Contains(issuedAlgorithms, in.KeyAlgorithm):
		return newError(http.StatusBadRequest, "InvalidParameterException", "Key algorithm %s is not supported for certificates that ACM issues.", in.KeyAlgorithm)
	}
	return in.checkValidationDomains()
}

// checkValidationDomains refuses mail to anybody but a name's own domain or one above.
func (in *requestCertificateInput) checkValidationDomains() error {
	for _, option := range in.DomainValidationOptions {
		name, domain := strings.ToLower(option.DomainName), strings.ToLower(option.ValidationDomain)
		if !slices.Contains(in.names(), name) || name != domain && !strings.HasSuffix(name, "."+domain) {
			return newError(http.StatusBadRequest, "InvalidDomainValidationOptionsException",
				"%s is not a valid validation domain for %s.", option.ValidationDomain, option.DomainName)
		}
	}
	return nil
}

// validationDomain is the domain that mail about a name goes to.
func (in *requestCertificateInput) validationDomain(name string) string {
	for _, option := range in.DomainValidationOptions {
		if strings.EqualFold(option.DomainName, name) {
			return strings.ToLower(option.ValidationDomain)
		}
	}
	return name
}
