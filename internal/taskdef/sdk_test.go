package taskdef

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// A new SDK in which AWS added a member that it only sends fails here by name;
// one with a member that is registered, too, changes nothing for us.
func TestTheStrippedMembersAreThoseThatAWSOnlySends(t *testing.T) {
	sent := members(reflect.TypeFor[types.TaskDefinition]())
	taken := members(reflect.TypeFor[ecs.RegisterTaskDefinitionInput]())
	got := slices.DeleteFunc(slices.Clone(sent), func(m string) bool { return slices.Contains(taken, m) })
	if diff := cmp.Diff(sorted(outputOnly), sorted(got)); diff != "" {
		t.Errorf("members of TaskDefinition that RegisterTaskDefinition does not take (-stripped +SDK):\n%s", diff)
	}
	extra := slices.DeleteFunc(taken, func(m string) bool { return slices.Contains(sent, m) })
	if diff := cmp.Diff([]string{"tags"}, extra); diff != "" {
		t.Errorf("members that only RegisterTaskDefinition has (-want +SDK):\n%s", diff)
	}
}

// The shape is written by hand; a slip of the pen in it would silently compare
// too strictly.
func TestTheShapeNamesMembersThatExist(t *testing.T) {
	checkShape(t, "taskDefinition", taskDefinitionShape, reflect.TypeFor[ecs.RegisterTaskDefinitionInput]())
}

func checkShape(t *testing.T, path string, s shape, of reflect.Type) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if (s.set || s.element != nil) && of.Kind() != reflect.Slice {
		t.Errorf("%s is called a list, the SDK has %s", path, of)
		return
	}
	if s.element != nil {
		checkShape(t, path+"[]", *s.element, of.Elem())
	}
	for name, inner := range s.members {
		field, ok := of.FieldByName(strings.ToUpper(name[:1]) + name[1:])
		if !ok {
			t.Errorf("%s has no member %s", path, name)
			continue
		}
		checkShape(t, path+"."+name, inner, field.Type)
	}
}

func members(of reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(of) {
		if field.IsExported() && !field.Anonymous {
			name := []rune(field.Name)
			name[0] = unicode.ToLower(name[0])
			names = append(names, string(name))
		}
	}
	return names
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}
