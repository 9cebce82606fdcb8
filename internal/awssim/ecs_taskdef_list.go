package awssim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

func listTaskDefinitions(c *call, in json.RawMessage) (any, error) {
	var req struct {
		FamilyPrefix *string `json:"familyPrefix"`
		Status       *string `json:"status"`
		Sort         *string `json:"sort"`
		ecsPaging
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:ListTaskDefinitions", "*", nil); err != nil {
		return nil, err
	}
	if err := oneOf("status", req.Status, "ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"); err != nil {
		return nil, err
	}
	if err := oneOf("sort", req.Sort, "ASC", "DESC"); err != nil {
		return nil, err
	}
	status := "ACTIVE"
	if req.Status != nil {
		status = *req.Status
	}
	at := c.readTime(c.sim.ecs.options.taskDefinitionLag())
	var listed []*taskDefinition
	for _, f := range c.region.ecs.families {
		if req.FamilyPrefix != nil && !strings.HasPrefix(f.name, *req.FamilyPrefix) {
			continue
		}
		for _, td := range f.revisions {
			if !td.registeredAt.After(at) && td.statusAt(at) == status {
				listed = append(listed, td)
			}
		}
	}
	byRevision := func(td *taskDefinition) string { return fmt.Sprintf("%s\x00%010d", td.family, td.revision) }
	page, next, err := ecsPage(listed, byRevision, req.Sort != nil && *req.Sort == "DESC", req.ecsPaging, 100)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, td := range page {
		arns = append(arns, td.arn)
	}
	return withToken(map[string]any{"taskDefinitionArns": arns}, next), nil
}

func listTaskDefinitionFamilies(c *call, in json.RawMessage) (any, error) {
	var req struct {
		FamilyPrefix *string `json:"familyPrefix"`
		Status       *string `json:"status"`
		ecsPaging
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:ListTaskDefinitionFamilies", "*", nil); err != nil {
		return nil, err
	}
	if err := oneOf("status", req.Status, "ACTIVE", "INACTIVE", "ALL"); err != nil {
		return nil, err
	}
	at := c.readTime(c.sim.ecs.options.taskDefinitionLag())
	names := []string{}
	for _, f := range c.region.ecs.families {
		if req.FamilyPrefix != nil && !strings.HasPrefix(f.name, *req.FamilyPrefix) {
			continue
		}
		status := f.statusAt(at)
		if status != "" && (req.Status == nil || *req.Status == "ALL" || *req.Status == status) {
			names = append(names, f.name)
		}
	}
	return pageOfARNs("families", names, false, req.ecsPaging, 100)
}

// statusAt is ACTIVE for a family with an ACTIVE revision, INACTIVE for one that has others
// only, empty for one that did not exist yet.
func (f *family) statusAt(t time.Time) string {
	switch {
	case f.latest(t) != nil:
		return "ACTIVE"
	case f.revisions[0].registeredAt.After(t):
		return ""
	default:
		return "INACTIVE"
	}
}
