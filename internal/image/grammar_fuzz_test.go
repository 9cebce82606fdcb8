package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/distribution/reference"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// seeds are at the borders of the grammar: where a host ends, what may stand at either end of a
// part, and where each length ends. There are more in testdata.
func seeds(f *testing.F) {
	for _, s := range []string{
		"helium-backend:v128", "team/sub/helium_backend:V1.2-rc_3",
		"localhost:5000", "localhost/x:1", "localhost:5000/x:1", "registry:5000/x:1", "REGISTRY:5000/x:1",
		"docker.io/nginx:1", "docker.io/library/nginx:1", "index.docker.io/nginx:1", "nginx:1@" + digest,
		"[::1]:5000/x:y", "[fd00::1]/x:y", "a.b:80/x@" + digest, "a.b:/x:1", "a..b/x:1",
		".example/x:1",
		"Team/x:1", "team/X:1", "a//b:1", "a/:1", "/a:1", "a___b:1", "a._b:1", "a-:1", "a:-1", "a:.1", "a:1:2", "a:1/b",
		"a:1@sha256:" + strings.Repeat("A", 64), "a@sha512:" + strings.Repeat("a", 128), "a:1@", "a@" + digest + "@" + digest,
		strings.Repeat("a", 64) + ":1", "a:" + strings.Repeat("t", 128), "a:" + strings.Repeat("t", 129),
		strings.Repeat("a", 253) + ":1", strings.Repeat("a", 253) + ":1@" + digest,
		strings.Repeat("h", 63) + ".example:5000/" + strings.Repeat("r", 170) + ":v", "a:1\n", " a:1", "é:1", "a:\xff",
	} {
		f.Add(s)
	}
}

// The container runtimes read references by distribution/reference. What we accept they must
// read as we do; what they accept in our bounds (a tag or a SHA-256 digest, ECS's length) we must.
func FuzzOurGrammarIsDockers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		ours, err := Parse(s)
		theirs, theirErr := reference.ParseNormalizedNamed(s)
		// The "library/" that Docker Hub implies counts there; it is no part of what ECS is sent.
		if err == nil && theirErr != nil && !errors.Is(theirErr, reference.ErrNameTooLong) {
			t.Fatalf("we read %q as %+v, runtimes refuse it: %v", s, ours, theirErr)
		}
		if theirErr != nil {
			return
		}
		want := Reference{Host: reference.Domain(theirs), Repository: reference.Path(theirs)}
		if tagged, ok := theirs.(reference.Tagged); ok {
			want.Tag = tagged.Tag()
		}
		if digested, ok := theirs.(reference.Digested); ok {
			want.Digest = digested.Digest().String()
		}
		if err != nil {
			if ourBounds(s, want) {
				t.Fatalf("runtimes read %q as %+v, we refuse it: %v", s, want, err)
			}
			return
		}
		if diff := cmp.Diff(want, asDocker(ours)); diff != "" {
			t.Errorf("%q (-runtimes +ours):\n%s", s, diff)
		}
	})
}

// asDocker fills in what Docker does.
func asDocker(r Reference) Reference {
	if r.Host == "" || r.Host == "index.docker.io" {
		r.Host = dockerHub
	}
	if r.Host == dockerHub && !strings.Contains(r.Repository, "/") {
		r.Repository = "library/" + r.Repository
	}
	return r
}

var sha256Only = regexp.MustCompile(`^(sha256:[a-f0-9]{64})?$`)

// ourBounds says that a reference which Docker reads is one that we promise to read too. Docker
// takes a first part with capitals for a host; a person who writes one meant a repository. A first
// part with a dot that can be no host leaves Docker without any.
func ourBounds(s string, r Reference) bool {
	name, _, _ := strings.Cut(s, "@")
	first, _, _ := strings.Cut(s, "/")
	return r.Host != "" && (r.Tag != "" || r.Digest != "") && sha256Only.MatchString(r.Digest) && len(name) <= MaxLength &&
		(strings.ToLower(first) == first || isHost(first) || !strings.Contains(s, "/"))
}

// What the API server takes for spec.image the manager must be able to read, or the person who
// wrote it learns of the mistake too late.
func FuzzTheAPIAcceptsOnlyWhatWeRead(f *testing.F) {
	seeds(f)
	accepts := imageSchemas(f)
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // no JSON has such a string
		}
		_, err := Parse(s)
		for field, accept := range accepts {
			if refusals := accept(s); len(refusals) == 0 && err != nil {
				t.Errorf("the API takes %q as %s, but %v", s, field, err)
			}
		}
	})
}

// Beyond that, what the manager reads the API takes. A host by its IPv6 address is the exception:
// ECS pulls from none.
func FuzzTheAPIAcceptsWhatWeRead(f *testing.F) {
	seeds(f)
	accepts := imageSchemas(f)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil || strings.HasPrefix(r.Host, "[") {
			return
		}
		for field, accept := range accepts {
			if refusals := accept(s); len(refusals) > 0 {
				t.Errorf("we read %q as %+v, but %s refuses it: %v", s, r, field, refusals.ToAggregate())
			}
		}
	})
}

// imageSchemas are the rules of the custom resource definition for every field that holds an image
// as people write it, by the field's path.
func imageSchemas(t testing.TB) map[string]func(string) field.ErrorList {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "ecs.heliumai.space_ecsreleases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
		t.Fatal(err)
	}
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return map[string]func(string) field.ErrorList{
		"spec.image":              acceptance(t, spec.Properties["image"]),
		"spec.containers[].image": acceptance(t, spec.Properties["containers"].Items.Schema.Properties["image"]),
	}
}

// acceptance is how the API server judges a value by this part of a schema.
func acceptance(t testing.TB, props apiextensionsv1.JSONSchemaProps) func(string) field.ErrorList {
	t.Helper()
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&props, &internal, nil); err != nil {
		t.Fatal(err)
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	values, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		t.Fatal(err)
	}
	rules := cel.NewValidator(structural, false, celconfig.PerCallLimit)
	if rules == nil {
		t.Fatal("the schema of an image has no rules")
	}
	path := field.NewPath("image")
	return func(s string) field.ErrorList {
		refusals := validation.ValidateCustomResource(path, s, values)
		broken, _ := rules.Validate(context.Background(), path, structural, s, nil, celconfig.RuntimeCELCostBudget)
		return append(refusals, broken...)
	}
}
