package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digest = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

func TestParseReadsWhatIsWrittenAndFillsNothingIn(t *testing.T) {
	for s, want := range map[string]Reference{
		"helium-backend:v128":                {Repository: "helium-backend", Tag: "v128"},
		"library/helium:v1":                  {Repository: "library/helium", Tag: "v1"},
		"team/sub/helium_backend:V1.2-rc_3":  {Repository: "team/sub/helium_backend", Tag: "V1.2-rc_3"},
		"helium.backend:v1":                  {Repository: "helium.backend", Tag: "v1"},
		"helium:5000":                        {Repository: "helium", Tag: "5000"},
		"localhost:5000":                     {Repository: "localhost", Tag: "5000"},
		"localhost/helium:v1":                {Host: "localhost", Repository: "helium", Tag: "v1"},
		"localhost:5000/helium:v1":           {Host: "localhost:5000", Repository: "helium", Tag: "v1"},
		"registry:5000/helium:v1":            {Host: "registry:5000", Repository: "helium", Tag: "v1"},
		"[fd00::1]:5000/helium:v1":           {Host: "[fd00::1]:5000", Repository: "helium", Tag: "v1"},
		"docker.io/library/nginx:1.29":       {Host: "docker.io", Repository: "library/nginx", Tag: "1.29"},
		"helium-backend@" + digest:           {Repository: "helium-backend", Digest: digest},
		"helium-backend:v128@" + digest:      {Repository: "helium-backend", Tag: "v128", Digest: digest},
		"ghcr.io/helium/backend@" + digest:   {Host: "ghcr.io", Repository: "helium/backend", Digest: digest},
		"public.ecr.aws/docker/library/x:v1": {Host: "public.ecr.aws", Repository: "docker/library/x", Tag: "v1"},
		"111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend:v128@" + digest: {
			Host: "111122223333.dkr.ecr.ap-south-1.amazonaws.com", Repository: "helium-backend", Tag: "v128", Digest: digest,
		},
	} {
		t.Run(s, func(t *testing.T) {
			got, err := Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", s, diff)
			}
			if got.String() != s {
				t.Errorf("String() = %q, want %q", got.String(), s)
			}
		})
	}
}

func TestParseSaysWhatItSawAndWhatItWanted(t *testing.T) {
	for s, want := range map[string]string{
		"":                           "image is empty, wanted [host/]repository:tag or [host/]repository@digest",
		"helium-backend":             `image "helium-backend" has neither tag nor digest: write helium-backend:v1 or helium-backend@sha256:…`,
		"ghcr.io/helium/backend":     `image "ghcr.io/helium/backend" has neither tag nor digest: write ghcr.io/helium/backend:v1 or ghcr.io/helium/backend@sha256:…`,
		"helium backend:v1":          `image "helium backend:v1" contains white space`,
		"helium-backend:v1\n":        `image "helium-backend:v1\n" contains white space`,
		"https://ghcr.io/backend:v1": `image "https://ghcr.io/backend:v1" is a URL, wanted [host/]repository:tag without "https://"`,
		"helium-backend:":            `image "helium-backend:" has the tag "", wanted 1 to 128 letters, digits, '_', '.' or '-', not starting with '.' or '-'`,
		"helium-backend:-v1":         `image "helium-backend:-v1" has the tag "-v1", wanted 1 to 128 letters, digits, '_', '.' or '-', not starting with '.' or '-'`,
		"helium-backend@":            `image "helium-backend@" has the digest "", wanted sha256: and 64 hexadecimal digits in lower case`,
		"helium-backend@sha256:abc":  `image "helium-backend@sha256:abc" has the digest "sha256:abc", wanted sha256: and 64 hexadecimal digits in lower case`,
		"Helium-Backend:v1":          `image "Helium-Backend:v1" has the repository "Helium-Backend", wanted lower case letters and digits in parts separated by '/', with single '.', '_', '__' or '-' inside a part`,
		"Team/backend:v1":            `image "Team/backend:v1" has the repository "Team/backend", wanted lower case letters and digits in parts separated by '/', with single '.', '_', '__' or '-' inside a part`,
		"ghcr.io/:v1":                `image "ghcr.io/:v1" names no repository, wanted [host/]repository:tag`,
		":v1":                        `image ":v1" names no repository, wanted [host/]repository:tag`,
		"-bad.example/backend:v1":    `image "-bad.example/backend:v1" has the host "-bad.example", wanted a host name such as registry.example.com:5000`,
	} {
		t.Run(s, func(t *testing.T) {
			got, err := Parse(s)
			if err == nil {
				t.Fatalf("Parse(%q) = %+v, want an error", s, got)
			}
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefusesMoreThanECSTakes(t *testing.T) {
	fits := strings.Repeat("a", MaxLength-len(":v1")) + ":v1"
	if _, err := Parse(fits + "@" + digest); err != nil {
		t.Errorf("the digest counts towards the limit: %v", err)
	}
	_, err := Parse("a" + fits)
	if err == nil || !strings.Contains(err.Error(), "has 256 characters before the digest, ECS allows 255") {
		t.Errorf("Parse of 256 characters: %v", err)
	}
	if _, err := Parse(strings.Repeat("A", 1<<20)); err == nil || len(err.Error()) > 4096 {
		t.Error("the message about a huge image is huge")
	}
}

func TestFormsForATaskDefinition(t *testing.T) {
	r, err := Parse("helium-backend:v128")
	if err != nil {
		t.Fatal(err)
	}
	r = r.In("111122223333", "ap-south-1")
	const name = "111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend"
	if got, want := r.Name(), name; got != want {
		t.Errorf("Name() = %q, want %q", got, want)
	}
	if got, want := r.Pinned(digest), name+"@"+digest; got != want {
		t.Errorf("Pinned() = %q, want %q", got, want)
	}
	if got, want := r.Tagged(), name+":v128"; got != want {
		t.Errorf("Tagged() = %q, want %q", got, want)
	}
	r.Tag, r.Digest = "", digest
	if got, want := r.Tagged(), name+"@"+digest; got != want {
		t.Errorf("Tagged() without a tag = %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("helium-backend:v128")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			if r != (Reference{}) {
				t.Errorf("Parse(%q) = %+v with error %v", s, r, err)
			}
			return
		}
		if r.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, r.String())
		}
		resolved := r.In("111122223333", "ap-south-1")
		again, err := Parse(resolved.String())
		// The host makes it longer, and may make it too long.
		if err == nil && again != resolved {
			t.Errorf("resolved %+v reads back as %+v", resolved, again)
		}
		if err == nil && !resolved.SameRepository(resolved.Pinned(digest)) {
			t.Errorf("%s is not its own repository", resolved)
		}
		if _, ok := resolved.Registry(); r.Host == "" && !ok {
			t.Errorf("%s is not in ECR", resolved)
		}
	})
}
