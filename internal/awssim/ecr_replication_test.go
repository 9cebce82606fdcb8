package awssim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func replicateTo(t *testing.T, client *ecr.Client, prefix, region, registry string) {
	t.Helper()
	rule := types.ReplicationRule{Destinations: []types.ReplicationDestination{{Region: &region, RegistryId: &registry}}}
	if prefix != "" {
		rule.RepositoryFilters = []types.RepositoryFilter{{Filter: &prefix, FilterType: types.RepositoryFilterTypePrefixMatch}}
	}
	if _, err := client.PutReplicationConfiguration(t.Context(), &ecr.PutReplicationConfigurationInput{
		ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{rule}},
	}); err != nil {
		t.Fatal(err)
	}
}

// replicationOf is the one status of an image in the source, "" for none.
func replicationOf(t *testing.T, client *ecr.Client, tag string) types.ReplicationStatus {
	t.Helper()
	out, err := client.DescribeImageReplicationStatus(t.Context(), &ecr.DescribeImageReplicationStatusInput{
		RepositoryName: aws.String(backendName), ImageId: &types.ImageIdentifier{ImageTag: &tag},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.ReplicationStatuses) == 0 {
		return ""
	}
	return out.ReplicationStatuses[0].Status
}

func describeTag(t *testing.T, client *ecr.Client, tag string) (*ecr.DescribeImagesOutput, error) {
	return client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{byTag(tag)},
	})
}

func TestAnImageArrivesInTheOtherRegionAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		source, target := ecrClientOf(t, s, ownAccount, mumbai), ecrClientOf(t, s, ownAccount, singapore)
		createTestRepository(t, source, backendName)
		pushTestImage(t, source, backendName, firstTag, seed.Image{})
		replicateTo(t, source, "helium", singapore, ownAccount)
		registry, err := source.DescribeRegistry(t.Context(), &ecr.DescribeRegistryInput{})
		if err != nil || len(registry.ReplicationConfiguration.Rules) != 1 || *registry.RegistryId != ownAccount {
			t.Errorf("%+v, %v", registry, err)
		}
		digest := pushTestImage(t, source, backendName, secondTag, seed.Image{Platforms: []string{armPlatform, intelPlatform}, Attestation: true})

		_, err = describeTag(t, target, secondTag)
		wantCode(t, err, "RepositoryNotFoundException", backendName)
		if got := replicationOf(t, source, secondTag); got != types.ReplicationStatusInProgress {
			t.Errorf("status %q right after the push", got)
		}
		time.Sleep(20 * time.Second)
		out, err := describeTag(t, target, secondTag)
		if err != nil || *out.ImageDetails[0].ImageDigest != digest {
			t.Errorf("%+v, %v", out, err)
		}
		if got := replicationOf(t, source, secondTag); got != types.ReplicationStatusComplete {
			t.Errorf("status %q after the delay", got)
		}
		if got := s.pullForTest(ecrHost(ownAccount, singapore) + "/helium-backend:v2"); got.err != "" || got.digest != digest {
			t.Errorf("%+v", got)
		}
		// What was pushed before the rule stays, and has no status.
		_, err = describeTag(t, target, firstTag)
		wantCode(t, err, "ImageNotFoundException", "v1")
		if got := replicationOf(t, source, firstTag); got != "" {
			t.Errorf("status %q of an image that no rule has seen", got)
		}
		_, err = source.DescribeImageReplicationStatus(t.Context(), &ecr.DescribeImageReplicationStatusInput{
			RepositoryName: aws.String(backendName), ImageId: &types.ImageIdentifier{ImageTag: aws.String("v9")},
		})
		wantCode(t, err, "ImageNotFoundException", "v9")
	})
}

