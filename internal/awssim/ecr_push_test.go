package awssim

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

func digestOfText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// uploadBlob uploads text as a layer of one part.
func uploadBlob(t *testing.T, client *ecr.Client, text string) (string, error) {
	t.Helper()
	name := aws.String(backendName)
	upload, err := client.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: name})
	if err != nil {
		t.Fatal(err)
	}
	if text != "" {
		_, err = client.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{
			RepositoryName: name, UploadId: upload.UploadId, LayerPartBlob: []byte(text),
			PartFirstByte: aws.Int64(0), PartLastByte: aws.Int64(int64(len(text)) - 1),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	digest := digestOfText(text)
	_, err = client.CompleteLayerUpload(t.Context(), &ecr.CompleteLayerUploadInput{
		RepositoryName: name, UploadId: upload.UploadId, LayerDigests: []string{digest},
	})
	return digest, err
}

func TestAnImageIsWhatWasPushed(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	digest := pushTestImage(t, client, backendName, firstTag, seed.Image{Labels: map[string]string{"git.branch": "main"}})
	out, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String(backendName), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String(firstTag)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := out.ImageDetails[0]
	if *got.ImageDigest != digest || *got.ImageManifestMediaType != ociManifestType || *got.ArtifactMediaType != ociConfigType ||
		got.ImageStatus != types.ImageStatusActive || *got.ImageSizeInBytes <= 0 || got.LastRecordedPullTime != nil {
		t.Errorf("%+v", got)
	}
	again := pushTestImage(t, client, backendName, firstTag, seed.Image{Labels: map[string]string{"git.branch": "main"}})
	if again != digest {
		t.Errorf("pushing again made %s of %s", again, digest)
	}
}

func TestWhatAPushNeedsMustBeThere(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	config, err := uploadBlob(t, client, `{"architecture":"arm64","os":"linux"}`)
	if err != nil {
		t.Fatal(err)
	}
	manifest := func(config, layers string) string {
		return `{"schemaVersion":2,"mediaType":"` + ociManifestType + `","config":{"mediaType":"` + ociConfigType +
			`","digest":"` + config + `","size":37},"layers":[` + layers + `]}`
	}
	layer := `{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":1,"digest":"` + missingDigest + `"}`
	index := `{"schemaVersion":2,"mediaType":"` + ociIndexType + `","manifests":[{"mediaType":"` + ociManifestType + `","size":1,"digest":"` + missingDigest + `"}]}`
	for name, c := range map[string]struct {
		in         ecr.PutImageInput
		code, text string
	}{
		"its config":                    {ecr.PutImageInput{ImageManifest: aws.String(manifest(missingDigest, ""))}, "LayersNotFoundException", missingDigest},
		"its layers":                    {ecr.PutImageInput{ImageManifest: aws.String(manifest(config, layer))}, "LayersNotFoundException", missingDigest},
		"the images of an index":        {ecr.PutImageInput{ImageManifest: &index}, "ReferencedImagesNotFoundException", "Images with digests '[" + missingDigest + "]' required for pushing image"},
		"JSON":                          {ecr.PutImageInput{ImageManifest: aws.String("{")}, "InvalidParameterException", "Invalid JSON syntax"},
		"a media type":                  {ecr.PutImageInput{ImageManifest: aws.String(`{"schemaVersion":2}`)}, "InvalidParameterException", "without a media type"},
		"the media type it states":      {ecr.PutImageInput{ImageManifest: &index, ImageManifestMediaType: aws.String(dockerListType)}, "InvalidParameterException", "must equal the media type"},
		"a media type of images":        {ecr.PutImageInput{ImageManifest: aws.String(`{"schemaVersion":2,"mediaType":"text/plain"}`)}, "InvalidParameterException", "supported media type"},
		"schema version 2":              {ecr.PutImageInput{ImageManifest: aws.String(`{"schemaVersion":1,"mediaType":"` + ociManifestType + `"}`)}, "InvalidParameterException", "schemaVersion"},
		"a config":                      {ecr.PutImageInput{ImageManifest: aws.String(`{"schemaVersion":2,"mediaType":"` + ociManifestType + `"}`)}, "InvalidParameterException", "config"},
		"the digest it states":          {ecr.PutImageInput{ImageManifest: aws.String(manifest(config, "")), ImageDigest: aws.String(missingDigest)}, "ImageDigestDoesNotMatchException", missingDigest},
		"a digest that is one":          {ecr.PutImageInput{ImageManifest: aws.String(manifest(config, "")), ImageDigest: aws.String("sha256:1")}, "InvalidParameterException", "imageDigest"},
		"a tag that is one":             {ecr.PutImageInput{ImageManifest: aws.String(manifest(config, "")), ImageTag: aws.String("-v1")}, "InvalidParameterException", "imageTag"},
		"digests in all of its entries": {ecr.PutImageInput{ImageManifest: aws.String(manifest("nonsense", ""))}, "InvalidParameterException", "sha256 digest"},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.RepositoryName = aws.String(backendName)
			_, err := client.PutImage(t.Context(), &c.in)
			wantCode(t, err, c.code, c.text)
		})
	}
	in := &ecr.PutImageInput{RepositoryName: aws.String(backendName), ImageManifest: aws.String(manifest(config, "")), ImageTag: aws.String(firstTag)}
	if _, err := client.PutImage(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	_, err = client.PutImage(t.Context(), in)
	wantCode(t, err, "ImageAlreadyExistsException", "and tag 'v1' already exists")
	in.ImageTag = nil
	_, err = client.PutImage(t.Context(), in)
	wantCode(t, err, "ImageAlreadyExistsException", "already exists in the repository")
}

