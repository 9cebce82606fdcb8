package awssim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
)

// requestDNS requests a certificate that DNS validates.
func requestDNS(t *testing.T, client *acm.Client, names ...string) (arn string) {
	t.Helper()
	in := &acm.RequestCertificateInput{DomainName: &names[0], ValidationMethod: types.ValidationMethodDns}
	if len(names) > 1 {
		in.SubjectAlternativeNames = names[1:]
	}
	return *must(client.RequestCertificate(t.Context(), in))(t).CertificateArn
}

// issuedCertificate is a certificate in our account in Mumbai that nobody had to wait for.
func issuedCertificate(t *testing.T, s *Simulator, names ...string) *string {
	t.Helper()
	arn := requestDNS(t, acm.NewFromConfig(rootConfig(t, s)), names...)
	must(s.SetCertificate(CertificateState{Certificate: arn, Status: certificateIssued}))(t)
	return &arn
}

func describeACM(t *testing.T, client *acm.Client, arn string) *types.CertificateDetail {
	t.Helper()
	return must(client.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: &arn}))(t).Certificate
}

func TestACertificateIsIssuedOnceItsRecordsStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		client, ctx := acm.NewFromConfig(rootConfig(t, s)), t.Context()
		arn := requestDNS(t, client, "Shop.example.com", "*.shop.example.com")
		if !regexp.MustCompile(`^arn:aws:acm:ap-south-1:111122223333:certificate/[0-9a-f-]{36}$`).MatchString(arn) {
			t.Error(arn)
		}
		got := describeACM(t, client, arn)
		if got.Status != types.CertificateStatusPendingValidation || got.DomainValidationOptions[0].ResourceRecord != nil || got.IssuedAt != nil ||
			!cmp.Equal(got.SubjectAlternativeNames, []string{"shop.example.com", "*.shop.example.com"}) || got.KeyAlgorithm != "RSA-2048" {
			t.Errorf("%+v", got)
		}
		time.Sleep(10 * time.Second)
		record := *describeACM(t, client, arn).DomainValidationOptions[0].ResourceRecord
		if second := *describeACM(t, client, arn).DomainValidationOptions[1].ResourceRecord; *record.Name != *second.Name || *record.Value != *second.Value ||
			!regexp.MustCompile(`^_[0-9a-f]{32}\.shop\.example\.com\.$`).MatchString(*record.Name) ||
			!regexp.MustCompile(`^_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.$`).MatchString(*record.Value) {
			t.Errorf("%+v %+v", record, second)
		}
		listen := &elb.CreateListenerInput{
			LoadBalancerArn: &f.balancer, Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, DefaultActions: forwardTo(f.group),
			Certificates: []elbtypes.Certificate{{CertificateArn: &arn}},
		}
		_, err := f.client.CreateListener(ctx, listen)
		wantCode(t, err, "UnsupportedCertificate", "The certificate '"+arn+"' must have a fully-qualified domain name, a supported signature, and a supported key size.")

		// The zone may be anybody's.
		names := route53ClientOf(sdkConfig(t, s, mumbai, otherAccount, rootSecret, ""))
		zone := createTestZone(t, names, shopZone)
		change := aRecord(route53types.ChangeActionUpsert, *record.Name, *record.Value)
		change.ResourceRecordSet.Type = route53types.RRTypeCname
		must(changeRecords(t, names, zone, change))(t)
		time.Sleep(time.Minute)
		if got := describeACM(t, client, arn).Status; got != types.CertificateStatusPendingValidation {
			t.Errorf("a minute after the record it is %s", got)
		}
		time.Sleep(time.Minute)
		got = describeACM(t, client, arn)
		day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // on which a bubble's time begins
		if got.Status != types.CertificateStatusIssued || !got.NotBefore.Equal(day) || !got.NotAfter.Equal(day.Add(395*24*time.Hour-time.Second)) ||
			got.RenewalEligibility != types.RenewalEligibilityIneligible || len(got.InUseBy) != 0 || *got.Issuer != "Amazon" || got.Serial == nil || got.Type != types.CertificateTypeAmazonIssued ||
			slices.ContainsFunc(got.DomainValidationOptions, func(d types.DomainValidation) bool { return d.ValidationStatus != types.DomainStatusSuccess }) {
			t.Errorf("%+v", got)
		}
		// Once there is the record, the next certificate needs no more.
		again := requestDNS(t, client, "shop.example.com")
		time.Sleep(2 * time.Minute)
		if got := describeACM(t, client, again).Status; got != types.CertificateStatusIssued {
			t.Errorf("the second certificate is %s", got)
		}

		listener := must(f.client.CreateListener(ctx, listen))(t).Listeners[0].ListenerArn
		if got := describeACM(t, client, arn); !cmp.Equal(got.InUseBy, []string{f.balancer}) || got.RenewalEligibility != types.RenewalEligibilityEligible {
			t.Errorf("%v %s", got.InUseBy, got.RenewalEligibility)
		}
		_, err = client.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: &arn})
		wantCode(t, err, "ResourceInUseException", arn+" in account 111122223333 is in use")
		must(f.client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: listener}))(t)
		must(client.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: &arn}))(t)
		_, err = client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
		wantCode(t, err, "ResourceNotFoundException", arn)
	})
}

func TestACertificateWaitsThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := acm.NewFromConfig(rootConfig(t, New(Options{})))
		arn := requestDNS(t, client, "shop.example.com")
		mail := *must(client.RequestCertificate(t.Context(), &acm.RequestCertificateInput{
			DomainName: aws.String("a.example.com"), DomainValidationOptions: []types.DomainValidationOption{{DomainName: aws.String("a.example.com"), ValidationDomain: aws.String("example.com")}},
		}))(t).CertificateArn
		time.Sleep(71 * time.Hour)
		if got := describeACM(t, client, mail).DomainValidationOptions[0]; got.ValidationMethod != types.ValidationMethodEmail || !slices.Contains(got.ValidationEmails, "hostmaster@example.com") || got.ResourceRecord != nil {
			t.Errorf("%+v", got)
		}
		if got := describeACM(t, client, arn).Status; got != types.CertificateStatusPendingValidation {
			t.Error(got)
		}
		time.Sleep(time.Hour)
		if got := describeACM(t, client, arn); got.Status != types.CertificateStatusValidationTimedOut || got.DomainValidationOptions[0].ValidationStatus != types.DomainStatusFailed {
			t.Errorf("%+v", got)
		}
	})
}

func TestATokenRequestsOneCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := acm.NewFromConfig(rootConfig(t, New(Options{})))
		request := func(name string) string {
			return *must(client.RequestCertificate(t.Context(), &acm.RequestCertificateInput{DomainName: &name, IdempotencyToken: aws.String("once")}))(t).CertificateArn
		}
		first := request("a.example.com")
		if request("a.example.com") != first || request("b.example.com") == first {
			t.Error("the token and the parameters make the certificate")
		}
		time.Sleep(time.Hour)
		if request("a.example.com") == first {
			t.Error("after an hour it is the same one")
		}
	})
}

func TestCertificatesAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client, ctx := acm.NewFromConfig(rootConfig(t, s)), t.Context()
		for i := range 5 {
			requestDNS(t, client, fmt.Sprintf("%d.example.com", i))
			time.Sleep(time.Second)
		}
		must(client.RequestCertificate(ctx, &acm.RequestCertificateInput{DomainName: aws.String("ec.example.com"), KeyAlgorithm: types.KeyAlgorithmEcPrime256v1, Options: &types.CertificateOptions{Export: types.CertificateExportEnabled}}))(t)
		issuedCertificate(t, s, "issued.example.com")
		list := func(in *acm.ListCertificatesInput) (names []string) {
			pages := acm.NewListCertificatesPaginator(client, in)
			for pages.HasMorePages() {
				for _, summary := range must(pages.NextPage(ctx))(t).CertificateSummaryList {
					names = append(names, strings.TrimSuffix(*summary.DomainName, ".example.com"))
				}
			}
			return names
		}
		for name, c := range map[string]struct {
			in   acm.ListCertificatesInput
			want []string
		}{
			"RSA keys unless told":   {acm.ListCertificatesInput{MaxItems: aws.Int32(2)}, []string{"0", "1", "2", "3", "4", "issued"}},
			"the youngest first":     {acm.ListCertificatesInput{MaxItems: aws.Int32(4), SortBy: types.SortByCreatedAt, SortOrder: types.SortOrderDescending}, []string{"issued", "4", "3", "2", "1", "0"}},
			"other keys":             {acm.ListCertificatesInput{Includes: &types.Filters{KeyTypes: []types.KeyAlgorithm{types.KeyAlgorithmEcPrime256v1}}}, []string{"ec"}},
			"by status":              {acm.ListCertificatesInput{CertificateStatuses: []types.CertificateStatus{types.CertificateStatusIssued}}, []string{"issued"}},
			"by the use of the key":  {acm.ListCertificatesInput{Includes: &types.Filters{KeyUsage: []types.KeyUsageName{types.KeyUsageNameKeyEncipherment}}}, []string{"issued"}},
			"none that is exported":  {acm.ListCertificatesInput{Includes: &types.Filters{ExportOption: types.CertificateExportEnabled}}, nil},
			"none that CloudFront's": {acm.ListCertificatesInput{Includes: &types.Filters{ManagedBy: types.CertificateManagedByCloudfront}}, nil},
		} {
			if got := list(&c.in); !cmp.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		elsewhere := acm.NewFromConfig(globally(rootConfig(t, s), singapore))
		if got := must(elsewhere.ListCertificates(ctx, &acm.ListCertificatesInput{}))(t).CertificateSummaryList; len(got) != 0 {
			t.Errorf("another region has %+v", got)
		}
	})
}

