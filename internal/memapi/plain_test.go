package memapi

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// schemas are those of our CRDs.
func schemas(t *testing.T) map[string]*apiextensions.JSONSchemaProps {
	t.Helper()
	crds, err := ReadCRDs("../../config/crd/bases")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*apiextensions.JSONSchemaProps{}
	for _, crd := range crds {
		var schema apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &schema, nil); err != nil {
			t.Fatal(err)
		}
		found[crd.Name] = &schema
	}
	return found
}

// sample is a value of a schema, mostly a good one.
func sample(r *rand.Rand, s *apiextensions.JSONSchemaProps) any {
	if r.IntN(400) == 0 {
		return pick(r, []any{nil, "", int64(-1), 1.5, true, []any{nil}, map[string]any{"a": nil}, strings.Repeat("é", 300)})
	}
	switch {
	case len(s.Enum) > 0:
		return pick(r, append([]apiextensions.JSON{s.Enum[0], s.Enum[0]}, s.Enum...))
	case s.Type == "object":
		object := map[string]any{}
		for name, property := range s.Properties {
			if required := slices.Contains(s.Required, name); required && r.IntN(200) > 0 || !required && r.IntN(3) == 0 {
				object[name] = sample(r, &property)
			}
		}
		for i := range r.IntN(3) {
			if more := s.AdditionalProperties; more != nil && more.Schema != nil {
				object[fmt.Sprint("more", i)] = sample(r, more.Schema)
			}
		}
		return object
	case s.Type == "array":
		list := []any{}
		for range r.IntN(3) {
			list = append(list, sample(r, s.Items.Schema))
		}
		return list
	case s.Type == "integer":
		return pick(r, []any{int64(1), int64(1), int64(200), int64(200), int64(1) << 40, int64(-1) << 40, int64(0), 2.0})
	case s.Type == "boolean":
		return r.IntN(2) == 0
	case s.Format == "date-time":
		return pick(r, []any{
			"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000006Z", "2026-01-02T03:04:05+01:00", "2026-02-30T03:04:05Z",
			"2026-01-02T24:04:05Z", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.Z", "2026-01-02t03:04:05z", "2026-01-02T03:04:60Z", "",
		})
	default:
		return pick(r, []any{"Ready", "Ready", "Ready", "a", "a/b", strings.Repeat("é", 1+r.IntN(80)), strings.Repeat("a", 1+r.IntN(80)), ""})
	}
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func TestWhatIsPlainHasNothingWrongWithIt(t *testing.T) {
	for name, whole := range schemas(t) {
		parts := map[string]apiextensions.JSONSchemaProps{"": *whole}
		for part, schema := range whole.Properties["status"].Properties {
			parts["status."+part] = schema
		}
		for part, schema := range whole.Properties["spec"].Properties {
			parts["spec."+part] = schema
		}
		for part, schema := range parts {
			t.Run(strings.TrimSuffix(name+"/"+part, "/"), func(t *testing.T) {
				accepts := plainly(&schema)
				validator, _, err := validation.NewSchemaValidator(&schema)
				if err != nil {
					t.Fatal(err)
				}
				r := rand.New(rand.NewPCG(1, 2))
				for range 400 {
					value := sample(r, &schema)
					if problems := validation.ValidateCustomResource(nil, value, validator); accepts(value) && len(problems) > 0 {
						t.Errorf("%v is plain, and has %v", value, problems)
					}
				}
			})
		}
	}
}

func TestAReleaseIsPlain(t *testing.T) {
	for name, schema := range schemas(t) {
		if !strings.HasPrefix(name, "ecsreleases.") {
			continue
		}
		status := schema.Properties["status"]
		accepts, seen := plainly(&status), 0
		r := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			if accepts(sample(r, &status)) {
				seen++
			}
		}
		if seen == 0 {
			t.Error("no status is")
		}
		structural, err := structuralschema.NewStructural(schema)
		if err != nil {
			t.Fatal(err)
		}
		if statusHasRules(structural) {
			t.Error("a rule looks at status, and holds up every write of it")
		}
	}
}

func TestMergePatchesAreThoseOfJSONPatch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var document func(depth int) any
	document = func(depth int) any {
		switch kind := r.IntN(8); {
		case kind < 4 && depth > 0:
			object := map[string]any{}
			for range r.IntN(4) {
				object[pick(r, []string{"a", "b", "c", "<d>"})] = document(depth - 1)
			}
			return object
		case kind < 6 && depth > 0:
			list := []any{}
			for range r.IntN(3) {
				list = append(list, document(depth-1))
			}
			return list
		default:
			return pick(r, []any{nil, "text", "<é>", int64(1), int64(1) << 60, 1.5, true})
		}
	}
	for range 20000 {
		object, _ := document(3).(map[string]any)
		patch, _ := document(3).(map[string]any)
		if object == nil || patch == nil {
			continue
		}
		before := runtime.DeepCopyJSON(object)
		text, err := jsonpatch.MergePatch(encode(object), encode(patch))
		if err != nil {
			t.Fatal(err)
		}
		var wanted map[string]any
		if err := utiljson.Unmarshal(text, &wanted); err != nil {
			t.Fatal(err)
		}
		words := fmt.Sprintf("%s into %s", encode(patch), encode(object))
		if diff := cmp.Diff(wanted, mergePatched(object, patch)); diff != "" {
			t.Fatalf("%s (-json-patch +is):\n%s", words, diff)
		}
		if diff := cmp.Diff(before, object); diff != "" {
			t.Fatalf("%s changed the object (-before +after):\n%s", words, diff)
		}
	}
}
