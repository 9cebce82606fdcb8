package memapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// customSchema prunes, defaults and validates the objects of one version of a CRD.
type customSchema struct {
	structural *structuralschema.Structural
	whole      validation.SchemaValidator
	status     validation.SchemaValidator // of status alone; nil where the schema doesn't know it
	rules      *cel.Validator

	wholeIsPlain, statusIsPlain plain
	// statusHasRules says that a write of status can break a rule.
	statusHasRules bool
}

func newCustomSchema(version *apiextensionsv1.CustomResourceDefinitionVersion) (*customSchema, error) {
	if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
		return nil, errors.New("it has none")
	}
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
		return nil, fmt.Errorf("converting it: %w", err)
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return nil, fmt.Errorf("it is not structural: %w", err)
	}
	whole, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, fmt.Errorf("compiling it: %w", err)
	}
	c := &customSchema{
		structural: structural,
		whole:      whole,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),

		wholeIsPlain:   plainly(&internal),
		statusHasRules: statusHasRules(structural),
	}
	if status, ok := internal.Properties["status"]; ok {
		if c.status, _, err = validation.NewSchemaValidator(&status); err != nil {
			return nil, fmt.Errorf("compiling that of status: %w", err)
		}
		c.statusIsPlain = plainly(&status)
	}
	return c, nil
}

// complete prunes what the schema doesn't know and sets its defaults, in place.
func (c *customSchema) complete(object map[string]any) {
	pruning.Prune(object, c.structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, c.structural)
	defaulting.Default(object, c.structural)
}

// validateNew adds to problems of its metadata what else is wrong with an object that is created.
func (c *customSchema) validateNew(ctx context.Context, problems field.ErrorList, object map[string]any) field.ErrorList {
	if !c.wholeIsPlain(object) {
		problems = append(problems, sorted(validation.ValidateCustomResource(nil, object, c.whole))...)
	}
	problems = append(problems, objectmeta.Validate(ctx, nil, object, c.structural, false)...)
	problems = append(problems, listtype.ValidateListSetsAndMaps(nil, c.structural, object)...)
	return append(problems, c.obey(ctx, problems, object, nil)...)
}

// validate adds to problems of its metadata what else is wrong with an object that replaces
// another. A write of status is held to the schema of status only. What was wrong before and did
// not change passes.
func (c *customSchema) validate(ctx context.Context, subresource string, problems field.ErrorList, object, old map[string]any) field.ErrorList {
	correlated := common.NewCorrelatedObject(object, old, &model.Structural{Structural: c.structural})
	if subresource == "" {
		if !c.wholeIsPlain(object) {
			problems = append(problems, sorted(validation.ValidateCustomResourceUpdate(nil, object, old, c.whole, validation.WithRatcheting(correlated)))...)
		}
		problems = append(problems, objectmeta.Validate(ctx, nil, object, c.structural, false)...)
	} else if status, ok := object["status"]; ok && c.status != nil && !c.statusIsPlain(status) {
		ratcheting := validation.WithRatcheting(correlated.Key("status"))
		problems = append(problems, sorted(validation.ValidateCustomResourceUpdate(field.NewPath("status"), status, old["status"], c.status, ratcheting))...)
	}
	if twice := listtype.ValidateListSetsAndMaps(nil, c.structural, object); len(twice) > 0 && len(listtype.ValidateListSetsAndMaps(nil, c.structural, old)) == 0 {
		problems = append(problems, twice...)
	}
	if subresource == "status" && !c.statusHasRules && len(problems) == 0 {
		return nil // what all rules look at did not change
	}
	return append(problems, c.obey(ctx, problems, object, old, cel.WithRatcheting(correlated))...)
}

// sorted are problems that the validator finds in any order.
func sorted(problems field.ErrorList) field.ErrorList {
	slices.SortStableFunc(problems, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

// obey is which rules an object breaks. Rules rely on types, sizes and what is required: where
// these are wrong, that is said in their place.
func (c *customSchema) obey(ctx context.Context, problems field.ErrorList, object, old map[string]any, options ...cel.Option) field.ErrorList {
	for _, problem := range problems {
		switch problem.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return field.ErrorList{field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")}
		default:
		}
	}
	var before any
	if old != nil {
		before = old
	}
	broken, _ := c.rules.Validate(ctx, nil, c.structural, object, before, celconfig.RuntimeCELCostBudget, options...)
	return broken
}
