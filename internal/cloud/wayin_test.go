package cloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/wayin"
)

// front is the DNS name of a load balancer, which is no name of the zones.
const front = "helium-1.ap-south-1.elb.amazonaws.com"

// zone makes a public hosted zone with records, each spelled "name TYPE value", an alias "name TYPE =name".
func (w *world) zone(name string, records ...string) (id string) {
	w.t.Helper()
	client := route53.NewFromConfig(w.root())
	out, err := client.CreateHostedZone(w.t.Context(), &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String(fmt.Sprint(name, len(records)))})
	if err != nil {
		w.t.Fatal(err)
	}
	id = lastElement(aws.ToString(out.HostedZone.Id))
	change := func(set *types.ResourceRecordSet) {
		_, err := client.ChangeResourceRecordSets(w.t.Context(), &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: &id, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionUpsert, ResourceRecordSet: set}}},
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for _, r := range records {
		parts := strings.SplitN(r, " ", 3)
		set := &types.ResourceRecordSet{Name: aws.String(parts[0] + "." + name), Type: types.RRType(parts[1])}
		if to, alias := strings.CutPrefix(parts[2], "="); alias {
			zone := "ZP97RAFLXTNZK" // of load balancers in ap-south-1
			if !strings.HasSuffix(to, ".amazonaws.com") {
				zone = id
			}
			set.AliasTarget = &types.AliasTarget{DNSName: &to, HostedZoneId: &zone}
		} else {
			set.TTL, set.ResourceRecords = aws.Int64(60), []types.ResourceRecord{{Value: &parts[2]}}
		}
		change(set)
	}
	return id
}

// Where a name leads is the same whether its zone is found or named.
func TestRecordsAreFollowedAsResolversDo(t *testing.T) {
	const direct = "api.heliumai.space CNAME " + front
	for name, c := range map[string]struct {
		records []string
		want    []string
	}{
		"a record":                          {[]string{"api CNAME " + front}, []string{direct}},
		"none":                              {[]string{"www CNAME " + front}, nil},
		"a text is none":                    {[]string{`api TXT "x"`, "* CNAME " + front}, nil},
		"another one":                       {[]string{"api CNAME lb.heliumai.space", "lb CNAME " + front}, []string{"lb.heliumai.space CNAME " + front}},
		"one that is not there":             {[]string{"api CNAME lb.heliumai.space"}, []string{"api.heliumai.space CNAME lb.heliumai.space"}},
		"one after the other without end":   {[]string{"api CNAME b.heliumai.space", "b CNAME api.heliumai.space"}, []string{"api.heliumai.space CNAME b.heliumai.space"}},
		"a wildcard":                        {[]string{"* CNAME " + front}, []string{"*.heliumai.space CNAME " + front}},
		"another one of a wildcard":         {[]string{"api CNAME any.heliumai.space", "* CNAME " + front}, []string{"*.heliumai.space CNAME " + front}},
		"a wildcard below which there is":   {[]string{"_3c1f.api CNAME _x.acm-validations.aws", "* CNAME " + front}, nil},
		"a wildcard beside a longer name":   {[]string{"api-2 CNAME " + front, "* CNAME " + front}, []string{"*.heliumai.space CNAME " + front}},
		"an alias":                          {[]string{"lb A 192.0.2.1", "lb AAAA 2001:db8::1", "api A =lb.heliumai.space"}, []string{"lb.heliumai.space A 192.0.2.1"}},
		"aliases of both types":             {[]string{"lb A 192.0.2.1", "lb AAAA 2001:db8::1", "api A =lb.heliumai.space", "api AAAA =lb.heliumai.space"}, []string{"lb.heliumai.space A 192.0.2.1", "lb.heliumai.space AAAA 2001:db8::1"}},
		"a name that only ends in the same": {[]string{"api CNAME lb.nheliumai.space", "lb.n CNAME " + front}, []string{"api.heliumai.space CNAME lb.nheliumai.space"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id := w.zone("heliumai.space", c.records...)
				for _, named := range []string{"", id} {
					spec := &ecsv1alpha1.EcsEndpointSpec{Hostname: "api.heliumai.space", HostedZoneID: named, Regions: []ecsv1alpha1.EndpointRegion{{Region: region}}}
					seen := w.fleet.WayIn(t.Context(), Way{Spec: spec, Global: w.id})
					var got []string
					for _, r := range seen.Records.Answer {
						got = append(got, strings.TrimSuffix(r.Name+" "+r.Type+" "+strings.Join(append(r.Values, r.Alias), ""), "."))
					}
					if seen.Records.Problem != nil || seen.Zone.Answer == nil || *seen.Zone.Answer != (wayin.Zone{ID: id, Name: "heliumai.space"}) || !slices.Equal(got, c.want) {
						t.Errorf("with hostedZoneID %q: %+v, %+v, got %q, wanted %q", named, seen.Zone, seen.Records, got, c.want)
					}
				}
			})
		})
	}
}

