package awssim

import (
	"net/http"
	"slices"
	"strings"
)

type recordChange struct {
	Action            string
	ResourceRecordSet *recordSet
}

type changeBatch struct {
	Comment string
	Changes []recordChange
}

type changeRecordsInput struct {
	HostedZoneID string `json:"HostedZoneId"`
	ChangeBatch  *changeBatch
}

// batchSize is how many changes a request may hold.
const batchSize = 1000

// changeResourceRecordSets makes all the changes, in their order, or none.
func changeResourceRecordSets(c *call, in *changeRecordsInput) (any, error) {
	z, err := c.hostedZone(in.HostedZoneID, in.ChangeBatch.conditions())
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	edit := &zoneEdit{world: c.sim.world, zone: z, records: slices.Clone(z.records)}
	for _, change := range in.ChangeBatch.Changes {
		edit.apply(change)
	}
	if len(edit.problems) > 0 {
		return nil, invalidChangeBatch(edit.problems...)
	}
	z.records = edit.records
	return getChangeOutput{c.submit(in.ChangeBatch.Comment)}, nil
}

// conditions are the condition keys that policies restrict changes with.
func (b *changeBatch) conditions() conditionContext {
	var names, kinds, actions []string
	if b != nil {
		for _, change := range b.Changes {
			actions = append(actions, change.Action)
			if set := change.ResourceRecordSet; set != nil {
				kinds = append(kinds, set.Type)
				names = append(names, strings.ToLower(strings.TrimSuffix(set.Name, ".")))
			}
		}
	}
	return conditionContext{
		"route53:changeresourcerecordsetsnormalizedrecordnames": names,
		"route53:changeresourcerecordsetsrecordtypes":           kinds,
		"route53:changeresourcerecordsetsactions":               actions,
	}
}

func invalidChangeBatch(problems ...string) *apiError {
	return newError(http.StatusBadRequest, "InvalidChangeBatch", "[%s]", strings.Join(problems, ", "))
}

// check refuses what is no batch of changes, whatever is in the zone.
func (in *changeRecordsInput) check() error {
	switch {
	case in.ChangeBatch == nil:
		return incompleteXML("ChangeResourceRecordSetsRequest", "ChangeBatch")
	case len(in.ChangeBatch.Changes) == 0:
		return incompleteXML("ChangeBatch", "Changes")
	case len(in.ChangeBatch.Changes) > batchSize:
		return invalidChangeBatch("Number of records limit of 1000 exceeded.")
	}
	changes := map[recordKey][]string{}
	var keys []recordKey
	for _, change := range in.ChangeBatch.Changes {
		if err := change.check(); err != nil {
			return err
		}
		key := change.ResourceRecordSet.key()
		key.name, _ = domainName(key.name) // a bad one is told of later
		changes[key] = append(changes[key], change.Action)
		keys = append(keys, key)
	}
	for _, key := range keys {
		if actions := changes[key]; len(actions) > 2 || len(actions) == 2 && (actions[0] != "DELETE" || actions[1] == "DELETE") {
			return invalidChangeBatch("The request contains an invalid set of changes for a resource record set '" + key.kind + " " + key.name + "'")
		}
	}
	return nil
}

// zoneEdit is a zone with some of the changes of a batch made.
type zoneEdit struct {
	world    *world
	zone     *hostedZone
	records  []recordSet
	problems []string
}

// apply makes a change, unless there is a problem with it.
func (e *zoneEdit) apply(change recordChange) {
	set := *change.ResourceRecordSet
	problems := e.complete(&set)
	at, exists := find(e.records, set.key())
	switch {
	case len(problems) > 0:
	case change.Action == "DELETE" && !exists:
		problems = []string{"Tried to delete resource record set " + set.key().String() + " but it was not found"}
	case change.Action == "DELETE" && !set.same(&e.records[at]):
		problems = []string{"Tried to delete resource record set " + set.key().String() + " but the values provided do not match the current values"}
	case change.Action == "DELETE" && set.key().own(e.zone):
		problems = []string{"A HostedZone must contain at least one NS record for the zone itself."}
		if set.Type == "SOA" {
			problems = []string{"A HostedZone must contain exactly one SOA record."}
		}
	case change.Action == "DELETE":
		e.records = slices.Delete(e.records, at, at+1)
	case change.Action == "CREATE" && exists:
		problems = []string{"Tried to create resource record set " + set.key().String() + " but it already exists"}
	default:
		if problems = e.conflicts(&set); len(problems) > 0 {
			break
		}
		if exists {
			e.records[at] = set
		} else {
			e.records = slices.Insert(e.records, at, set)
		}
	}
	e.problems = append(e.problems, problems...)
}

// conflicts are what keeps a set from standing beside the others.
func (e *zoneEdit) conflicts(set *recordSet) (problems []string) {
	if set.AliasTarget != nil {
		problems = e.checkAlias(set)
	}
	for i := range e.records {
		other := &e.records[i]
		if other.Name != set.Name || other.key() == set.key() {
			continue
		}
		switch {
		case other.Type != set.Type && set.Type == "CNAME":
			return append(problems, "RRSet of type CNAME with DNS name "+set.Name+" is not permitted as it conflicts with other records with the same DNS name in zone "+e.zone.name)
		case other.Type != set.Type && other.Type == "CNAME":
			return append(problems, "RRSet of type "+set.Type+" with DNS name "+set.Name+" is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone "+e.zone.name)
		case other.Type != set.Type:
		case !coexist(set.policy(), other.policy()):
			name := "RRSet with DNS name " + set.Name + ", type " + set.Type
			if set.SetIdentifier != "" {
				name += ", SetIdentifier " + set.SetIdentifier
			}
			return append(problems, name+" cannot be created as other RRSets exist with the same name and type.")
		}
	}
	return problems
}

// coexist tells whether sets of one name and type may have these routing policies: the same
// one, and each region, role or place only once.
func coexist(a, b string) bool {
	kindA, valueA, _ := strings.Cut(a, " ")
	kindB, valueB, _ := strings.Cut(b, " ")
	return a != "" && kindA == kindB && (valueA == "" || valueA != valueB)
}
