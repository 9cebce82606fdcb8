package wayin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// acceleratedRecord looks at the record where the name leads to an accelerator.
func (j *judge) acceleratedRecord() {
	const hop = ecsv1alpha1.HopRecord
	records, ok := j.records()
	if !ok {
		return
	}
	accelerator := j.seen.Accelerator.Answer
	if accelerator == nil {
		j.unreached(hop, ecsv1alpha1.HopAccelerator)
		return
	}
	wanted := "an alias to " + firstOf(accelerator.Names)
	if len(records) == 0 {
		j.noRecord(wanted)
		return
	}
	for _, r := range records {
		if !r.leadsTo(accelerator.Names, accelerator.Addresses) {
			j.note(hop, ecsv1alpha1.HopBroken, r.String(), wanted,
				fmt.Sprintf("let the record of %s lead to the accelerator, or name the accelerator that it leads to in spec.acceleratorARN", j.spec.Hostname))
			return
		}
	}
	j.recorded(records, wanted)
}

// balancedRecord looks at the record where the name leads to the load balancers themselves.
func (j *judge) balancedRecord(_ *ecsv1alpha1.EndpointRegion, seen *Region) {
	const hop = ecsv1alpha1.HopRecord
	records, ok := j.records()
	if !ok {
		return
	}
	if seen.Balancer.Answer == nil {
		j.unreached(hop, ecsv1alpha1.HopLoadBalancer)
		return
	}
	wanted := "an alias to " + seen.Balancer.Answer.DNSName
	if len(records) == 0 {
		j.noRecord(wanted)
		return
	}
	if stray, ok := j.stray(records); ok {
		j.note(hop, ecsv1alpha1.HopBroken, stray.String(), wanted,
			fmt.Sprintf("take that record of %s away, or let it lead to a load balancer that spec.regions names", j.spec.Hostname))
		return
	}
	leads := func(r Record) bool { return r.leadsTo([]string{seen.Balancer.Answer.DNSName}, nil) }
	found := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return !leads(r) })
	if len(found) > 0 {
		j.recorded(found, wanted)
		return
	}
	if idle := slices.IndexFunc(j.seen.Records.Answer, leads); idle >= 0 {
		if r := j.seen.Records.Answer[idle]; r.Secondary {
			j.leads(hop, "%s stands by", r)
			return
		}
		j.note(hop, ecsv1alpha1.HopBroken, j.seen.Records.Answer[idle].String()+" has the weight 0", "a weight above 0", "give the record a weight, or take the region out of spec.regions")
		return
	}
	j.note(hop, ecsv1alpha1.HopBroken, records[0].String(), wanted,
		fmt.Sprintf("add a record of %s, weighted or by latency like the others, that leads to the load balancer of %s", j.spec.Hostname, j.region))
}

// recorded notes which of the records that lead where they should is told, if one is for those who have
// no IPv6.
func (j *judge) recorded(records []Record, wanted string) {
	i := slices.IndexFunc(records, func(r Record) bool { return r.Type != "AAAA" })
	if i < 0 {
		j.note(ecsv1alpha1.HopRecord, ecsv1alpha1.HopBroken, records[0].String(), wanted+", of type A",
			fmt.Sprintf("create an A record of %s like the AAAA record: who has no IPv6 finds nothing", j.spec.Hostname))
		return
	}
	j.leads(ecsv1alpha1.HopRecord, "%s", records[i])
}

// stray is a record that leads to no load balancer of the endpoint; false where there is none, or not
// all of the load balancers are known.
func (j *judge) stray(records []Record) (Record, bool) {
	var names []string
	for _, wanted := range j.spec.Regions {
		region := j.seen.Regions[wanted.Region]
		if region == nil || region.Balancer.Answer == nil {
			return Record{}, false
		}
		names = append(names, region.Balancer.Answer.DNSName)
	}
	i := slices.IndexFunc(records, func(r Record) bool { return !r.leadsTo(names, nil) })
	if i < 0 {
		return Record{}, false
	}
	return records[i], true
}

