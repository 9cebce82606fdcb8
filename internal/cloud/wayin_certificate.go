package cloud

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// certificatesDescribed is how many certificates of one listener a look describes at most: Elastic Load
// Balancing allows 25 beside the default one.
const certificatesDescribed = 26

// attached are the ARNs of the certificates that a listener has.
func (f *Fleet) attached(ctx context.Context, s *session, listener string) ([]string, *rollout.Problem) {
	var arns []string
	in := &elb.DescribeListenerCertificatesInput{ListenerArn: aws.String(listener)}
	for range pages {
		out, problem := read(ctx, f, s, listenerCertificates, "describing the certificates of "+listener, func(ctx context.Context) (*elb.DescribeListenerCertificatesOutput, error) {
			return s.elb.DescribeListenerCertificates(ctx, in)
		})
		if problem != nil {
			return nil, problem
		}
		for _, c := range out.Certificates {
			if arn := text(c.CertificateArn); !slices.Contains(arns, arn) {
				arns = append(arns, arn)
			}
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	return arns, nil
}

// certificates describes the certificate that is asked for, or else those that the listener has.
func (f *Fleet) certificates(ctx context.Context, s *session, wanted *ecsv1alpha1.EndpointRegion, attached []string) ([]wayin.Certificate, *rollout.Problem) {
	arns := attached[:min(len(attached), certificatesDescribed)]
	if wanted.CertificateARN != "" {
		if !strings.Contains(wanted.CertificateARN, ":acm:"+wanted.Region+":") {
			return nil, nil // of another region: there is nothing to ask here
		}
		arns = []string{wanted.CertificateARN}
	}
	var certificates []wayin.Certificate
	for _, arn := range arns {
		c := wayin.Certificate{ARN: arn, Attached: slices.Contains(attached, arn)}
		if !strings.Contains(arn, ":acm:") {
			c.Opaque = true // a server certificate of IAM
			certificates = append(certificates, c)
			continue
		}
		out, problem := read(ctx, f, s, describeCertificate, "describing certificate "+arn, func(ctx context.Context) (*acm.DescribeCertificateOutput, error) {
			return s.acm.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(arn)})
		})
		switch {
		case absent(problem), problem == nil && out.Certificate == nil:
			c.Gone = true
		case problem != nil:
			return nil, problem
		default:
			projectCertificate(&c, out.Certificate)
		}
		certificates = append(certificates, c)
	}
	return certificates, nil
}

func projectCertificate(c *wayin.Certificate, d *types.CertificateDetail) {
	c.Status, c.Type, c.Why = strings.Clone(string(d.Status)), strings.Clone(string(d.Type)), strings.Clone(string(d.FailureReason))
	c.NotAfter = aws.ToTime(d.NotAfter)
	for _, name := range append([]string{aws.ToString(d.DomainName)}, d.SubjectAlternativeNames...) {
		if name = strings.ToLower(strings.Clone(name)); name != "" && !slices.Contains(c.Names, name) {
			c.Names = append(c.Names, name)
		}
	}
	validations := d.DomainValidationOptions
	if d.RenewalSummary != nil && d.RenewalSummary.RenewalStatus == types.RenewalStatusPendingValidation {
		validations = d.RenewalSummary.DomainValidationOptions
	}
	for _, v := range validations {
		c.Method = strings.Clone(string(v.ValidationMethod))
		if v.ValidationStatus == types.DomainStatusSuccess || v.ResourceRecord == nil {
			continue
		}
		c.Proof = wayin.Proof{Name: text(v.ResourceRecord.Name), Type: strings.Clone(string(v.ResourceRecord.Type)), Value: text(v.ResourceRecord.Value)}
		break
	}
}
