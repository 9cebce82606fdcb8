package awssim

import (
	"encoding/json"
	"slices"
	"time"
)

// cluster is an ECS cluster. A deleted one stays describable as INACTIVE for a while.
type cluster struct {
	name, arn string
	status    string
	tags      []ecsTag
	settings  json.RawMessage
	providers []string
	strategy  json.RawMessage
	config    json.RawMessage
	connect   json.RawMessage
	services  map[string]*service
	tasks     map[string]*task // running ones, and the ones that stopped within the hour
	instances []string         // ARNs of container instances, made when a task needs one
	equipped  time.Time        // when they were
}

// clusterForgotten is how long a deleted cluster is shown as INACTIVE.
const clusterForgotten = time.Hour

func createCluster(c *call, in json.RawMessage) (any, error) {
	var req struct {
		ClusterName                     *string         `json:"clusterName"`
		Tags                            []ecsTag        `json:"tags"`
		Settings                        json.RawMessage `json:"settings"`
		Configuration                   json.RawMessage `json:"configuration"`
		CapacityProviders               []string        `json:"capacityProviders"`
		DefaultCapacityProviderStrategy json.RawMessage `json:"defaultCapacityProviderStrategy"`
		ServiceConnectDefaults          json.RawMessage `json:"serviceConnectDefaults"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	name := "default"
	if req.ClusterName != nil && *req.ClusterName != "" {
		name = *req.ClusterName
	}
	if !ecsNamePattern.MatchString(name) {
		return nil, invalidParameter("Cluster name %s contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.", name)
	}
	arn := c.arn("ecs", "cluster/"+name)
	if err := c.authorize("ecs:CreateCluster", arn, requestTags(req.Tags)); err != nil {
		return nil, err
	}
	if err := c.authorizeTagging(arn, req.Tags); err != nil {
		return nil, err
	}
	if err := checkTags(req.Tags); err != nil {
		return nil, err
	}
	st := c.region.ecs
	made := st.clusters[name]
	if made == nil || made.status != "ACTIVE" {
		made = &cluster{name: name, arn: arn, status: "ACTIVE", services: map[string]*service{}, tasks: map[string]*task{}}
		made.tags = req.Tags
		made.settings = listOr(req.Settings, `[{"name":"containerInsights","value":"disabled"}]`)
		made.providers = append([]string{}, req.CapacityProviders...)
		made.strategy = listOr(req.DefaultCapacityProviderStrategy, `[]`)
		made.config = present(req.Configuration)
		made.connect = present(req.ServiceConnectDefaults)
		st.clusters[name] = made
	}
	return map[string]any{"cluster": made.render([]string{"TAGS", "SETTINGS", "CONFIGURATIONS"})}, nil
}

// present is a document that a request carried, nil when it did not or said null.
func present(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// listOr is the list that a request carried, otherwise the one that AWS shows instead.
func listOr(raw json.RawMessage, otherwise string) json.RawMessage {
	if raw = present(raw); raw != nil {
		return raw
	}
	return json.RawMessage(otherwise)
}

func (k *cluster) render(include []string) map[string]any {
	active, running, pending := 0, 0, 0
	for _, s := range k.services {
		if s.status == "ACTIVE" {
			active++
		}
		r, p := s.counts()
		running += r
		pending += p
	}
	shown := map[string]any{
		"clusterArn": k.arn, "clusterName": k.name, "status": k.status,
		"registeredContainerInstancesCount": len(k.instances),
		"runningTasksCount":                 running, "pendingTasksCount": pending, "activeServicesCount": active,
		"statistics": []any{}, "tags": []ecsTag{}, "settings": []any{},
		"capacityProviders": k.providers, "defaultCapacityProviderStrategy": k.strategy,
	}
	if slices.Contains(include, "TAGS") {
		shown["tags"] = shownTags(k.tags)
	}
	if slices.Contains(include, "SETTINGS") {
		shown["settings"] = k.settings
	}
	if slices.Contains(include, "CONFIGURATIONS") && k.config != nil {
		shown["configuration"] = k.config
	}
	if k.connect != nil {
		shown["serviceConnectDefaults"] = k.connect
	}
	return shown
}

func describeClusters(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Clusters []string `json:"clusters"`
		Include  []string `json:"include"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := checkInclude(req.Include, "ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"); err != nil {
		return nil, err
	}
	if len(req.Clusters) == 0 {
		req.Clusters = []string{"default"}
	}
	if len(req.Clusters) > 100 {
		return nil, invalidParameter("Cluster list cannot have more than 100 entries.")
	}
	found, failures := []any{}, []ecsFailure{}
	for _, identifier := range req.Clusters {
		name, err := c.clusterName(&identifier)
		if err != nil {
			return nil, err
		}
		arn := c.arn("ecs", "cluster/"+name)
		if err := c.authorize("ecs:DescribeClusters", arn, map[string]string{"ecs:cluster": arn}); err != nil {
			return nil, err
		}
		if k := c.region.ecs.clusters[name]; k != nil {
			found = append(found, k.render(req.Include))
		} else {
			failures = append(failures, missing(arn))
		}
	}
	return map[string]any{"clusters": found, "failures": failures}, nil
}

func listClusters(c *call, in json.RawMessage) (any, error) {
	var req ecsPaging
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:ListClusters", "*", nil); err != nil {
		return nil, err
	}
	arns := []string{}
	for _, k := range c.region.ecs.clusters {
		if k.status == "ACTIVE" {
			arns = append(arns, k.arn)
		}
	}
	return pageOfARNs("clusterArns", arns, false, req, 100)
}

// pageOfARNs answers with one page of a list that is sorted by what it lists.
func pageOfARNs(member string, arns []string, descending bool, p ecsPaging, usual int) (any, error) {
	page, next, err := ecsPage(arns, func(arn string) string { return arn }, descending, p, usual)
	if err != nil {
		return nil, err
	}
	return withToken(map[string]any{member: page}, next), nil
}

func withToken(answer map[string]any, next string) map[string]any {
	if next != "" {
		answer["nextToken"] = next
	}
	return answer
}

func deleteCluster(c *call, in json.RawMessage) (any, error) {
	var req struct {
		Cluster *string `json:"cluster"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if req.Cluster == nil || *req.Cluster == "" {
		return nil, invalidParameter("Cluster cannot be empty.")
	}
	name, err := c.clusterName(req.Cluster)
	if err != nil {
		return nil, err
	}
	arn := c.arn("ecs", "cluster/"+name)
	if err := c.authorize("ecs:DeleteCluster", arn, map[string]string{"ecs:cluster": arn}); err != nil {
		return nil, err
	}
	k, err := c.activeCluster(name)
	if err != nil {
		return nil, err
	}
	for _, s := range k.services {
		if s.status == "ACTIVE" {
			return nil, newError(400, "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
		}
	}
	for _, t := range k.tasks {
		if t.last != "STOPPED" {
			return nil, newError(400, "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
		}
	}
	k.status = "INACTIVE"
	st := c.region.ecs
	st.world.after(clusterForgotten, func() {
		if st.clusters[name] == k {
			delete(st.clusters, name)
		}
	})
	return map[string]any{"cluster": k.render(nil)}, nil
}
