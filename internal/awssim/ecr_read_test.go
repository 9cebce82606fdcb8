package awssim

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func byTag(tag string) types.ImageIdentifier { return types.ImageIdentifier{ImageTag: &tag} }

func byDigest(digest string) types.ImageIdentifier {
	return types.ImageIdentifier{ImageDigest: &digest}
}

func TestOneMissingImageFailsTheWholeDescription(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	digest := pushTestImage(t, client, backendName, firstTag, seed.Image{})
	for name, c := range map[string]struct {
		id         types.ImageIdentifier
		code, text string
	}{
		"by tag": {
			byTag("v9"), "ImageNotFoundException",
			"The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name 'helium-backend' in the registry with id '111122223333'",
		},
		"by digest": {
			byDigest(missingDigest), "ImageNotFoundException",
			"The image with imageId {imageDigest:'" + missingDigest + "', imageTag:'null'} does not exist",
		},
		"by a tag of another digest": {types.ImageIdentifier{ImageTag: aws.String(firstTag), ImageDigest: aws.String(missingDigest)}, "ImageNotFoundException", missingDigest},
		"by nothing":                 {types.ImageIdentifier{}, "InvalidParameterException", "cannot be null"},
		"by no digest":               {byDigest("nonsense"), "InvalidParameterException", "image digest"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
				RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{byDigest(digest), c.id},
			})
			wantCode(t, err, c.code, c.text)
		})
	}
	_, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("absent")})
	wantCode(t, err, "RepositoryNotFoundException", "The repository with name 'absent' does not exist in the registry with id '111122223333'")
}

func TestImagesComePageByPageOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
		createTestRepository(t, client, backendName)
		var want []string
		for i := range 5 {
			want = append(want, fmt.Sprintf("v%d", 5-i))
			pushTestImage(t, client, backendName, want[i], seed.Image{})
			time.Sleep(time.Second)
		}
		var described, listed []string
		for p := ecr.NewDescribeImagesPaginator(client, &ecr.DescribeImagesInput{RepositoryName: aws.String(backendName), MaxResults: aws.Int32(2)}); p.HasMorePages(); {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page.ImageDetails {
				described = append(described, d.ImageTags...)
			}
		}
		for p := ecr.NewListImagesPaginator(client, &ecr.ListImagesInput{RepositoryName: aws.String(backendName), MaxResults: aws.Int32(3)}); p.HasMorePages(); {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range page.ImageIds {
				listed = append(listed, *id.ImageTag)
			}
		}
		if diff := cmp.Diff([][]string{want, want}, [][]string{described, listed}); diff != "" {
			t.Error(diff)
		}
		_, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(backendName), NextToken: aws.String("?")})
		wantCode(t, err, "InvalidParameterException", "nextToken")
	})
}

func TestAnIndexHoldsItsPlatformsAndAttestations(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	digest := pushTestImage(t, client, backendName, firstTag, seed.Image{Platforms: []string{armPlatform, intelPlatform}, Attestation: true})
	out, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{byTag(firstTag)},
		AcceptedMediaTypes: []string{ociIndexType, dockerListType, ociManifestType, dockerManifestType},
	})
	if err != nil || len(out.Images) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if digestOfText(*out.Images[0].ImageManifest) != digest || *out.Images[0].ImageManifestMediaType != ociIndexType {
		t.Errorf("%+v", out.Images[0])
	}
	var index ecrManifest
	if err := json.Unmarshal([]byte(*out.Images[0].ImageManifest), &index); err != nil {
		t.Fatal(err)
	}
	var entries []string
	for _, m := range index.Manifests {
		entries = append(entries, fmt.Sprintf("%s/%s %t", m.Platform.OS, m.Platform.Architecture, m.attestation()))
	}
	want := []string{"linux/arm64 false", "linux/amd64 false", "unknown/unknown true", "unknown/unknown true"}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Error(diff)
	}
}

func TestAMissingImageIsAFailureOfItsOwn(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	one := pushTestImage(t, client, backendName, firstTag, seed.Image{})
	pushTestImage(t, client, backendName, secondTag, seed.Image{})
	out, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String(backendName),
		ImageIds: []types.ImageIdentifier{
			byDigest(one), byTag("v9"),
			{},
			byDigest("nonsense"), byTag("-"),
			{ImageDigest: &one, ImageTag: aws.String(secondTag)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var codes []types.ImageFailureCode
	for _, f := range out.Failures {
		codes = append(codes, f.FailureCode)
	}
	want := []types.ImageFailureCode{"ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest", "InvalidImageTag", "ImageTagDoesNotMatchDigest"}
	if diff := cmp.Diff(want, codes); diff != "" || len(out.Images) != 1 {
		t.Errorf("%d images, %s", len(out.Images), diff)
	}
}

func TestATagIsTranslatedForClientsOfTheOtherFormat(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	digest := pushTestImage(t, client, backendName, firstTag, seed.Image{})
	pushTestImage(t, client, backendName, secondTag, seed.Image{Index: true})
	for name, c := range map[string]struct {
		id   types.ImageIdentifier
		want string
	}{
		"an image by tag":    {byTag(firstTag), dockerManifestType},
		"an image by digest": {byDigest(digest), ociManifestType},
		"an index":           {byTag(secondTag), ociIndexType},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
				RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{c.id}, AcceptedMediaTypes: []string{dockerManifestType},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := out.Images[0]
			if *got.ImageManifestMediaType != c.want || digestOfText(*got.ImageManifest) != *got.ImageId.ImageDigest {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestGettingAManifestCountsAsAPullOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
		createTestRepository(t, client, backendName)
		pushTestImage(t, client, backendName, firstTag, seed.Image{})
		pulled := func() time.Time {
			if _, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
				RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{byTag(firstTag)},
			}); err != nil {
				t.Fatal(err)
			}
			out, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(backendName)})
			if err != nil {
				t.Fatal(err)
			}
			return *out.ImageDetails[0].LastRecordedPullTime
		}
		first := pulled()
		time.Sleep(time.Hour)
		if again := pulled(); !again.Equal(first) {
			t.Errorf("an hour later the pull is recorded as %v, first %v", again, first)
		}
		time.Sleep(24 * time.Hour)
		if next := pulled(); !next.After(first) {
			t.Errorf("a day later the pull is still %v", next)
		}
	})
}

