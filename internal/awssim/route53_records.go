package awssim

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// recordSet is the records of one name and type, and of one identifier where a routing policy
// chooses between several; in the terms of the model.
type recordSet struct {
	Name             string
	Type             string
	SetIdentifier    string             `json:",omitempty"`
	Weight           *int               `json:",omitempty"`
	Region           string             `json:",omitempty"`
	GeoLocation      *recordGeoLocation `json:",omitempty"`
	Failover         string             `json:",omitempty"`
	MultiValueAnswer *bool              `json:",omitempty"`
	TTL              *int               `json:",omitempty"`
	ResourceRecords  []resourceRecord   `json:",omitempty" item:"ResourceRecord"`
	AliasTarget      *aliasTarget       `json:",omitempty"`
	HealthCheckID    string             `json:"HealthCheckId,omitempty"`

	// What is refused.
	TrafficPolicyInstanceID string `json:"TrafficPolicyInstanceId,omitempty"`
	CidrRoutingConfig       *struct {
		CollectionID string `json:"CollectionId"`
		LocationName string
	} `json:",omitempty"`
	GeoProximityLocation *struct {
		AWSRegion      string
		LocalZoneGroup string
		Coordinates    *struct{ Latitude, Longitude string }
		Bias           *int
	} `json:",omitempty"`
}

type recordGeoLocation struct {
	ContinentCode   string `json:",omitempty"`
	CountryCode     string `json:",omitempty"`
	SubdivisionCode string `json:",omitempty"`
}

type resourceRecord struct{ Value string }

type aliasTarget struct {
	HostedZoneID         string `json:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth *bool
}

// recordKey is what a record set is found by.
type recordKey struct{ name, kind, identifier string }

func (r *recordSet) key() recordKey { return recordKey{r.Name, r.Type, r.SetIdentifier} }

// own tells whether it is one of the two that a zone cannot be without.
func (k recordKey) own(z *hostedZone) bool {
	return k.name == z.name && (k.kind == "NS" || k.kind == "SOA")
}

// String names the set as refusals do.
func (k recordKey) String() string {
	text := "[name='" + k.name + "', type='" + k.kind + "'"
	if k.identifier != "" {
		text += ", set-identifier='" + k.identifier + "'"
	}
	return text + "]"
}

// policy is how it is chosen among those of its name and type; "" is a simple one.
func (r *recordSet) policy() string {
	switch {
	case r.Weight != nil:
		return "weight"
	case r.Region != "":
		return "region " + r.Region
	case r.Failover != "":
		return "failover " + r.Failover
	case r.GeoLocation != nil:
		return "geolocation " + r.GeoLocation.ContinentCode + "/" + r.GeoLocation.CountryCode + "/" + r.GeoLocation.SubdivisionCode
	case r.MultiValueAnswer != nil && *r.MultiValueAnswer:
		return "multivalue"
	default:
		return ""
	}
}

// same tells whether two sets hold the same, in whatever order.
func (r *recordSet) same(other *recordSet) bool {
	a, b := *r, *other
	for _, set := range []*recordSet{&a, &b} {
		set.ResourceRecords = slices.SortedFunc(slices.Values(set.ResourceRecords), func(x, y resourceRecord) int {
			return strings.Compare(x.Value, y.Value)
		})
	}
	return reflect.DeepEqual(a, b)
}

type listRecordsInput struct {
	HostedZoneID          string `json:"HostedZoneId"`
	StartRecordName       string
	StartRecordType       string
	StartRecordIdentifier string
	MaxItems              string
}

type listRecordsOutput struct {
	ResourceRecordSets   []recordSet `item:"ResourceRecordSet"`
	IsTruncated          bool
	NextRecordName       string `json:",omitempty"`
	NextRecordType       string `json:",omitempty"`
	NextRecordIdentifier string `json:",omitempty"`
	MaxItems             string
}

// listResourceRecordSets lists from a name, a type and an identifier on.
func listResourceRecordSets(c *call, in *listRecordsInput) (any, error) {
	z, err := c.hostedZone(in.HostedZoneID, nil)
	if err != nil {
		return nil, err
	}
	size, err := maxItems(in.MaxItems, recordPage)
	switch {
	case err != nil:
		return nil, err
	case in.StartRecordType != "" && in.StartRecordName == "":
		return nil, route53Invalid("The input is not valid: a record type was specified without a record name.")
	case in.StartRecordIdentifier != "" && in.StartRecordType == "":
		return nil, route53Invalid("The input is not valid: a record identifier was specified without a record name and a record type.")
	case in.StartRecordType != "" && !slices.Contains(recordTypes, in.StartRecordType):
		return nil, route53Invalid("1 validation error detected: Value '%s' at 'startRecordType' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			in.StartRecordType, strings.Join(recordTypes, ", "))
	}
	records := z.records
	if in.StartRecordName != "" {
		from := recordKey{kind: in.StartRecordType, identifier: in.StartRecordIdentifier}
		if from.name, err = domainName(in.StartRecordName); err != nil {
			return nil, route53Invalid("%s", err)
		}
		first, _ := slices.BinarySearchFunc(records, from, func(r recordSet, k recordKey) int { return compareRecords(r.key(), k) })
		records = records[first:]
	}
	out := listRecordsOutput{MaxItems: strconv.Itoa(size)}
	if out.IsTruncated = len(records) > size; out.IsTruncated {
		next := records[size].key()
		out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = next.name, next.kind, next.identifier
		records = records[:size]
	}
	out.ResourceRecordSets = append([]recordSet{}, records...)
	return out, nil
}

// find is where a record set is in a list, or belongs.
func find(records []recordSet, k recordKey) (at int, found bool) {
	return slices.BinarySearchFunc(records, k, func(r recordSet, k recordKey) int { return compareRecords(r.key(), k) })
}

// textOr is a text as refusals show one that may be absent.
func textOr(text string) string { return cmp.Or(text, "null") }