func TestATagMovesUnlessItIsImmutable(t *testing.T) {
	exclude := []types.ImageTagMutabilityExclusionFilter{{FilterType: "WILDCARD", Filter: aws.String("dev-*")}}
	for name, c := range map[string]struct {
		mutability types.ImageTagMutability
		exclusions []types.ImageTagMutabilityExclusionFilter
		tag        string
		moves      bool
	}{
		"in a mutable repository":              {"MUTABLE", nil, "v1", true},
		"in an immutable one":                  {"IMMUTABLE", nil, "v1", false},
		"excluded from immutability":           {"IMMUTABLE_WITH_EXCLUSION", exclude, "dev-1", true},
		"not excluded from immutability":       {"IMMUTABLE_WITH_EXCLUSION", exclude, "v1", false},
		"excluded from mutability":             {"MUTABLE_WITH_EXCLUSION", exclude, "dev-1", false},
		"not excluded from mutability":         {"MUTABLE_WITH_EXCLUSION", exclude, "mydev-1", true},
		"excluded although nothing follows it": {"MUTABLE_WITH_EXCLUSION", exclude, "dev-", false},
	} {
		t.Run(name, func(t *testing.T) {
			client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
			createTestRepository(t, client, backendName)
			if _, err := client.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{
				RepositoryName: aws.String(backendName), ImageTagMutability: c.mutability, ImageTagMutabilityExclusionFilters: c.exclusions,
			}); err != nil {
				t.Fatal(err)
			}
			pushTestImage(t, client, backendName, c.tag, seed.Image{Content: "one"})
			_, err := seed.Push(t.Context(), client, backendName, c.tag, seed.Image{Content: "two"})
			if !c.moves {
				wantCode(t, err, "ImageTagAlreadyExistsException",
					"The image tag '"+c.tag+"' already exists in the 'helium-backend' repository and cannot be overwritten because the tag is immutable.")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
				RepositoryName: aws.String(backendName), Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusUntagged},
			})
			if err != nil || len(out.ImageDetails) != 1 {
				t.Errorf("the first image should be untagged now: %+v, %v", out, err)
			}
		})
	}
}

