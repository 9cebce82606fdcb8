package awssim

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// pullForTest pulls for an ARM64 task of our account in Mumbai.
func (s *Simulator) pullForTest(image string) pullResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.pull(pullRequest{account: s.accountOf(ownAccount), region: mumbai, image: image, architecture: "arm64"})
}

func TestATaskPullsWhatItsImageNames(t *testing.T) {
	s := New(Options{})
	home, abroad := ecrClientOf(t, s, ownAccount, mumbai), ecrClientOf(t, s, ownAccount, singapore)
	foreign := ecrClientOf(t, s, otherAccount, mumbai)
	createTestRepository(t, home, backendName)
	createTestRepository(t, abroad, backendName)
	createTestRepository(t, foreign, "closed")
	createTestRepository(t, foreign, "open")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/execution"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`
	if _, err := foreign.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String("open"), PolicyText: &policy}); err != nil {
		t.Fatal(err)
	}
	arm := pushTestImage(t, home, backendName, "arm", seed.Image{})
	latest := pushTestImage(t, home, backendName, "latest", seed.Image{})
	intel := pushTestImage(t, home, backendName, "intel", seed.Image{Platforms: []string{intelPlatform}})
	both := pushTestImage(t, home, backendName, "both", seed.Image{Platforms: []string{armPlatform, intelPlatform}, Attestation: true})
	pushTestImage(t, home, backendName, "intel-index", seed.Image{Platforms: []string{intelPlatform}, Attestation: true})
	far := pushTestImage(t, abroad, backendName, "far", seed.Image{})
	pushTestImage(t, foreign, "closed", firstTag, seed.Image{})
	open := pushTestImage(t, foreign, "open", firstTag, seed.Image{})

	for image, c := range map[string]struct {
		digest string
		wrong  bool
		err    string // part of it
	}{
		ownECRHost + "/helium-backend:arm":                      {digest: arm},
		ownECRHost + "/helium-backend":                          {digest: latest},
		ownECRHost + "/helium-backend@" + arm:                   {digest: arm},
		ownECRHost + "/helium-backend:intel@" + arm:             {digest: arm},
		ownECRHost + "/helium-backend:intel":                    {digest: intel, wrong: true},
		ownECRHost + "/helium-backend:both":                     {digest: both},
		ownECRHost + "/helium-backend:intel-index":              {wrong: true, err: "image Manifest does not contain descriptor matching platform 'linux/arm64'"},
		ownECRHost + "/helium-backend:far":                      {err: "failed to resolve ref " + ownECRHost + "/helium-backend:far: " + ownECRHost + "/helium-backend:far: not found"},
		ownECRHost + "/helium-backend@" + missingDigest:         {err: "not found"},
		ownECRHost + "/absent:v1":                               {err: "not found"},
		ecrHost(ownAccount, singapore) + "/helium-backend:far":  {digest: far},
		ecrHost(otherAccount, mumbai) + "/open:v1":              {digest: open},
		ecrHost(otherAccount, mumbai) + "/closed:v1":            {err: "pulling from host 444455556666.dkr.ecr.ap-south-1.amazonaws.com failed with status code [manifests v1]: 403 Forbidden"},
		ecrHost("999999999999", mumbai) + "/helium-backend:arm": {err: "403 Forbidden"},
		"nginx":                               {digest: digestOfText("nginx")},
		"localhost:5000/app@" + missingDigest: {digest: missingDigest},
		"public.ecr.aws/nginx/nginx:1.27":     {digest: digestOfText("public.ecr.aws/nginx/nginx:1.27")},
		strings.Replace(ownECRHost, ".dkr.ecr.", ".dkr.ecr-fips.", 1) + "/x:1": {err: "not found"},
	} {
		t.Run(image, func(t *testing.T) {
			got := s.pullForTest(image)
			if c.digest != "" && got.digest != c.digest || got.wrongArchitecture != c.wrong || (got.err == "") != (c.err == "") || !strings.Contains(got.err, c.err) {
				t.Errorf("%+v, want %+v", got, c)
			}
			if got.err != "" && !strings.HasPrefix(got.err, "CannotPullContainerError: ") {
				t.Errorf("%s", got.err)
			}
		})
	}
	if got := s.pullForTest(ownECRHost + "/helium-backend:both"); got.child == both || got.child == "" || got.size == 0 {
		t.Errorf("%+v should name the manifest for the platform", got)
	}
}
