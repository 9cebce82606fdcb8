package awssim

import (
	"strings"
	"testing"
)

func TestTheCommandLineWiresADomain(t *testing.T) {
	t.Parallel()
	s := New(Options{Speed: 2000})
	cli := newAWSCLI(t, s)
	route53 := func(out any, arguments ...string) {
		t.Helper()
		cli.ok(t, out, append([]string{"--region", "us-east-1", "route53"}, arguments...)...)
	}
	var zone struct {
		HostedZone struct{ ID, Name string }
		ChangeInfo struct{ ID string }
	}
	route53(&zone, "create-hosted-zone", "--name", "example.com", "--caller-reference", "1")
	id := strings.TrimPrefix(zone.HostedZone.ID, "/hostedzone/")

	var requested struct{ CertificateArn string }
	cli.ok(t, &requested, "acm", "request-certificate", "--domain-name", "shop.example.com", "--validation-method", "DNS", "--tags", "Key=team,Value=core")
	var described struct {
		Certificate struct {
			Status                  string
			InUseBy                 []string
			DomainValidationOptions []struct{ ResourceRecord validationRecord }
		}
	}
	cli.ok(t, &described, "acm", "describe-certificate", "--certificate-arn", requested.CertificateArn)
	record := described.Certificate.DomainValidationOptions[0].ResourceRecord
	var change struct{ ChangeInfo struct{ ID, Status string } }
	route53(&change, "change-resource-record-sets", "--hosted-zone-id", zone.HostedZone.ID, "--change-batch", `{"Comment": "validation", "Changes": [{"Action": "CREATE", "ResourceRecordSet":
		{"Name": "`+record.Name+`", "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": "`+record.Value+`"}]}}]}`)
	route53(nil, "wait", "resource-record-sets-changed", "--id", change.ChangeInfo.ID)
	cli.ok(t, nil, "acm", "wait", "certificate-validated", "--certificate-arn", requested.CertificateArn)

	f := newELBFixture(t, s)
	cli.ok(t, nil, "elbv2", "create-listener", "--load-balancer-arn", f.balancer, "--protocol", "HTTPS", "--port", "443",
		"--certificates", "CertificateArn="+requested.CertificateArn, "--default-actions", "Type=forward,TargetGroupArn="+f.group)
	f.register(t, f.group, "10.0.0.1")
	cli.ok(t, nil, "elbv2", "wait", "target-in-service", "--target-group-arn", f.group)
	cli.ok(t, &described, "acm", "describe-certificate", "--certificate-arn", requested.CertificateArn)
	if described.Certificate.Status != "ISSUED" || len(described.Certificate.InUseBy) != 1 {
		t.Errorf("%+v", described)
	}
	cli.fails(t, "(ResourceInUseException)", "acm", "delete-certificate", "--certificate-arn", requested.CertificateArn)

	accelerate := func(out any, arguments ...string) {
		t.Helper()
		cli.ok(t, out, append([]string{"--region", "us-west-2", "globalaccelerator"}, arguments...)...)
	}
	var made struct {
		Accelerator   struct{ AcceleratorArn, DNSName string }
		Listener      struct{ ListenerArn string }
		EndpointGroup struct{ EndpointGroupArn string }
	}
	accelerate(&made, "create-accelerator", "--name", "shop")
	accelerate(&made, "create-listener", "--accelerator-arn", made.Accelerator.AcceleratorArn, "--protocol", "TCP", "--port-ranges", "FromPort=443,ToPort=443")
	accelerate(&made, "create-endpoint-group", "--listener-arn", made.Listener.ListenerArn, "--endpoint-group-region", mumbai, "--endpoint-configurations", "EndpointId="+f.balancer)
	var group struct {
		EndpointGroup struct {
			TrafficDialPercentage float64
			EndpointDescriptions  []struct{ HealthState string }
		}
	}
	accelerate(&group, "describe-endpoint-group", "--endpoint-group-arn", made.EndpointGroup.EndpointGroupArn)
	if group.EndpointGroup.EndpointDescriptions[0].HealthState != "HEALTHY" || group.EndpointGroup.TrafficDialPercentage != 100 {
		t.Errorf("%+v", group)
	}
	alias := `{"Changes": [{"Action": "CREATE", "ResourceRecordSet": {"Name": "shop.example.com", "Type": "A",
		"AliasTarget": {"HostedZoneId": "Z2BJ6XQ5FK7U4H", "DNSName": "` + made.Accelerator.DNSName + `", "EvaluateTargetHealth": true}}}]}`
	route53(nil, "change-resource-record-sets", "--hosted-zone-id", id, "--change-batch", alias)
	cli.fails(t, "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [Tried to create resource record set [name='shop.example.com.', type='A'] but it already exists]",
		"--region", "us-east-1", "route53", "change-resource-record-sets", "--hosted-zone-id", id, "--change-batch", alias)
	var sets struct{ ResourceRecordSets []struct{ Name, Type string } }
	route53(&sets, "list-resource-record-sets", "--hosted-zone-id", id, "--page-size", "1")
	if len(sets.ResourceRecordSets) != 4 || sets.ResourceRecordSets[2].Name != "shop.example.com." {
		t.Errorf("%+v", sets)
	}
	cli.fails(t, "(NoSuchHostedZone)", "--region", "us-east-1", "route53", "get-hosted-zone", "--id", "Z1")
	cli.fails(t, "(SignatureDoesNotMatch)", "route53", "list-hosted-zones")
	cli.fails(t, "(AcceleratorNotDisabledException)", "--region", "us-west-2", "globalaccelerator", "delete-accelerator", "--accelerator-arn", made.Accelerator.AcceleratorArn)
}