func TestALayerIsUploadedInParts(t *testing.T) {
	client := ecrClientOf(t, New(Options{}), ownAccount, mumbai)
	createTestRepository(t, client, backendName)
	name := aws.String(backendName)
	big := strings.Repeat("a", 5<<20)
	part := func(id *string, first int, text string) error {
		_, err := client.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{
			RepositoryName: name, UploadId: id, LayerPartBlob: []byte(text),
			PartFirstByte: aws.Int64(int64(first)), PartLastByte: aws.Int64(int64(first + len(text) - 1)),
		})
		return err
	}
	complete := func(id *string, text string) error {
		_, err := client.CompleteLayerUpload(t.Context(), &ecr.CompleteLayerUploadInput{
			RepositoryName: name, UploadId: id, LayerDigests: []string{digestOfText(text)},
		})
		return err
	}
	start := func() *string {
		out, err := client.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: name})
		if err != nil {
			t.Fatal(err)
		}
		return out.UploadId
	}

	id := start()
	if err := part(id, 0, big); err != nil {
		t.Fatal(err)
	}
	wantCode(t, part(id, 3, "late"), "InvalidLayerPartException", "does not follow")
	if err := part(id, len(big), "end"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, complete(id, "something else"), "InvalidLayerException", "does not match")
	if err := complete(id, big+"end"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, complete(id, big+"end"), "UploadNotFoundException", *id)

	id = start()
	wantCode(t, complete(id, ""), "EmptyUploadException", *id)
	if err := part(id, 0, "small"); err != nil {
		t.Fatal(err)
	}
	if err := part(id, 5, "parts"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, complete(id, "smallparts"), "LayerPartTooSmallException", "at least 5242880 bytes")

	if _, err := uploadBlob(t, client, "twice"); err != nil {
		t.Fatal(err)
	}
	_, err := uploadBlob(t, client, "twice")
	wantCode(t, err, "LayerAlreadyExistsException", digestOfText("twice"))

	out, err := client.BatchCheckLayerAvailability(t.Context(), &ecr.BatchCheckLayerAvailabilityInput{
		RepositoryName: name, LayerDigests: []string{digestOfText("twice"), missingDigest, "nonsense"},
	})
	if err != nil || len(out.Layers) != 2 || out.Layers[0].LayerAvailability != types.LayerAvailabilityAvailable ||
		out.Layers[1].LayerAvailability != types.LayerAvailabilityUnavailable || len(out.Failures) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestALayerIsServedToWhoeverHoldsItsURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		client := ecrClientOf(t, s, ownAccount, mumbai)
		createTestRepository(t, client, backendName)
		digest, err := uploadBlob(t, client, `{"architecture":"arm64"}`)
		if err != nil {
			t.Fatal(err)
		}
		in := &ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String(backendName), LayerDigest: &digest}
		out, err := client.GetDownloadUrlForLayer(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		url := *out.DownloadUrl
		if !strings.HasPrefix(url, "http://awssim.local/_ecr/blobs/") {
			t.Errorf("the URL %s is not on the host of the request", url)
		}
		wantBlob(t, s, url, http.StatusOK, `{"architecture":"arm64"}`)
		wantBlob(t, s, strings.Replace(url, "X-Amz-Expires=3600", "X-Amz-Expires=9999", 1), http.StatusForbidden, "SignatureDoesNotMatch")
		wantBlob(t, s, strings.Replace(url, ownAccount, otherAccount, 1), http.StatusForbidden, "SignatureDoesNotMatch")
		wantBlob(t, s, url[:strings.Index(url, "?")], http.StatusForbidden, "AccessDenied")
		time.Sleep(blobLifetime + time.Second)
		wantBlob(t, s, url, http.StatusForbidden, "Request has expired")
		in.LayerDigest = aws.String(missingDigest)
		_, err = client.GetDownloadUrlForLayer(t.Context(), in)
		wantCode(t, err, "LayersNotFoundException", missingDigest)
	})
}

func wantBlob(t *testing.T, s *Simulator, url string, status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status || !strings.Contains(string(body), text) {
		t.Errorf("GET %s: %d %s, want %d with %s", url, response.StatusCode, body, status, text)
	}
}
