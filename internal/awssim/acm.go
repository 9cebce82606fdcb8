package awssim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// acmState is AWS Certificate Manager in one region of one account.
type acmState struct {
	region       *region
	certificates map[string]*certificate // by ARN
}

func newACMState(r *region) *acmState {
	return &acmState{region: r, certificates: map[string]*certificate{}}
}

// certificate is a public one that Amazon issues, or will.
type certificate struct {
	arn          string
	names        []string // the first is the domain's
	validation   string   // "DNS" or "EMAIL"
	domains      []*domainValidation
	keyAlgorithm string
	export       string // "ENABLED" or "DISABLED"
	tags         map[string]string
	request      requestCertificateInput

	status           string // but for EXPIRED, which the time tells
	created          time.Time
	shown            time.Time // when it becomes known how to validate it
	issued           time.Time
	notBefore        time.Time
	notAfter         time.Time
	revoked          time.Time
	serial           string
	failureReason    string
	revocationReason string
	renewalStatus    string
	renewed          time.Time
}

// domainValidation is how far the validation of a name is.
type domainValidation struct {
	name    string
	domain  string // that mail goes to
	status  string
	record  validationRecord
	pending bool // ACM has seen the record and will look again
}

// The states that the simulator itself brings a certificate to.
const (
	certificatePending = "PENDING_VALIDATION"
	certificateIssued  = "ISSUED"
	certificateExpired = "EXPIRED"
	certificateLate    = "VALIDATION_TIMED_OUT"
)

var certificateStatuses = []string{certificatePending, certificateIssued, "INACTIVE", certificateExpired, certificateLate, "REVOKED", "FAILED"}

// acmOperations is the table of what CertificateManager answers.
func (s *Simulator) acmOperations() map[string]operation {
	return map[string]operation{
		"RequestCertificate":  {"acm-request", typed(requestCertificate)},
		"DescribeCertificate": {"acm-describe", typed(describeCertificate)},
		"ListCertificates":    {"acm-list", typed(listCertificates)},
		"DeleteCertificate":   {"acm-delete", typed(deleteCertificate)},
	}
}

// state is the status of now.
func (cert *certificate) state(now time.Time) string {
	if cert.status == certificateIssued && now.After(cert.notAfter) {
		return certificateExpired
	}
	return cert.status
}

var certificateARN = regexp.MustCompile(`^arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(/[\w+=,.@-]+)*$`)

type certificateInput struct{ CertificateArn *string }

// certificate finds one by its ARN after it has asked whether the caller may do the
// operation to it.
func (c *call) certificate(arn *string) (*certificate, error) {
	switch {
	case arn == nil:
		return nil, acmInvalid("null", "certificateArn", "Member must not be null")
	case len(*arn) < 20:
		return nil, acmInvalid("'"+*arn+"'", "certificateArn", "Member must have length greater than or equal to 20")
	case !certificateARN.MatchString(*arn):
		return nil, acmInvalid("'"+*arn+"'", "certificateArn", "Member must satisfy regular expression pattern: arn:[\\w+=/,.@-]+:acm:[\\w+=/,.@-]*:[0-9]+:[\\w+=,.@-]+(/[\\w+=,.@-]+)*")
	}
	cert := c.region.acm.certificates[*arn]
	conditions := map[string]string{}
	if cert != nil {
		for key, value := range cert.tags {
			conditions["aws:ResourceTag/"+key] = value
		}
	}
	if err := c.authorize("acm:"+c.operation, *arn, conditions); err != nil {
		return nil, err
	}
	if cert == nil {
		return nil, newError(http.StatusBadRequest, "ResourceNotFoundException", "Could not find certificate %s.", *arn)
	}
	return cert, nil
}

// deleteCertificate deletes one that nothing uses.
func deleteCertificate(c *call, in *certificateInput) (any, error) {
	cert, err := c.certificate(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if len(c.region.elb.usersOf(cert.arn)) > 0 {
		return nil, newError(http.StatusBadRequest, "ResourceInUseException", "Certificate %s in account %s is in use.", cert.arn, c.account.id)
	}
	delete(c.region.acm.certificates, cert.arn)
	return nil, nil
}

// acmInvalid is a parameter that ACM's model does not allow.
func acmInvalid(value, member, constraint string) *apiError {
	return newError(http.StatusBadRequest, "ValidationException",
		"1 validation error detected: Value %s at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// acmAmong refuses a value that an enumeration does not have; absent is fine.
func acmAmong(member, value string, known []string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return acmInvalid("'"+value+"'", member, "Member must satisfy enum value set: ["+strings.Join(known, ", ")+"]")
}

// notInACM refuses a parameter, instead of ignoring it.
func notInACM(what string) *apiError {
	return newError(http.StatusBadRequest, "InvalidParameterException", "awssim does not implement %s", what)
}
