package taskdef

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/image"
)

const ecr = "111122223333.dkr.ecr.ap-south-1.amazonaws.com/"

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name       string
		containers string
		names      []string
		want       []string
		err        string
	}{
		{
			name:       "the container that runs the repository",
			containers: `{"name":"web","image":"` + ecr + `backend:v1"},{"name":"sidecar","image":"envoy:v1"}`,
			want:       []string{"web"},
		},
		{
			name:       "all containers that run it, essential or not",
			containers: `{"name":"migrate","image":"` + ecr + `backend@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef","essential":false},{"name":"x","image":"y:1"},{"name":"web","image":"` + ecr + `backend:v1"}`,
			want:       []string{"migrate", "web"},
		},
		{
			name:       "a replica of the repository in another region",
			containers: `{"name":"web","image":"111122223333.dkr.ecr.us-east-1.amazonaws.com/backend:v1"},{"name":"x","image":"y:1"}`,
			want:       []string{"web"},
		},
		{
			name:       "the only essential one, if none runs it",
			containers: `{"name":"agent","image":"agent:1","essential":false},{"name":"web","image":"placeholder:1"}`,
			want:       []string{"web"},
		},
		{
			name:       "two essential ones are ambiguous",
			containers: `{"name":"web","image":"placeholder:1"},{"name":"envoy"}`,
			err:        "task definition web:7 has no container that runs " + ecr + "backend and not exactly one that is essential; name those that take it in containerNames: web (placeholder:1), envoy (no image)",
		},
		{
			name:       "names win over everything",
			containers: `{"name":"web","image":"` + ecr + `backend:v1"},{"name":"a","image":"x:1"},{"name":"b","image":"x:1"}`,
			names:      []string{"b", "a", "b"},
			want:       []string{"a", "b"},
		},
		{
			name:       "a name that is not there",
			containers: `{"name":"web","image":"` + ecr + `backend:v1"},{"name":"a","image":"x:1"}`,
			names:      []string{"web", "backend"},
			err:        "task definition web:7 has no container backend; it has web, a",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := parse(t, []byte(described(`"containerDefinitions":[`+c.containers+`]`)))
			repo := image.Reference{Repository: "backend", Tag: "v2"}.In("111122223333", "ap-south-1")
			got, err := Choose(base, c.names, repo)
			if (err != nil) != (c.err != "") || err != nil && err.Error() != c.err {
				t.Fatalf("error = %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("chosen (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChooseErrorsListTheCandidates(t *testing.T) {
	base := parse(t, []byte(described(`"containerDefinitions":[{"name":"a"},{"name":"b"}]`)))
	repo := image.Reference{Repository: "backend", Tag: "v2"}.In("111122223333", "ap-south-1")
	_, err := Choose(base, nil, repo)
	var ambiguous *AmbiguousContainerError
	if !errors.As(err, &ambiguous) || !cmp.Equal(ambiguous.Candidates, base.Containers()) {
		t.Errorf("error = %#v", err)
	}
	_, err = Choose(base, []string{"c"}, repo)
	var unknown *UnknownContainerError
	if !errors.As(err, &unknown) || !cmp.Equal(unknown.Candidates, []string{"a", "b"}) || !cmp.Equal(unknown.Names, []string{"c"}) {
		t.Errorf("error = %#v", err)
	}
}

func TestChooseNeedsToKnowTheRegistry(t *testing.T) {
	if got, err := Choose(backend(t), nil, image.Reference{Repository: "helium-backend", Tag: "v2"}); err == nil {
		t.Errorf("Choose = %v without a registry", got)
	}
}
