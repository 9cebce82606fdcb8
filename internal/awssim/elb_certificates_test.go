package awssim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

func TestAListenerHasCertificatesForSeveralNames(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	ctx := t.Context()
	first, second, third := issuedCertificate(t, s, "a.example.com"), issuedCertificate(t, s, "b.example.com"), issuedCertificate(t, s, "c.example.com")
	pending := requestDNS(t, acm.NewFromConfig(rootConfig(t, s)), "d.example.com")
	one := func(arn *string) []types.Certificate { return []types.Certificate{{CertificateArn: arn}} }
	listener := must(f.client.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &f.balancer, Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps, DefaultActions: forwardTo(f.group),
		Certificates: one(first), SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"),
	}))(t).Listeners[0]
	if *listener.Certificates[0].CertificateArn != *first || *listener.SslPolicy != "ELBSecurityPolicy-TLS13-1-2-2021-06" {
		t.Errorf("%+v", listener)
	}
	add := func(listener string, arns ...*string) error {
		in := &elb.AddListenerCertificatesInput{ListenerArn: &listener, Certificates: []types.Certificate{}}
		for _, arn := range arns {
			in.Certificates = append(in.Certificates, types.Certificate{CertificateArn: arn})
		}
		_, err := f.client.AddListenerCertificates(ctx, in)
		return err
	}
	list := func() (arns []string) {
		pages := elb.NewDescribeListenerCertificatesPaginator(f.client, &elb.DescribeListenerCertificatesInput{ListenerArn: listener.ListenerArn, PageSize: aws.Int32(1)})
		for pages.HasMorePages() {
			for _, c := range must(pages.NextPage(ctx))(t).Certificates {
				if *c.IsDefault != (*c.CertificateArn == *first) {
					t.Errorf("%+v", c)
				}
				arns = append(arns, *c.CertificateArn)
			}
		}
		return arns
	}
	for _, arn := range []*string{second, third, second} {
		if err := add(*listener.ListenerArn, arn); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); !cmp.Equal(got, []string{*first, *second, *third}) {
		t.Errorf("%v", got)
	}
	if got := describeACM(t, acm.NewFromConfig(rootConfig(t, s)), *third).InUseBy; !cmp.Equal(got, []string{f.balancer}) {
		t.Errorf("the third is used by %v", got)
	}
	remove := func(arn *string) error {
		_, err := f.client.RemoveListenerCertificates(ctx, &elb.RemoveListenerCertificatesInput{ListenerArn: listener.ListenerArn, Certificates: one(arn)})
		return err
	}
	if err := remove(second); err != nil {
		t.Fatal(err)
	}
	absent := aws.String("arn:aws:acm:ap-south-1:111122223333:certificate/x")
	for _, c := range []struct {
		err        error
		code, text string
	}{
		{remove(first), "OperationNotPermitted", "Default certificate"},
		{add(*listener.ListenerArn, &pending), "UnsupportedCertificate", pending},
		{add(*listener.ListenerArn, absent), "CertificateNotFound", "Certificate '" + *absent + "' not found"},
		{add(*listener.ListenerArn), "ValidationError", "must be specified"},
		{add(*listener.ListenerArn, first, third), "ValidationError", "Only one certificate"},
		{add(f.listener, third), "ValidationError", "HTTPS and TLS listeners"},
	} {
		wantCode(t, c.err, c.code, c.text)
	}
	must(s.SetCertificate(CertificateState{Certificate: *second, Status: certificateExpired}))(t)
	wantCode(t, add(*listener.ListenerArn, second), "UnsupportedCertificate", *second)
	if got := list(); !cmp.Equal(got, []string{*first, *third}) {
		t.Errorf("%v", got)
	}
	_, err := f.client.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: listener.ListenerArn, Certificates: one(absent)})
	wantCode(t, err, "CertificateNotFound", *absent)
	_, err = f.client.ModifyListener(ctx, &elb.ModifyListenerInput{ListenerArn: listener.ListenerArn, SslPolicy: aws.String("mine")})
	wantCode(t, err, "SSLPolicyNotFound", "mine")
}

func TestALoadBalancerNamesTheHostedZoneOfItsRegion(t *testing.T) {
	s := New(Options{})
	for region, want := range map[string]string{mumbai: "ZP97RAFLXTNZK", singapore: "Z1LMS91P8CMLE5"} {
		client := elb.NewFromConfig(globally(rootConfig(t, s), region))
		made := must(client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"}}))(t).LoadBalancers[0]
		if *made.CanonicalHostedZoneId != want {
			t.Errorf("in %s it is %s", region, *made.CanonicalHostedZoneId)
		}
	}
}