func TestOnlyMatchingRepositoriesAreReplicated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Speed: 10})
		source := ecrClientOf(t, s, ownAccount, mumbai)
		createTestRepository(t, source, backendName)
		replicateTo(t, source, "other", singapore, ownAccount)
		pushTestImage(t, source, backendName, firstTag, seed.Image{})
		if got := replicationOf(t, source, firstTag); got != "" {
			t.Errorf("status %q", got)
		}
		s.SetReplicationDelay(ownAccount, mumbai, time.Minute)
		replicateTo(t, source, "", singapore, ownAccount)
		pushTestImage(t, source, backendName, secondTag, seed.Image{})
		time.Sleep(5 * time.Second)
		if got := replicationOf(t, source, secondTag); got != types.ReplicationStatusInProgress {
			t.Errorf("status %q after 50 of 60 seconds of AWS's", got)
		}
		time.Sleep(time.Second)
		if got := replicationOf(t, source, secondTag); got != types.ReplicationStatusComplete {
			t.Errorf("status %q after 60 seconds of AWS's", got)
		}
	})
}

func TestAnImmutableTagAtTheDestinationStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		source, target := ecrClientOf(t, s, ownAccount, mumbai), ecrClientOf(t, s, ownAccount, singapore)
		createTestRepository(t, source, backendName)
		createTestRepository(t, target, backendName, func(in *ecr.CreateRepositoryInput) { in.ImageTagMutability = "IMMUTABLE" })
		there := pushTestImage(t, target, backendName, firstTag, seed.Image{Content: "there"})
		replicateTo(t, source, "", singapore, ownAccount)
		here := pushTestImage(t, source, backendName, firstTag, seed.Image{Content: "here"})
		time.Sleep(time.Minute)
		out, err := target.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(backendName)})
		if err != nil || len(out.ImageDetails) != 2 {
			t.Fatalf("%+v, %v", out, err)
		}
		if *out.ImageDetails[0].ImageDigest != there || len(out.ImageDetails[0].ImageTags) != 1 ||
			*out.ImageDetails[1].ImageDigest != here || len(out.ImageDetails[1].ImageTags) != 0 {
			t.Errorf("%+v", out.ImageDetails)
		}
	})
}

func TestAnotherAccountMustAdmitWhatIsReplicated(t *testing.T) {
	for name, admits := range map[string]bool{"without its policy": false, "with its policy": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{})
				source, target := ecrClientOf(t, s, ownAccount, mumbai), ecrClientOf(t, s, otherAccount, mumbai)
				createTestRepository(t, source, backendName)
				want := types.ReplicationStatusFailed
				if admits {
					want = types.ReplicationStatusComplete
					text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
						"Action":["ecr:ReplicateImage","ecr:CreateRepository"],"Resource":"arn:aws:ecr:ap-south-1:444455556666:repository/*"}]}`
					if _, err := target.PutRegistryPolicy(t.Context(), &ecr.PutRegistryPolicyInput{PolicyText: &text}); err != nil {
						t.Fatal(err)
					}
					if out, err := target.GetRegistryPolicy(t.Context(), &ecr.GetRegistryPolicyInput{}); err != nil || *out.PolicyText != text {
						t.Errorf("%+v, %v", out, err)
					}
				}
				replicateTo(t, source, "", mumbai, otherAccount)
				pushTestImage(t, source, backendName, firstTag, seed.Image{})
				time.Sleep(time.Minute)
				if got := replicationOf(t, source, firstTag); got != want {
					t.Errorf("status %q, want %q", got, want)
				}
				if _, err := describeTag(t, target, firstTag); (err == nil) != admits {
					t.Error(err)
				}
				if admits {
					if _, err := target.DeleteRegistryPolicy(t.Context(), &ecr.DeleteRegistryPolicyInput{}); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestWrongReplicationRulesAreRefused(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	for name, d := range map[string]types.ReplicationDestination{
		"to itself":         {Region: aws.String(mumbai), RegistryId: aws.String(ownAccount)},
		"to no account":     {Region: aws.String(mumbai), RegistryId: aws.String("x")},
		"to no region name": {Region: aws.String("Mumbai!"), RegistryId: aws.String(ownAccount)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.PutReplicationConfiguration(t.Context(), &ecr.PutReplicationConfigurationInput{
				ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{{Destinations: []types.ReplicationDestination{d}}}},
			})
			wantCode(t, err, "InvalidParameterException", "replicationConfiguration")
		})
	}
}