func TestAZoneOfSomethingElseIsToldApartFromNone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.zone("heliumai.space", "api CNAME "+front)
		other := w.zone("example.com")
		for id, want := range map[string]*wayin.Zone{other: {ID: other, Name: "example.com"}, "Z0NONE": nil} {
			spec := &ecsv1alpha1.EcsEndpointSpec{Hostname: "api.heliumai.space", HostedZoneID: id, Regions: []ecsv1alpha1.EndpointRegion{{Region: region}}}
			seen := w.fleet.WayIn(t.Context(), Way{Spec: spec, Global: w.id})
			if got := seen.Zone.Answer; seen.Zone.Problem != nil || !seen.Records.Unasked || (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s: %+v, %+v, wanted %+v", id, seen.Zone, seen.Records, want)
			}
		}
	})
}

// Of a blue/green deployment the tasks of each side are told apart by their target groups, also where both
// run the same revision.
func TestTheSidesOfABlueGreenDeploymentAreSeenApart(t *testing.T) {
	for name, again := range map[string]bool{"another revision": false, "the same once more": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				base := w.service(seed.Service{
					Name: "backend", Desired: 2, Balanced: w.balancer(seed.Balancer{Name: "helium", Pair: true}),
					Rollout: seed.Rollout{Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeMinutes: 2},
				})
				w.settle()
				w.settle()
				k := w.key("backend")
				look := func() wayin.Service {
					s := w.fleet.lookAtService(patiently(t.Context()), k)
					noProblem(t, s.Groups.Problem)
					noProblem(t, s.Tasks.Problem)
					return s
				}
				blue := look()
				if blue.Beside != nil || blue.Tasks.Answer.Healthy != 2 || len(blue.Groups.Answer) != 1 {
					t.Fatalf("before: %+v", blue)
				}
				in := &ecs.UpdateServiceInput{Cluster: aws.String(cluster), Service: aws.String("backend"), ForceNewDeployment: again}
				if !again {
					in.TaskDefinition = aws.String(w.next(base, "docker.io/library/nginx:2"))
				}
				if _, err := w.ecs().UpdateService(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				var none, both bool
				for began := time.Now(); time.Since(began) < time.Hour; {
					time.Sleep(5 * time.Second)
					s := look()
					next := s.Tasks.Answer
					if len(s.Beside) == 0 {
						if both {
							break
						}
						continue // it does not show yet
					}
					before := s.Beside[0]
					if len(s.Beside) > 1 || len(s.Groups.Answer) != 2 || !slices.Equal(before.Groups, blue.Groups.Answer) || slices.Contains(next.Groups, before.Groups[0]) {
						t.Fatalf("after %s: %+v", time.Since(began), s)
					}
					none = none || next.Healthy == 0 && before.Healthy == 2
					both = both || next.Healthy == 2 && next.Running == 2 && before.Healthy == 2
				}
				if green := look(); !none || !both || green.Tasks.Answer.Healthy != 2 || slices.Equal(green.Groups.Answer, blue.Groups.Answer) {
					t.Errorf("seen alone: %t, seen both: %t, after: %+v", none, both, green)
				}
			})
		})
	}
}

// What answers while new tasks come up is not taken for another side, where both are in one target group.
func TestARollingDeploymentHasOneSide(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1, Balanced: w.balancer(seed.Balancer{Name: "helium"})})
		w.settle()
		revision := w.next(base, "docker.io/library/nginx:2")
		if _, err := w.ecs().UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(cluster), Service: aws.String("backend"), TaskDefinition: &revision}); err != nil {
			t.Fatal(err)
		}
		answered := false
		for range 60 {
			time.Sleep(5 * time.Second)
			s := w.fleet.lookAtService(patiently(t.Context()), w.key("backend"))
			noProblem(t, s.Tasks.Problem)
			answered = answered || s.Tasks.Answer.Before == base
			if len(s.Beside) > 0 || s.Tasks.Answer.Healthy == 0 && s.Tasks.Answer.Before != base {
				t.Fatalf("%+v", s)
			}
		}
		if !answered {
			t.Error("the tasks before were never what answers")
		}
	})
}