func TestACMRefusesWhatAWSRefuses(t *testing.T) {
	client, ctx := acm.NewFromConfig(rootConfig(t, New(Options{}))), t.Context()
	request := func(change func(*acm.RequestCertificateInput)) error {
		in := &acm.RequestCertificateInput{DomainName: aws.String("shop.example.com")}
		change(in)
		_, err := client.RequestCertificate(ctx, in)
		return err
	}
	list := func(in *acm.ListCertificatesInput) error {
		_, err := client.ListCertificates(ctx, in)
		return err
	}
	describe := func(arn string) error {
		_, err := client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
		return err
	}
	var eleven []string
	for i := range 10 {
		eleven = append(eleven, fmt.Sprintf("%d.example.com", i))
	}
	for _, c := range []struct {
		err        error
		code, text string
	}{
		{request(func(in *acm.RequestCertificateInput) { in.DomainName = aws.String("under_score.example.com") }), "ValidationException", "'domainName'"},
		{request(func(in *acm.RequestCertificateInput) { in.SubjectAlternativeNames = []string{"a.*.example.com"} }), "ValidationException", "'subjectAlternativeNames'"},
		{request(func(in *acm.RequestCertificateInput) {
			in.DomainName = aws.String(strings.Repeat("a", 60) + ".example.com")
		}), "InvalidParameterException", "64 octets"},
		{request(func(in *acm.RequestCertificateInput) { in.SubjectAlternativeNames = eleven }), "LimitExceededException", "cannot exceed 10"},
		{request(func(in *acm.RequestCertificateInput) { in.ValidationMethod = "PHONE" }), "ValidationException", "'PHONE' at 'validationMethod'"},
		{request(func(in *acm.RequestCertificateInput) { in.ValidationMethod = types.ValidationMethodHttp }), "InvalidParameterException", "awssim does not implement"},
		{request(func(in *acm.RequestCertificateInput) { in.KeyAlgorithm = types.KeyAlgorithmRsa4096 }), "InvalidParameterException", "RSA_4096"},
		{request(func(in *acm.RequestCertificateInput) { in.IdempotencyToken = aws.String("a b") }), "ValidationException", "'idempotencyToken'"},
		{request(func(in *acm.RequestCertificateInput) {
			in.CertificateAuthorityArn = aws.String("arn:aws:acm-pca:ap-south-1:111122223333:certificate-authority/1")
		}), "InvalidParameterException", "awssim does not implement"},
		{request(func(in *acm.RequestCertificateInput) {
			in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}
		}), "InvalidTagException", "aws:x"},
		{request(func(in *acm.RequestCertificateInput) {
			in.DomainValidationOptions = []types.DomainValidationOption{{DomainName: aws.String("shop.example.com"), ValidationDomain: aws.String("example.org")}}
		}), "InvalidDomainValidationOptionsException", "example.org"},
		{list(&acm.ListCertificatesInput{SortBy: types.SortByCreatedAt}), "ValidationException", "together"},
		{list(&acm.ListCertificatesInput{MaxItems: aws.Int32(1001)}), "ValidationException", "'1001' at 'maxItems'"},
		{list(&acm.ListCertificatesInput{CertificateStatuses: []types.CertificateStatus{"FINE"}}), "ValidationException", "'FINE'"},
		{list(&acm.ListCertificatesInput{NextToken: aws.String("next")}), "InvalidArgsException", "next token"},
		{describe("short"), "ValidationException", "greater than or equal to 20"},
		{describe("arn:aws:iam::111122223333:server-certificate/x"), "ValidationException", "regular expression"},
		{describe("arn:aws:acm:ap-south-1:111122223333:certificate/x"), "ResourceNotFoundException", "Could not find certificate arn:aws:acm:ap-south-1:111122223333:certificate/x."},
	} {
		wantCode(t, c.err, c.code, c.text)
	}
}

