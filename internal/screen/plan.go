package screen

import (
	"fmt"

	"heliumai.space/ecsrelease/internal/taskdef"
)

// Plan is what a release would do to a service.
type Plan struct {
	Target  string `json:"target"`
	Region  string `json:"region"`
	Cluster string `json:"cluster"`
	Service string `json:"service"`
	// Runs is the revision that the service runs.
	Runs string `json:"runs,omitempty"`
	// Has is a revision of ours that is there already and carries what the service should run: nothing
	// is registered. Absent where there is none, and where the service runs it.
	Has string `json:"has,omitempty"`
	// Family is that of the revision that would be registered, or deployed. Absent where there is
	// nothing to do.
	Family string `json:"family,omitempty"`
	// Changes are in what it differs from what runs.
	Changes []taskdef.Change `json:"changes,omitempty"`
	// Problem is why it cannot be told.
	Problem string `json:"problem,omitempty"`
}

// Plans are plans for people, each with its changes below it.
func Plans(plans []Plan, terminal Terminal) []string {
	var lines []line
	for i := range plans {
		p := &plans[i]
		head := line{{p.Target + "/" + p.Service, strong}, {fmt.Sprintf(" (%s/%s) ", p.Region, p.Cluster), faint}}
		switch {
		case p.Problem != "":
			lines = append(lines, append(head, span{"cannot be compared: " + clean(p.Problem), bad}))
			continue
		case len(p.Changes) == 0:
			lines = append(lines, append(head, span{"runs it already, with " + p.Runs, good}))
			continue
		case p.Has != "":
			lines = append(lines, append(head, span{fmt.Sprintf("goes from %s to %s, which is there already", p.Runs, p.Has), waiting}))
		default:
			lines = append(lines, append(head, span{fmt.Sprintf("goes from %s to a new revision of %s", p.Runs, p.Family), waiting}))
		}
		for _, c := range p.Changes {
			lines = append(lines, words(plain, "  "+clean(c.Path)))
			if c.Before != "" {
				lines = append(lines, words(bad, "  - "+clean(c.Before)))
			}
			if c.After != "" {
				lines = append(lines, words(good, "  + "+clean(c.After)))
			}
		}
	}
	var said []string
	for _, l := range lines {
		said = append(said, l.render(0, terminal.Color))
	}
	return said
}
