package awssim

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// family is the sequence of revisions of a task definition. Its first revision is 1.
type family struct {
	name      string
	revisions []*taskDefinition // revisions[i] is revision i+1
}

// taskDefinition is one revision. What a client registered is kept as the JSON document it
// sent, so that members of an ECS newer than this simulator come back as they were.
type taskDefinition struct {
	family   string
	revision int
	arn      string
	document map[string]any // with the defaults filled in; numbers are json.Number
	spec     taskSpec       // the members that this simulator understands
	tags     []ecsTag

	registeredBy   string
	registeredAt   time.Time
	deregisteredAt time.Time // zero while ACTIVE
}

// taskDefinitionOutputs are the members of TaskDefinition that RegisterTaskDefinition does
// not take; in a request they are unknown members, which ECS ignores.
var taskDefinitionOutputs = []string{
	"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
	"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
}

func (td *taskDefinition) status() string { return td.statusAt(time.Time{}) }

// statusAt is the status at a moment; the zero time means now.
func (td *taskDefinition) statusAt(t time.Time) string {
	if td.deregisteredAt.IsZero() || !t.IsZero() && td.deregisteredAt.After(t) {
		return "ACTIVE"
	}
	return "INACTIVE"
}

func (td *taskDefinition) name() string { return td.family + ":" + strconv.Itoa(td.revision) }

func (td *taskDefinition) render(at time.Time) map[string]any {
	shown := maps.Clone(td.document)
	shown["taskDefinitionArn"] = td.arn
	shown["family"] = td.family
	shown["revision"] = td.revision
	shown["status"] = td.statusAt(at)
	shown["registeredAt"] = epoch(td.registeredAt)
	shown["registeredBy"] = td.registeredBy
	shown["requiresAttributes"] = td.spec.requiredAttributes()
	shown["compatibilities"] = td.spec.compatibilities()
	if shown["status"] == "INACTIVE" {
		shown["deregisteredAt"] = epoch(td.deregisteredAt)
	}
	return shown
}

// latest is the newest revision of the family that was ACTIVE at t, nil for none.
func (f *family) latest(t time.Time) *taskDefinition {
	if f == nil {
		return nil
	}
	for i := len(f.revisions) - 1; i >= 0; i-- {
		if td := f.revisions[i]; !td.registeredAt.After(t) && td.statusAt(t) == "ACTIVE" {
			return td
		}
	}
	return nil
}

// taskDefinitionAt finds "family:revision", nil for none.
func (st *ecsState) taskDefinitionAt(name string) *taskDefinition {
	familyName, number, _ := strings.Cut(name, ":")
	revision, err := strconv.Atoi(number)
	f := st.families[familyName]
	if err != nil || f == nil || revision < 1 || revision > len(f.revisions) {
		return nil
	}
	return f.revisions[revision-1]
}

// taskDefinition finds what a taskDefinition parameter names: family (its latest ACTIVE
// revision), family:revision, or an ARN. nil when there is none, as of t.
func (c *call) taskDefinition(parameter string, t time.Time) *taskDefinition {
	name := parameter
	if strings.HasPrefix(name, "arn:") {
		path, ok := c.resourcePath(name, "task-definition")
		if !ok {
			return nil
		}
		name = path
	}
	st := c.region.ecs
	if !strings.Contains(name, ":") {
		return st.families[name].latest(t)
	}
	td := st.taskDefinitionAt(name)
	if td == nil || td.registeredAt.After(t) {
		return nil
	}
	return td
}