func TestAUserMayDoInACMWhatItsPolicyAllows(t *testing.T) {
	s := New(Options{})
	arn := issuedCertificate(t, s, "shop.example.com")
	client := acm.NewFromConfig(userConfig(t, s, User{Account: ownAccount, Name: "reader", Policies: policies(
		`{"Effect":"Allow","Action":"acm:DescribeCertificate","Resource":"`+*arn+`"}`,
		`{"Effect":"Allow","Action":"acm:RequestCertificate","Resource":"*","Condition":{"ForAllValues:StringLike":{"acm:DomainNames":["*.example.com"]},"StringEquals":{"acm:ValidationMethod":"DNS"}}}`,
	)}))
	describeACM(t, client, *arn)
	requestDNS(t, client, "other.example.com")
	_, err := client.RequestCertificate(t.Context(), &acm.RequestCertificateInput{DomainName: aws.String("shop.example.org"), ValidationMethod: types.ValidationMethodDns})
	wantCode(t, err, "AccessDeniedException", "not authorized to perform: acm:RequestCertificate on resource: *")
	_, err = client.RequestCertificate(t.Context(), &acm.RequestCertificateInput{
		DomainName: aws.String("shop.example.com"), ValidationMethod: types.ValidationMethodDns, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("core")}},
	})
	wantCode(t, err, "AccessDeniedException", "acm:AddTagsToCertificate")
	_, err = client.ListCertificates(t.Context(), &acm.ListCertificatesInput{})
	wantCode(t, err, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: acm:ListCertificates on resource: *")
	_, err = client.DeleteCertificate(t.Context(), &acm.DeleteCertificateInput{CertificateArn: arn})
	wantCode(t, err, "AccessDeniedException", "acm:DeleteCertificate on resource: "+*arn)
}

func TestTheAdminAPIChangesCertificates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := acm.NewFromConfig(rootConfig(t, s))
		arn := requestDNS(t, client, "shop.example.com")
		set := func(members string) (got CertificateState) {
			t.Helper()
			if status, text := adminCall(t, s, "PUT", "/certificates", `{"certificate": "`+arn+`", `+members+`}`, &got); status != http.StatusOK {
				t.Fatal(status, text)
			}
			return got
		}
		for _, c := range []struct {
			members string
			want    types.CertificateStatus
		}{
			{`"status": "ISSUED"`, types.CertificateStatusIssued},
			{`"status": "EXPIRED"`, types.CertificateStatusExpired},
			{`"status": "REVOKED", "revocationReason": "KEY_COMPROMISE"`, types.CertificateStatusRevoked},
			{`"status": "FAILED", "failureReason": "CAA_ERROR"`, types.CertificateStatusFailed},
			{`"status": "PENDING_VALIDATION"`, types.CertificateStatusPendingValidation},
			{`"status": "ISSUED", "notAfter": "2000-01-11T00:00:00Z", "renewalStatus": "PENDING_VALIDATION"`, types.CertificateStatusIssued},
		} {
			told := set(c.members)
			if got := describeACM(t, client, arn); got.Status != c.want || told.Status != string(c.want) {
				t.Errorf("%s: %+v, and it is %s", c.members, told, got.Status)
			}
		}
		got := describeACM(t, client, arn)
		if got.NotAfter.Day() != 11 || got.RenewalSummary.RenewalStatus != types.RenewalStatusPendingValidation {
			t.Errorf("%+v", got)
		}
		time.Sleep(11 * 24 * time.Hour)
		if got := describeACM(t, client, arn).Status; got != types.CertificateStatusExpired {
			t.Errorf("after its end it is %s", got)
		}
		for document, want := range map[string]string{
			`{"certificate": "arn:x"}`:                                                                "there is no certificate",
			`{"certificate": "` + arn + `", "status": "FINE"}`:                                        "is none of",
			`{"certificate": "` + arn + `", "renewalStatus": "FINE"}`:                                 "is none of",
			`{"certificate": "` + arn + `", "inUseBy": []}`:                                           "cannot be set",
			`{"certificate": "` + arn + `", "status": "EXPIRED", "notAfter": "2100-01-01T00:00:00Z"}`: "is not over",
		} {
			if status, text := adminCall(t, s, "PUT", "/certificates", document, nil); status != http.StatusBadRequest || !strings.Contains(text, want) {
				t.Errorf("%s: %d %s", document, status, text)
			}
		}
		var all []CertificateState
		if adminCall(t, s, "GET", "/certificates", "", &all); len(all) != 1 || all[0].DomainName != "shop.example.com" {
			t.Errorf("%+v", all)
		}
	})
}
