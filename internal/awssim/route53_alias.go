package awssim

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// elbZones are the hosted zones in which application load balancers have their names, by
// region ("Elastic Load Balancing endpoints and quotas").
var elbZones = map[string]string{
	"af-south-1": "Z268VQBMOI5EKX", "ap-east-1": "Z3DQVH9N71FHZ0", "ap-northeast-1": "Z14GRHDCWA56QT", "ap-northeast-2": "ZWKZPGTI48KDX",
	"ap-northeast-3": "Z5LXEXXYW11ES", "ap-south-1": "ZP97RAFLXTNZK", "ap-south-2": "Z0173938T07WNTVAEPZN", "ap-southeast-1": "Z1LMS91P8CMLE5",
	"ap-southeast-2": "Z1GM3OXH4ZPM65", "ap-southeast-3": "Z08888821HLRG5A9ZRTER", "ap-southeast-4": "Z09517862IB2WZLPXG76F", "ca-central-1": "ZQSVJUPU6J1EY",
	"ca-west-1": "Z06473681N0SF6OS049SD", "eu-central-1": "Z215JYRZR1TBD5", "eu-central-2": "Z06391101F2ZOEP8P5EB3", "eu-north-1": "Z23TAZ6LKFMNIO",
	"eu-south-1": "Z3ULH7SSC9OV64", "eu-south-2": "Z0956581394HF5D5LXGAP", "eu-west-1": "Z32O12XQLNTSW2", "eu-west-2": "ZHURV8PSTC4K8",
	"eu-west-3": "Z3Q77PNBQS71R4", "il-central-1": "Z09170902867EHPV2DABU", "me-central-1": "Z08230872XQRWHG2XF6I", "me-south-1": "ZS929ML54UICD",
	"sa-east-1": "Z2P70J7HTTTPLU", "us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-1": "Z368ELLRRE2KJ0", "us-west-2": "Z1H1FL5HABSF5",
}

// elbZone is the hosted zone of a region's load balancers; one of its own where AWS's is not
// known here.
func elbZone(region string) string {
	if zone := elbZones[region]; zone != "" {
		return zone
	}
	sum := sha256.Sum256([]byte("elb " + region))
	return "Z" + strings.ToUpper(hex.EncodeToString(sum[:10]))
}

// checkAlias tells what is wrong with the target of an alias. AWS's own names must exist.
func (e *zoneEdit) checkAlias(set *recordSet) (problems []string) {
	t := set.AliasTarget
	within, found := e.resolve(t.HostedZoneID, t.DNSName, set.Type)
	tried := "Tried to create an alias that targets " + t.DNSName + ", type " + set.Type + " in zone " + t.HostedZoneID
	if !within {
		problems = append(problems, tried+", but the alias target name does not lie within the target zone")
	}
	if !found {
		problems = append(problems, tried+", but that target was not found")
	}
	return problems
}

// resolve looks a target up: whether its name belongs to that hosted zone, and whether there
// is something of that type.
func (e *zoneEdit) resolve(zone, name, kind string) (within, found bool) {
	if zone == e.zone.id {
		for i := range e.records {
			found = found || e.records[i].Name == name && e.records[i].Type == kind
		}
		return e.zone.within(name), found
	}
	within, found = e.world.resolveAWS(zone, strings.TrimSuffix(name, "."))
	return within, found && (kind == "A" || kind == "AAAA")
}

// resolveAWS looks a name up in a hosted zone of AWS's own.
func (w *world) resolveAWS(zone, name string) (within, found bool) {
	if b := w.elb.byName[strings.TrimPrefix(name, "dualstack.")]; b != nil {
		within = elbZone(b.state.region.name) == zone
		return within, within
	}
	if strings.HasSuffix(name, ".awsglobalaccelerator.com") {
		return zone == acceleratorZone, zone == acceleratorZone && w.acceleratorNamed(name)
	}
	place, isBalancer := strings.CutSuffix(name, ".elb.amazonaws.com")
	return isBalancer && elbZone(place[strings.LastIndex(place, ".")+1:]) == zone, false
}
