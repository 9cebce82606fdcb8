package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/wayin"
)

// lookAtRecords finds the hosted zone of the host name and the records that say where it leads.
func (f *Fleet) lookAtRecords(ctx context.Context, w Way, seen *wayin.Seen) {
	s := f.session(w.Global, globalRegion(w.Spec.Regions[0].Region))
	if w.Spec.HostedZoneID != "" {
		seen.Zone.Answer, seen.Zone.Problem = f.zoneWith(ctx, s, w.Spec.HostedZoneID)
	} else {
		seen.Zone.Answer, seen.Zone.Problem = f.zoneOf(ctx, s, w.Spec.Hostname)
	}
	zone := seen.Zone.Answer
	if zone == nil || !zone.Has(w.Spec.Hostname) {
		seen.Records.Unasked = true
		return
	}
	records, problem := f.recordsFor(ctx, s, zone, w.Spec.Hostname)
	if problem == nil {
		records, problem = f.followRecords(ctx, s, zone, records, indirections)
	}
	if absent(problem) {
		seen.Zone.Answer, seen.Records.Unasked = nil, true
		return
	}
	seen.Records.Answer, seen.Records.Problem = records, problem
}

// recordsFor are the records that say where a name of the zone leads: its own, or those of the wildcard
// that stands for it.
func (f *Fleet) recordsFor(ctx context.Context, s *session, zone *wayin.Zone, name string) ([]wayin.Record, *rollout.Problem) {
	records, exists, problem := f.recordsOf(ctx, s, zone.ID, name)
	for problem == nil && !exists && name != zone.Name {
		// A wildcard stands for every name below its own that does not exist, and for none below another
		// name that does (RFC 4592).
		_, name, _ = strings.Cut(name, ".")
		if records, exists, problem = f.recordsOf(ctx, s, zone.ID, "*."+name); exists || problem != nil {
			break
		}
		_, exists, problem = f.recordsOf(ctx, s, zone.ID, name)
	}
	return records, problem
}

// indirections is how many records that lead to other records of the zone are followed one after the other.
const indirections = 8

// followRecords puts in the place of records that lead to other names of the zone what those lead to.
func (f *Fleet) followRecords(ctx context.Context, s *session, zone *wayin.Zone, records []wayin.Record, steps int) ([]wayin.Record, *rollout.Problem) {
	if steps == 0 {
		return records, nil
	}
	var followed []wayin.Record
	for _, r := range records {
		next := r.Alias
		if r.Type == "CNAME" && len(r.Values) == 1 {
			next = dnsName(&r.Values[0])
		}
		if !zone.Has(next) {
			followed = append(followed, r)
			continue
		}
		found, problem := f.recordsFor(ctx, s, zone, next)
		if problem == nil {
			found, problem = f.followRecords(ctx, s, zone, found, steps-1)
		}
		if problem != nil {
			return nil, problem
		}
		if r.Type != "CNAME" { // an alias has the addresses of its own type
			found = slices.DeleteFunc(found, func(last wayin.Record) bool { return last.Type != r.Type })
		}
		if len(found) == 0 && r.Type != "AAAA" {
			followed = append(followed, r) // it leads nowhere
		}
		for _, last := range found {
			last.Secondary = last.Secondary || r.Secondary
			if r.Weight != nil && *r.Weight == 0 {
				last.Weight = r.Weight
			}
			followed = append(followed, last)
		}
	}
	return followed, nil
}

// zoneWith is the hosted zone of an ID; nil: there is none. The first record of a zone is one of its own
// name.
func (f *Fleet) zoneWith(ctx context.Context, s *session, id string) (*wayin.Zone, *rollout.Problem) {
	out, problem := read(ctx, f, s, listResourceRecordSets, "looking for the name of hosted zone "+id, func(ctx context.Context) (*route53.ListResourceRecordSetsOutput, error) {
		return s.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(id), MaxItems: aws.Int32(1)})
	})
	switch {
	case absent(problem):
		return nil, nil
	case problem != nil:
		return nil, problem
	case len(out.ResourceRecordSets) == 0:
		return nil, because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "hosted zone %s has no records, not even its own", id)
	}
	return &wayin.Zone{ID: id, Name: dnsName(out.ResourceRecordSets[0].Name)}, nil
}

// zoneOf is the public hosted zone with the longest name that the host name ends with; nil: there is none.
func (f *Fleet) zoneOf(ctx context.Context, s *session, host string) (*wayin.Zone, *rollout.Problem) {
	for name := host; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		doing := "looking for hosted zone " + name
		out, problem := read(ctx, f, s, listHostedZonesByName, doing, func(ctx context.Context) (*route53.ListHostedZonesByNameOutput, error) {
			return s.route53.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String(name), MaxItems: aws.Int32(20)})
		})
		if problem != nil {
			return nil, problem
		}
		var found []string
		for i := range out.HostedZones {
			z := &out.HostedZones[i]
			if dnsName(z.Name) == name && (z.Config == nil || !z.Config.PrivateZone) {
				found = append(found, lastElement(text(z.Id)))
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return &wayin.Zone{ID: found[0], Name: name}, nil
		default:
			return nil, because(rollout.ProblemRefused, ecsv1alpha1.ReasonObservationFailed,
				"there are %d public hosted zones %s: say in spec.hostedZoneID which it is (%s)", len(found), name, strings.Join(found, ", "))
		}
	}
	return nil, nil
}

// recordsOf are the records of a name that say where it leads, and whether the name exists: it has records,
// or another one below it has, which are listed right behind.
func (f *Fleet) recordsOf(ctx context.Context, s *session, zone, name string) (records []wayin.Record, exists bool, problem *rollout.Problem) {
	doing := fmt.Sprintf("listing the records of %s in hosted zone %s", name, zone)
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(zone), StartRecordName: aws.String(name), MaxItems: aws.Int32(100)}
	for range pages {
		out, problem := read(ctx, f, s, listResourceRecordSets, doing, func(ctx context.Context) (*route53.ListResourceRecordSetsOutput, error) {
			return s.route53.ListResourceRecordSets(ctx, in)
		})
		if problem != nil {
			return nil, false, problem
		}
		for i := range out.ResourceRecordSets {
			set := &out.ResourceRecordSets[i]
			if found := dnsName(set.Name); found != name {
				return records, exists || strings.HasSuffix(found, "."+name), nil
			}
			exists = true
			if set.Type == types.RRTypeA || set.Type == types.RRTypeAaaa || set.Type == types.RRTypeCname {
				records = append(records, projectRecord(set))
			}
		}
		if !out.IsTruncated || dnsName(out.NextRecordName) != name {
			break
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	return records, exists, nil
}

func projectRecord(set *types.ResourceRecordSet) wayin.Record {
	r := wayin.Record{
		Name: dnsName(set.Name), Type: strings.Clone(string(set.Type)), Identifier: text(set.SetIdentifier), Weight: set.Weight,
		Secondary: set.Failover == types.ResourceRecordSetFailoverSecondary,
	}
	if set.AliasTarget != nil {
		r.Alias = dnsName(set.AliasTarget.DNSName)
	}
	for _, value := range set.ResourceRecords {
		r.Values = append(r.Values, text(value.Value))
	}
	return r
}

// dnsName is a name as Route 53 lists it, in lower case, without the final dot, and with the asterisk
// of a wildcard, which Route 53 escapes.
func dnsName(name *string) string {
	return strings.Replace(strings.TrimSuffix(strings.ToLower(aws.ToString(name)), "."), `\052`, "*", 1)
}