// records are those that the name's traffic follows. It notes that there can be none, or that they are
// not known, and then returns false.
func (j *judge) records() ([]Record, bool) {
	const hop = ecsv1alpha1.HopRecord
	switch {
	case j.unknown(hop, j.seen.Zone.Problem):
		return nil, false
	case j.seen.Zone.Answer == nil && j.spec.HostedZoneID != "":
		j.note(hop, ecsv1alpha1.HopMissing, "Route 53 has no hosted zone "+j.spec.HostedZoneID, "that hosted zone", "correct spec.hostedZoneID, or leave it out")
		return nil, false
	case j.seen.Zone.Answer == nil:
		j.note(hop, ecsv1alpha1.HopMissing, "Route 53 has no public hosted zone for "+j.spec.Hostname, "a hosted zone",
			"create a public hosted zone for the domain, and have its registrar name the zone's name servers")
		return nil, false
	case !j.seen.Zone.Answer.Has(j.spec.Hostname):
		j.note(hop, ecsv1alpha1.HopMissing, fmt.Sprintf("hosted zone %s is that of %s", j.seen.Zone.Answer.ID, j.seen.Zone.Answer.Name),
			"the hosted zone of "+j.spec.Hostname, "correct spec.hostedZoneID, or leave it out")
		return nil, false
	case j.unknown(hop, j.seen.Records.Problem):
		return nil, false
	}
	if found := followed(j.seen.Records.Answer); len(found) > 0 {
		return found, true
	}
	return j.seen.Records.Answer, true
}

// noRecord notes that the name has no record.
func (j *judge) noRecord(wanted string) {
	zone := j.seen.Zone.Answer
	j.note(ecsv1alpha1.HopRecord, ecsv1alpha1.HopMissing,
		fmt.Sprintf("hosted zone %s has no A, AAAA or CNAME record of %s", zone.ID, j.spec.Hostname), wanted,
		fmt.Sprintf("create the record of %s in hosted zone %s: %s", j.spec.Hostname, zone.ID, wanted))
}

// followed are the records that get traffic while all is well: not those that stand by for others, nor
// those of weight 0 beside others that weigh something.
func followed(records []Record) []Record {
	weigh := slices.ContainsFunc(records, func(r Record) bool { return r.Weight != nil && *r.Weight > 0 })
	return slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
		return r.Secondary || weigh && r.Weight != nil && *r.Weight == 0
	})
}

// leadsTo says whether a record leads to one of these names, or only to these addresses.
func (r Record) leadsTo(names, addresses []string) bool {
	to := func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return sameName(n, name) })
	}
	switch {
	case r.Alias != "":
		return to(r.Alias)
	case r.Type == "CNAME":
		return len(r.Values) == 1 && to(r.Values[0])
	}
	return len(r.Values) > 0 && !slices.ContainsFunc(r.Values, func(v string) bool {
		return !slices.ContainsFunc(addresses, func(a string) bool { return sameAddress(a, v) })
	})
}

// sameAddress compares addresses, of which one of IPv6 may be spelled in several ways.
func sameAddress(a, b string) bool {
	first, err := netip.ParseAddr(a)
	second, err2 := netip.ParseAddr(b)
	return err == nil && err2 == nil && first == second
}

// sameName compares DNS names as Route 53 writes them: case, a final dot and the prefix that makes an
// alias of a load balancer serve IPv6 too make no difference.
func sameName(a, b string) bool { return plainName(a) == plainName(b) }

func plainName(name string) string {
	return strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(name), "."), "dualstack.")
}

// String is the record for people.
func (r Record) String() string {
	to := strings.Join(r.Values, ", ")
	if r.Alias != "" {
		to = "alias of " + r.Alias
	}
	said := fmt.Sprintf("%s %s: %s", r.Name, r.Type, to)
	if r.Identifier != "" {
		said += " (" + r.Identifier + ")"
	}
	return said
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return "it"
	}
	return names[0]
}