func TestDeletingTheLastTagDeletesTheImage(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	remove := func(ids ...types.ImageIdentifier) *ecr.BatchDeleteImageOutput {
		out, err := client.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String(backendName), ImageIds: ids})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	count := func() int {
		out, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(backendName)})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.ImageDetails)
	}
	pushTestImage(t, client, backendName, firstTag, seed.Image{Content: "same"})
	pushTestImage(t, client, backendName, secondTag, seed.Image{Content: "same"})
	if remove(byTag(firstTag)); count() != 1 {
		t.Error("the image went with the first of two tags")
	}
	if remove(byTag(secondTag)); count() != 0 {
		t.Error("the image stayed without tags")
	}

	index := pushTestImage(t, client, backendName, firstTag, seed.Image{Index: true})
	details, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String(backendName), Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusUntagged},
	})
	if err != nil {
		t.Fatal(err)
	}
	child := *details.ImageDetails[0].ImageDigest
	if out := remove(byDigest(child), byTag("absent")); len(out.Failures) != 2 ||
		out.Failures[0].FailureCode != "ImageReferencedByManifestList" || out.Failures[1].FailureCode != "ImageNotFound" {
		t.Errorf("%+v", out.Failures)
	}
	if remove(byDigest(child), byDigest(index)); count() != 0 {
		t.Error("index and image should go together")
	}
}

func TestAnArchivedImageIsHiddenAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := ecrClientOf(t, s, ownAccount, mumbai)
		createTestRepository(t, client, backendName)
		pushTestImage(t, client, backendName, firstTag, seed.Image{})
		move := func(class types.TargetStorageClass) types.ImageStatus {
			out, err := client.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
				RepositoryName: aws.String(backendName), ImageId: &types.ImageIdentifier{ImageTag: aws.String(firstTag)}, TargetStorageClass: class,
			})
			if err != nil {
				t.Fatal(err)
			}
			return out.ImageStatus
		}
		look := func(status types.ImageStatusFilter) (*ecr.DescribeImagesOutput, error) {
			return client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
				RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{byTag(firstTag)},
				Filter: &types.DescribeImagesFilter{ImageStatus: status},
			})
		}
		if got := move(types.TargetStorageClassArchive); got != types.ImageStatusArchived {
			t.Errorf("status %s", got)
		}
		_, err := look("")
		wantCode(t, err, "ImageNotFoundException", "imageTag:'v1'")
		if out, err := look(types.ImageStatusFilterAny); err != nil || out.ImageDetails[0].LastArchivedAt == nil {
			t.Errorf("%+v, %v", out, err)
		}
		if got := s.pullForTest(ownECRHost + "/helium-backend:v1"); got.err == "" {
			t.Error("an archived image can be pulled")
		}
		if got := move(types.TargetStorageClassStandard); got != types.ImageStatusActivating {
			t.Errorf("status %s", got)
		}
		time.Sleep(ecrActivation)
		if _, err := look(""); err != nil {
			t.Error(err)
		}
	})
}

func TestAStaleReadShowsTheTagAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := ecrClientOf(t, s, ownAccount, mumbai)
		createTestRepository(t, client, backendName)
		old := pushTestImage(t, client, backendName, firstTag, seed.Image{Content: "old"})
		time.Sleep(time.Minute)
		pushTestImage(t, client, backendName, firstTag, seed.Image{Content: "new"})
		mustAddFault(t, s, Fault{Operation: "DescribeImages", Times: 1, Staleness: 30 * time.Second})
		out, err := describeTag(t, client, firstTag)
		if err != nil || *out.ImageDetails[0].ImageDigest != old {
			t.Errorf("%+v, %v, want %s", out, err, old)
		}
		if out, err = describeTag(t, client, firstTag); err != nil || *out.ImageDetails[0].ImageDigest == old {
			t.Errorf("%+v, %v, want the new image", out, err)
		}
	})
}
