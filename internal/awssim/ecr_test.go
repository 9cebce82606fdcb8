package awssim

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

const (
	ownAccount     = "111122223333"
	mumbai         = "ap-south-1"
	singapore      = "ap-southeast-1"
	ownECRHost     = "111122223333.dkr.ecr.ap-south-1.amazonaws.com"
	missingDigest  = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	backendARN     = "arn:aws:ecr:ap-south-1:111122223333:repository/helium-backend"
	backendName    = "helium-backend"
	armPlatform    = "linux/arm64"
	intelPlatform  = "linux/amd64"
	firstTag       = "v1"
	secondTag      = "v2"
	someTestTagKey = "team"
)

// ecrClientOf is a real client, as the root of an account.
func ecrClientOf(t *testing.T, s *Simulator, account, region string) *ecr.Client {
	t.Helper()
	return ecr.NewFromConfig(sdkConfig(t, s, region, account, rootSecret, ""))
}

func createTestRepository(t *testing.T, client *ecr.Client, name string, change ...func(*ecr.CreateRepositoryInput)) *types.Repository {
	t.Helper()
	in := &ecr.CreateRepositoryInput{RepositoryName: &name}
	for _, c := range change {
		c(in)
	}
	out, err := client.CreateRepository(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Repository
}

func pushTestImage(t *testing.T, client *ecr.Client, repository, tag string, image seed.Image) string {
	t.Helper()
	digest, err := seed.Push(t.Context(), client, repository, tag, image)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// wantCode fails unless err is AWS's error of that code, with a message that contains text.
func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var failure smithy.APIError
	if !errors.As(err, &failure) || failure.ErrorCode() != code || !strings.Contains(failure.ErrorMessage(), text) {
		t.Errorf("error %v, want %s with %q", err, code, text)
	}
}

func TestARepositoryIsCreatedDescribedAndDeleted(t *testing.T) {
	s := New(Options{})
	client := ecrClientOf(t, s, ownAccount, mumbai)
	created := createTestRepository(t, client, backendName, func(in *ecr.CreateRepositoryInput) {
		in.Tags = []types.Tag{{Key: aws.String(someTestTagKey), Value: aws.String("core")}}
	})
	if *created.RepositoryArn != backendARN || *created.RepositoryUri != ownECRHost+"/"+backendName ||
		*created.RegistryId != ownAccount || created.ImageTagMutability != types.ImageTagMutabilityMutable || created.CreatedAt == nil {
		t.Errorf("created %+v", created)
	}
	_, err := client.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String(backendName)})
	wantCode(t, err, "RepositoryAlreadyExistsException", "The repository with name 'helium-backend' already exists in the registry with id '111122223333'")

	pushTestImage(t, client, backendName, firstTag, seed.Image{})
	_, err = client.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String(backendName)})
	wantCode(t, err, "RepositoryNotEmptyException", "still contains images")
	if _, err = client.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String(backendName), Force: true}); err != nil {
		t.Fatal(err)
	}
	_, err = client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{backendName}})
	wantCode(t, err, "RepositoryNotFoundException", "The repository with name 'helium-backend' does not exist in the registry with id '111122223333'")
}

func TestRegistriesOfRegionsAndAccountsAreApart(t *testing.T) {
	s := New(Options{})
	createTestRepository(t, ecrClientOf(t, s, ownAccount, mumbai), backendName)
	for name, client := range map[string]*ecr.Client{
		"another region":  ecrClientOf(t, s, ownAccount, singapore),
		"another account": ecrClientOf(t, s, otherAccount, mumbai),
	} {
		out, err := client.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
		if err != nil || len(out.Repositories) != 0 {
			t.Errorf("%s sees %v, %v", name, out, err)
		}
	}
}