func registerTaskDefinition(c *call, in json.RawMessage) (any, error) {
	var spec taskSpec
	if err := decode(in, &spec); err != nil {
		return nil, err
	}
	if err := c.authorizeRegister(&spec); err != nil {
		return nil, err
	}
	if err := checkTags(spec.Tags); err != nil {
		return nil, err
	}
	if err := spec.check(c.sim.ecs.options); err != nil {
		return nil, err
	}
	document := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(in))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		return nil, serializationError("")
	}
	delete(document, "tags")
	for _, member := range taskDefinitionOutputs {
		delete(document, member)
	}
	spec.fillDefaults(document)

	st := c.region.ecs
	f := st.families[spec.Family]
	if f == nil {
		f = &family{name: spec.Family}
		st.families[spec.Family] = f
	}
	td := &taskDefinition{
		family: spec.Family, revision: len(f.revisions) + 1, document: document, spec: spec, tags: spec.Tags,
		registeredBy: c.principal.arn, registeredAt: c.sim.now(),
	}
	td.arn = c.arn("ecs", "task-definition/"+td.name())
	f.revisions = append(f.revisions, td)
	answer := map[string]any{"taskDefinition": td.render(time.Time{})}
	if len(td.tags) > 0 {
		answer["tags"] = shownTags(td.tags)
	}
	return answer, nil
}

// authorizeRegister checks the three permissions that a registration may take: the
// registration, the tags on it, and the roles handed to the tasks.
func (c *call) authorizeRegister(spec *taskSpec) error {
	resource := c.arn("ecs", "task-definition/"+spec.Family+":*")
	conditions := requestTags(spec.Tags)
	if spec.CPU != nil {
		conditions["ecs:task-cpu"] = *spec.CPU
	}
	if spec.Memory != nil {
		conditions["ecs:task-memory"] = *spec.Memory
	}
	if len(spec.RequiresCompatibilities) == 1 {
		conditions["ecs:compute-compatibility"] = spec.RequiresCompatibilities[0]
	}
	conditions["ecs:privileged"] = strconv.FormatBool(spec.privileged())
	if err := c.authorize("ecs:RegisterTaskDefinition", resource, conditions); err != nil {
		return err
	}
	if err := c.authorizeTagging(resource, spec.Tags); err != nil {
		return err
	}
	return c.passRoles(spec.roles()...)
}

// unableToDescribe is what ECS says of a task definition that it does not have: there is no
// exception of its own for that.
func unableToDescribe() error { return clientError("Unable to describe task definition.") }

func describeTaskDefinition(c *call, in json.RawMessage) (any, error) {
	var req struct {
		TaskDefinition string   `json:"taskDefinition"`
		Include        []string `json:"include"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:DescribeTaskDefinition", "*", nil); err != nil {
		return nil, err
	}
	if err := checkInclude(req.Include, "TAGS"); err != nil {
		return nil, err
	}
	if req.TaskDefinition == "" {
		return nil, clientError("Task definition can not be blank.")
	}
	at := c.readTime(0)
	td := c.taskDefinition(req.TaskDefinition, at)
	if td == nil {
		return nil, unableToDescribe()
	}
	answer := map[string]any{"taskDefinition": td.render(at)}
	if len(req.Include) > 0 {
		answer["tags"] = shownTags(td.tags)
	}
	return answer, nil
}

var revisionPattern = regexp.MustCompile(`:\d+$`)

func deregisterTaskDefinition(c *call, in json.RawMessage) (any, error) {
	var req struct {
		TaskDefinition string `json:"taskDefinition"`
	}
	if err := decode(in, &req); err != nil {
		return nil, err
	}
	if err := c.authorize("ecs:DeregisterTaskDefinition", "*", nil); err != nil {
		return nil, err
	}
	if req.TaskDefinition == "" {
		return nil, clientError("Task definition can not be blank.")
	}
	if !revisionPattern.MatchString(req.TaskDefinition) {
		return nil, clientError("Invalid revision number. Number: %s", req.TaskDefinition)
	}
	td := c.taskDefinition(req.TaskDefinition, c.sim.now())
	if td == nil {
		return nil, clientError("The specified task definition does not exist.")
	}
	if td.status() != "ACTIVE" {
		return nil, clientError("The specified task definition is inactive. Specify an active task definition and try again.")
	}
	td.deregisteredAt = c.sim.now()
	return map[string]any{"taskDefinition": td.render(time.Time{})}, nil
}
