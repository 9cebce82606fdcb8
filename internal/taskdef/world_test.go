package taskdef

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// The helpers here read and write JSON with encoding/json alone, so that they
// share no mistake with the package.

type object = map[string]any

type fatal interface {
	Helper()
	Fatal(...any)
}

func decode(t fatal, raw []byte) object {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v object
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func encode(t fatal, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// rawDefinition is the task definition in the answer that d was read from.
func rawDefinition(t fatal, d *Document) []byte {
	t.Helper()
	var out bytes.Buffer
	d.definition.write(&out, verbatim)
	return out.Bytes()
}

// differences names, by their paths, the members in which two JSON documents
// differ, to the spelling of numbers.
func differences(t fatal, a, b []byte) []string {
	t.Helper()
	var found []string
	walk("", decode(t, a), decode(t, b), func(path, what string) {
		found = append(found, strings.TrimPrefix(path, ".")+" "+what)
	})
	slices.Sort(found)
	return found
}

func walk(path string, a, b any, report func(path, what string)) {
	if ao, ok := a.(object); ok {
		if bo, ok := b.(object); ok {
			walkObjects(path, ao, bo, report)
			return
		}
	}
	if al, ok := a.([]any); ok {
		if bl, ok := b.([]any); ok && len(al) == len(bl) {
			for i := range al {
				walk(path+"["+strconv.Itoa(i)+"]", al[i], bl[i], report)
			}
			return
		}
	}
	if !reflect.DeepEqual(a, b) {
		report(path, "changed")
	}
}

func walkObjects(path string, a, b object, report func(path, what string)) {
	for name, value := range a {
		if other, ok := b[name]; ok {
			walk(path+"."+name, value, other, report)
		} else {
			report(path+"."+name, "removed")
		}
	}
	for name := range maps.Keys(b) {
		if _, ok := a[name]; !ok {
			report(path+"."+name, "added")
		}
	}
}

// describe is what DescribeTaskDefinition answers after request was
// registered: with what AWS only sends, and, if shuffle is given, with
// defaults filled in, absent lists empty and sets in another order.
func describe(t fatal, request []byte, revision int, shuffle func([]any)) []byte {
	t.Helper()
	definition := decode(t, request)
	tags := definition["tags"]
	delete(definition, "tags")
	if shuffle != nil {
		fillIn(definition, shuffle)
	}
	family := definition["family"].(string)
	maps.Copy(definition, object{
		"taskDefinitionArn":  fmt.Sprintf("arn:aws:ecs:ap-south-1:111122223333:task-definition/%s:%d", family, revision),
		"revision":           revision,
		"status":             "ACTIVE",
		"requiresAttributes": []any{object{"name": "ecs.capability.task-eni"}},
		"compatibilities":    []any{"EC2", "FARGATE"},
		"registeredAt":       json.Number("1758001122.337"),
		"registeredBy":       "arn:aws:sts::111122223333:assumed-role/ecsrelease/production",
	})
	return encode(t, object{"taskDefinition": definition, "tags": tags})
}

func fillIn(definition object, shuffle func([]any)) {
	absent(definition, "volumes", []any{})
	absent(definition, "placementConstraints", []any{})
	absent(definition, "enableFaultInjection", false)
	for name, unit := range map[string]string{"cpu": " vCPU", "memory": " GB"} {
		if text, _ := definition[name].(string); strings.HasSuffix(text, unit) {
			n, _ := strconv.Atoi(strings.TrimSuffix(text, unit))
			definition[name] = strconv.Itoa(n * 1024)
		}
	}
	mode, _ := definition["networkMode"].(string)
	for _, c := range shuffled(definition, "containerDefinitions", shuffle) {
		fillInContainer(c.(object), mode, shuffle)
	}
	for _, v := range shuffled(definition, "volumes", shuffle) {
		absent(v.(object), "host", object{})
	}
	absent(definition, "networkMode", "bridge")
}

func fillInContainer(c object, mode string, shuffle func([]any)) {
	for _, name := range []string{"environment", "mountPoints", "volumesFrom", "portMappings", "systemControls"} {
		absent(c, name, []any{})
	}
	absent(c, "essential", true)
	absent(c, "cpu", 0)
	shuffled(c, "environment", shuffle)
	shuffled(c, "secrets", shuffle)
	for _, m := range shuffled(c, "portMappings", shuffle) {
		mapping := m.(object)
		absent(mapping, "protocol", "tcp")
		if mode == "awsvpc" {
			absent(mapping, "hostPort", mapping["containerPort"])
		} else {
			absent(mapping, "hostPort", 0)
		}
	}
	if check, ok := c["healthCheck"].(object); ok {
		absent(check, "interval", 30)
		absent(check, "timeout", 5)
		absent(check, "retries", 3)
	}
}

func absent(o object, name string, value any) {
	if _, ok := o[name]; !ok {
		o[name] = value
	}
}

func shuffled(o object, name string, shuffle func([]any)) []any {
	list, _ := o[name].([]any)
	if len(list) > 1 {
		shuffle(list)
	}
	return list
}