func TestRepositoriesComePageByPage(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	var want, got []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("team/app-%d", i))
		createTestRepository(t, client, want[i])
	}
	pages := 0
	for p := ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(2)}); p.HasMorePages(); pages++ {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Repositories {
			got = append(got, *r.RepositoryName)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || pages != 3 {
		t.Errorf("%d pages, %s", pages, diff)
	}
}

func TestWrongRepositoriesAreRefused(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	exclusion := types.ImageTagMutabilityExclusionFilter{FilterType: "WILDCARD", Filter: aws.String("dev-*")}
	for name, in := range map[string]*ecr.CreateRepositoryInput{
		"an upper-case name":              {RepositoryName: aws.String("Backend")},
		"a name of one letter":            {RepositoryName: aws.String("b")},
		"a registry of another account":   {RepositoryName: aws.String("app"), RegistryId: aws.String(otherAccount)},
		"a registry that is none":         {RepositoryName: aws.String("app"), RegistryId: aws.String("mine")},
		"an unknown mutability":           {RepositoryName: aws.String("app"), ImageTagMutability: "SOFT"},
		"exclusions without exclusion":    {RepositoryName: aws.String("app"), ImageTagMutability: "IMMUTABLE", ImageTagMutabilityExclusionFilters: []types.ImageTagMutabilityExclusionFilter{exclusion}},
		"exclusion without exclusions":    {RepositoryName: aws.String("app"), ImageTagMutability: "IMMUTABLE_WITH_EXCLUSION"},
		"an exclusion that is no pattern": {RepositoryName: aws.String("app"), ImageTagMutability: "IMMUTABLE_WITH_EXCLUSION", ImageTagMutabilityExclusionFilters: []types.ImageTagMutabilityExclusionFilter{{FilterType: "WILDCARD", Filter: aws.String("a b")}}},
		"an unknown encryption":           {RepositoryName: aws.String("app"), EncryptionConfiguration: &types.EncryptionConfiguration{EncryptionType: "ROT13"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.CreateRepository(t.Context(), in)
			wantCode(t, err, "InvalidParameterException", "Invalid parameter at '")
		})
	}
}

func TestRepositoriesCarryTags(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName, func(in *ecr.CreateRepositoryInput) {
		in.Tags = []types.Tag{{Key: aws.String(someTestTagKey), Value: aws.String("core")}}
	})
	arn := aws.String(backendARN)
	_, err := client.TagResource(t.Context(), &ecr.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{
		{Key: aws.String(someTestTagKey), Value: aws.String("platform")}, {Key: aws.String("stage"), Value: aws.String("prod")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.UntagResource(t.Context(), &ecr.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"stage", "absent"}}); err != nil {
		t.Fatal(err)
	}
	out, err := client.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(out.Tags) != 1 || *out.Tags[0].Value != "platform" {
		t.Errorf("tags %v, %v", out, err)
	}
	_, err = client.TagResource(t.Context(), &ecr.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}}})
	wantCode(t, err, "InvalidTagParameterException", "aws: prefixed tag key names")
	_, err = client.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:s3:::bucket")})
	wantCode(t, err, "InvalidParameterException", "ARN of a repository")
}

func TestTheRegistryHandsOutTokens(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	out, err := client.GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{})
	if err != nil || len(out.AuthorizationData) != 1 || *out.AuthorizationData[0].ProxyEndpoint != "https://"+ownECRHost {
		t.Errorf("%+v, %v", out, err)
	}
}

// crossAccountCases: what another account's root may do in ours under a policy of the repository.
func TestAnotherAccountNeedsThePolicyOfTheRepository(t *testing.T) {
	statement := func(effect, principal, action string) string {
		return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":%q}`, effect, principal, action)
	}
	root := `{"AWS":"arn:aws:iam::444455556666:root"}`
	for name, c := range map[string]struct {
		statements []string
		denied     string // part of the message, "" when it may
	}{
		"without a policy":                {nil, "because no resource-based policy allows the ecr:DescribeImages action"},
		"by its root":                     {[]string{statement("Allow", root, "ecr:DescribeImages")}, ""},
		"by its number":                   {[]string{statement("Allow", `{"AWS":["444455556666"]}`, "ecr:Describe*")}, ""},
		"as everybody":                    {[]string{statement("Allow", `"*"`, "ecr:*")}, ""},
		"for another action":              {[]string{statement("Allow", root, "ecr:ListImages")}, "because no resource-based policy allows"},
		"for another account":             {[]string{statement("Allow", `{"AWS":"777788889999"}`, "ecr:*")}, "because no resource-based policy allows"},
		"denied after having been let in": {[]string{statement("Allow", `"*"`, "ecr:*"), statement("Deny", root, "ecr:DescribeImages")}, "with an explicit deny in a resource-based policy"},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Options{})
			owner, other := ecrClientOf(t, s, ownAccount, mumbai), ecrClientOf(t, s, otherAccount, mumbai)
			createTestRepository(t, owner, backendName)
			if c.statements != nil {
				text := fmt.Sprintf(`{"Version":"2008-10-17","Statement":[%s]}`, strings.Join(c.statements, ","))
				if _, err := owner.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String(backendName), PolicyText: &text}); err != nil {
					t.Fatal(err)
				}
			}
			_, err := other.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RegistryId: aws.String(ownAccount), RepositoryName: aws.String(backendName)})
			if c.denied == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, "AccessDeniedException", "User: arn:aws:iam::444455556666:root is not authorized to perform: ecr:DescribeImages on resource: "+backendARN+" "+c.denied)
		})
	}
}

func TestPoliciesAreKeptAsTheyWereWritten(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	name := aws.String(backendName)
	_, err := client.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: name})
	wantCode(t, err, "RepositoryPolicyNotFoundException", "Repository policy does not exist")
	for _, bad := range []string{"", "{}", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*","Resource":"*"}]}`} {
		_, err := client.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: &bad})
		wantCode(t, err, "InvalidParameterException", "Invalid repository policy provided")
	}
	text := `{ "Version": "2012-10-17", "Statement": {"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"} }`
	if _, err := client.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: &text}); err != nil {
		t.Fatal(err)
	}
	if out, err := client.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: name}); err != nil || *out.PolicyText != text {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := client.DeleteRepositoryPolicy(t.Context(), &ecr.DeleteRepositoryPolicyInput{RepositoryName: name}); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetRegistryPolicy(t.Context(), &ecr.GetRegistryPolicyInput{})
	wantCode(t, err, "RegistryPolicyNotFoundException", ownAccount)
}
