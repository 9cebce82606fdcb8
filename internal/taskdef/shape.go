package taskdef

import (
	"bytes"
	"slices"
)

// shape is what is known about the meaning of one place in a task definition.
// The zero shape knows nothing, and fits members of which we never heard.
type shape struct {
	// absent is the value that means the same as none.
	absent *node
	// hollow marks an object which says nothing when it is empty.
	hollow bool
	// set marks a list whose order has no meaning.
	set     bool
	members map[string]shape
	element *shape
}

// normalize returns the one form of all values that mean the same here. It
// drops members that are null, that are empty lists (AWS answers with them for
// absent ones) and that the shape knows to be as good as absent.
func (s shape) normalize(n node) (node, error) {
	switch n.kind {
	case objectKind:
		return s.normalizeObject(n)
	case arrayKind:
		return s.normalizeList(n)
	}
	return n, nil
}

func (s shape) normalizeObject(n node) (node, error) {
	normal := node{kind: objectKind}
	for _, m := range n.members {
		inner := s.members[m.name]
		value, err := inner.normalize(m.value)
		if err != nil {
			return node{}, err
		}
		if m.value = value; !inner.saysNothing(value) {
			normal.members = append(normal.members, m)
		}
	}
	return normal, nil
}

func (s shape) saysNothing(n node) bool {
	switch n.kind {
	case arrayKind:
		return n.empty()
	case objectKind:
		return s.hollow && n.empty()
	}
	return n.raw == "null" || s.absent != nil && same(*s.absent, n)
}

func (s shape) normalizeList(n node) (node, error) {
	var element shape
	if s.element != nil {
		element = *s.element
	}
	type keyed struct {
		key   []byte
		value node
	}
	list := make([]keyed, len(n.elements))
	for i, e := range n.elements {
		value, err := element.normalize(e)
		if err != nil {
			return node{}, err
		}
		list[i].value = value
		if s.set {
			if list[i].key, err = canonicalJSON(value); err != nil {
				return node{}, err
			}
		}
	}
	if s.set {
		slices.SortStableFunc(list, func(a, b keyed) int { return bytes.Compare(a.key, b.key) })
	}
	normal := node{kind: arrayKind}
	for _, e := range list {
		normal.elements = append(normal.elements, e.value)
	}
	return normal, nil
}

// The constructors keep the table below readable.

func defaults(n node) shape { return shape{absent: &n} }

func set() shape { return shape{set: true} }

func setOf(members map[string]shape) shape {
	return shape{set: true, element: &shape{members: members}}
}

func hollow(members map[string]shape) shape { return shape{hollow: true, members: members} }

// taskDefinitionShape has the defaults of ContainerDefinition and its kin in
// the ECS API reference, as far as DescribeTaskDefinition is known to fill
// them in or the reference calls them the same as absence, and the lists that
// Terraform's provider and ecspresso found to come back in another order.
// Commands, links, DNS servers and environment files are not among them: their
// order has a meaning.
var taskDefinitionShape = shape{members: map[string]shape{
	"containerDefinitions":    {set: true, element: &containerShape},
	"volumes":                 {set: true, element: &volumeShape},
	"placementConstraints":    set(),
	"requiresCompatibilities": set(),
	"inferenceAccelerators":   set(),
	"networkMode":             defaults(stringNode("bridge")),
	"enableFaultInjection":    defaults(literalNode("false")),
	"proxyConfiguration": {members: map[string]shape{
		"type":       defaults(stringNode("APPMESH")),
		"properties": setOf(map[string]shape{"value": defaults(stringNode(""))}),
	}},
}}

var containerShape = shape{members: map[string]shape{
	"essential":   defaults(literalNode("true")),
	"cpu":         defaults(numberNode("0")),
	"environment": setOf(map[string]shape{"value": defaults(stringNode(""))}),
	"secrets":     set(),
	"portMappings": setOf(map[string]shape{
		"protocol": defaults(stringNode("tcp")),
		"hostPort": defaults(numberNode("0")),
	}),
	"mountPoints": setOf(map[string]shape{"readOnly": defaults(literalNode("false"))}),
	"volumesFrom": setOf(map[string]shape{"readOnly": defaults(literalNode("false"))}),
	"healthCheck": {members: map[string]shape{
		"interval":    defaults(numberNode("30")),
		"timeout":     defaults(numberNode("5")),
		"retries":     defaults(numberNode("3")),
		"startPeriod": defaults(numberNode("0")),
	}},
	"restartPolicy": {members: map[string]shape{
		"restartAttemptPeriod": defaults(numberNode("300")),
		"ignoredExitCodes":     set(),
	}},
	"logConfiguration": {members: map[string]shape{
		"options":       hollow(nil),
		"secretOptions": set(),
	}},
	"firelensConfiguration": {members: map[string]shape{"options": hollow(nil)}},
	"linuxParameters": hollow(map[string]shape{
		"capabilities": hollow(map[string]shape{"add": set(), "drop": set()}),
		"devices":      set(),
		"tmpfs":        set(),
	}),
	"dependsOn":            set(),
	"dockerLabels":         hollow(nil),
	"extraHosts":           set(),
	"resourceRequirements": set(),
	"systemControls":       set(),
	"ulimits":              set(),
}}

var volumeShape = shape{members: map[string]shape{
	"configuredAtLaunch": defaults(literalNode("false")),
	"host":               hollow(nil),
	"dockerVolumeConfiguration": {members: map[string]shape{
		"driverOpts": hollow(nil),
		"labels":     hollow(nil),
	}},
	"efsVolumeConfiguration": {members: map[string]shape{
		"rootDirectory":     defaults(stringNode("/")),
		"transitEncryption": defaults(stringNode("DISABLED")),
		"authorizationConfig": hollow(map[string]shape{
			"iam": defaults(stringNode("DISABLED")),
		}),
	}},
}}
