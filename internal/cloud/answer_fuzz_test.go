package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// teller is an AWS that answers every operation with what it was told to, well-formed or not.
type teller struct {
	mu      sync.Mutex
	answers map[string]told
	asked   map[string]int
}

// told is an answer.
type told struct {
	status    int
	errorType string
	body      func() io.Reader
}

func says(status int, body string) told {
	return told{status: status, body: func() io.Reader { return strings.NewReader(body) }}
}

// RoundTrip implements [http.RoundTripper].
func (a *teller) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	operation := "layer"
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	} else if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if form, err := url.ParseQuery(string(body)); err == nil {
			operation = form.Get("Action")
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[operation]++
	answer, ok := a.answers[operation]
	if !ok {
		return nil, fmt.Errorf("nobody said what %s answers", operation)
	}
	header := http.Header{"X-Amzn-Requestid": {"request"}, "Content-Type": {"application/x-amz-json-1.1"}}
	if answer.errorType != "" {
		header["X-Amzn-Errortype"] = []string{answer.errorType}
	}
	return &http.Response{
		StatusCode: answer.status, Status: fmt.Sprint(answer.status), ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(answer.body()), ContentLength: -1, Request: r,
	}, nil
}

const (
	fuzzRole   = "arn:aws:iam::" + account + ":role/releases"
	fuzzDigest = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
	ecsARN     = "arn:aws:ecs:" + region + ":" + account + ":"
)

// wellFormed is what a sound AWS says: one service, web, in the middle of a deployment of ours.
func wellFormed() map[string]told {
	const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"CONFIG","size":44}}`
	const config = `{"architecture":"arm64","os":"linux","x":1}`
	quoted, _ := json.Marshal(strings.ReplaceAll(manifest, "CONFIG", digestOf([]byte(config)))) //nolint:errchkjson // a string
	bodies := map[string]string{
		"GetCallerIdentity": `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>` + account + `</Account><Arn>arn:aws:sts::` + account + `:assumed-role/releases/x</Arn><UserId>U</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>`,
		"AssumeRole": `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>` +
			`<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		"DescribeServices": `{"services":[{"serviceName":"web","status":"ACTIVE","taskDefinition":"` + ecsARN + `task-definition/web:2","desiredCount":2,"runningCount":2,"createdAt":1758001122.337,` +
			`"deploymentConfiguration":{"minimumHealthyPercent":100,"maximumPercent":200},"deploymentController":{"type":"ECS"},"currentServiceRevisions":[{"arn":"` + ecsARN + `service-revision/helium/web/2"}],` +
			`"deployments":[{"id":"ecs-svc/2","status":"PRIMARY","taskDefinition":"` + ecsARN + `task-definition/web:2","rolloutState":"IN_PROGRESS","createdAt":1.7e9},{"id":"ecs-svc/1","status":"ACTIVE"}]}],"failures":[]}`,
		"DescribeTaskDefinition":     `{"taskDefinition":{"taskDefinitionArn":"` + ecsARN + `task-definition/web:2","family":"web","revision":2,"status":"ACTIVE","containerDefinitions":[{"name":"web","image":"x:1"}]},"tags":[]}`,
		"ListTaskDefinitions":        `{"taskDefinitionArns":["` + ecsARN + `task-definition/web:2"]}`,
		"ListServiceDeployments":     `{"serviceDeployments":[{"serviceDeploymentArn":"` + ecsARN + `service-deployment/helium/web/d","targetServiceRevisionArn":"` + ecsARN + `service-revision/helium/web/2","createdAt":1758001122}]}`,
		"DescribeServiceDeployments": `{"serviceDeployments":[{"serviceDeploymentArn":"` + ecsARN + `service-deployment/helium/web/d","status":"IN_PROGRESS","createdAt":1758001122,"targetServiceRevision":{"arn":"` + ecsARN + `service-revision/helium/web/2"},"deploymentCircuitBreaker":{"status":"TRIGGERED","failureCount":3,"threshold":3},"rollback":{"reason":"r"}}]}`,
		"DescribeServiceRevisions":   `{"serviceRevisions":[{"serviceRevisionArn":"` + ecsARN + `service-revision/helium/web/2","taskDefinition":"` + ecsARN + `task-definition/web:2","containerImages":[{"containerName":"web","image":"x:1"}]}]}`,
		"ListTasks":                  `{"taskArns":["` + ecsARN + `task/helium/1"]}`,
		"DescribeTasks":              `{"tasks":[{"taskArn":"` + ecsARN + `task/helium/1","lastStatus":"RUNNING","startedBy":"ecs-svc/2","containers":[{"name":"web","image":"x:1","imageDigest":"` + fuzzDigest + `"}]}]}`,
		"DescribeImages":             `{"imageDetails":[{"imageDigest":"` + digestOf([]byte(strings.ReplaceAll(manifest, "CONFIG", digestOf([]byte(config))))) + `","imageStatus":"ACTIVE"}]}`,
		"DescribeRepositories":       `{"repositories":[{"imageTagMutability":"IMMUTABLE_WITH_EXCLUSION","imageTagMutabilityExclusionFilters":[{"filter":"dev-*"}]}]}`,
		"BatchGetImage":              `{"images":[{"imageManifest":` + string(quoted) + `,"imageManifestMediaType":"application/vnd.oci.image.manifest.v1+json"}],"failures":[]}`,
		"GetDownloadUrlForLayer":     `{"downloadUrl":"https://layers.example/config?X-Amz-Signature=SECRET"}`,
		"layer":                      config,
		"RegisterTaskDefinition":     `{"taskDefinition":{"taskDefinitionArn":"` + ecsARN + `task-definition/web:3"}}`,
		"UpdateService":              `{"service":{"serviceName":"web","deployments":[{"id":"ecs-svc/3","status":"PRIMARY","taskDefinition":"` + ecsARN + `task-definition/web:3"}]}}`,
	}
	answers := map[string]told{}
	for operation, body := range bodies {
		answers[operation] = says(http.StatusOK, body)
	}
	return answers
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// inFuzzWorld asks a fleet whose AWS answers as told everything that a fleet can be asked.
func inFuzzWorld(t *testing.T, answers map[string]told, ask func(t *testing.T, f *Fleet)) (asked map[string]int) {
	t.Helper()
	a := &teller{answers: answers, asked: map[string]int{}}
	synctest.Test(t, func(t *testing.T) {
		fleet, err := New(Options{Config: func(context.Context) (aws.Config, error) {
			return aws.Config{
				Region: "us-east-1", HTTPClient: &http.Client{Transport: a},
				Credentials: credentials.NewStaticCredentialsProvider("AKIACONTROLLER000000", "secret", ""),
			}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- fleet.Start(ctx) }()
		ask(t, fleet)
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return a.asked
}

var fuzzKey = Key{
	Identity: Identity{AccountID: account, RoleARN: fuzzRole, ExternalID: "helium", Environment: "production"},
	Region:   region, Cluster: cluster, Service: "web",
}

// askEverything asks all that a fleet can be asked, and checks that every answer is one.
func askEverything(t *testing.T, f *Fleet) {
	ctx, id := t.Context(), fuzzKey.Identity
	f.Track(owner, map[Key]bool{fuzzKey: true})
	for range 3 {
		time.Sleep(20 * time.Second)
	}
	view, ok := f.View(fuzzKey, time.Time{})
	if !ok {
		t.Fatal("after a minute there is no view of the service, not even one of a problem")
	}
	sound(t, "View", view.Problem)
	if view.Problem == nil && view.Primary() != nil {
		_, problem := f.RunningImages(ctx, fuzzKey, view)
		sound(t, "RunningImages", problem)
	}
	_, problem := f.RunningImages(ctx, fuzzKey, &rollout.View{Deployments: []rollout.Deployment{{ID: "ecs-svc/2", Status: "PRIMARY", Revision: "web:2"}}})
	sound(t, "RunningImages", problem)
	document, problem := f.TaskDefinition(ctx, id, region, "web:2")
	sound(t, "TaskDefinition", problem)
	if (document == nil) == (problem == nil) {
		t.Errorf("TaskDefinition = %v with problem %v", document, problem)
	}
	revision, _, problem := f.EqualRevision(ctx, id, region, "web", "v1-x", time.Time{})
	sound(t, "EqualRevision", problem)
	if revision != "" && (rollout.Family(revision) != "web" || problem != nil) {
		t.Errorf("EqualRevision = %q with problem %v", revision, problem)
	}
	for _, need := range []rollout.Need{
		{Deployment: true, ID: "d", Revision: "web:2"},
		{Deployment: true, Revision: "web:2", Since: time.Unix(1758001120, 0)},
	} {
		found, _, problem := f.ServiceDeployment(ctx, fuzzKey, need)
		sound(t, "ServiceDeployment", problem)
		if found != nil && problem != nil {
			t.Errorf("ServiceDeployment = %+v with problem %v", found, problem)
		}
	}
	for _, query := range []ImageQuery{
		{Registry: account, Region: region, Repository: "web", Tag: "v1", Mutability: true},
		{Registry: account, Region: region, Repository: "web", Digest: fuzzDigest},
	} {
		_, problem := f.Image(ctx, id, query)
		sound(t, "Image", problem)
	}
	derived := taskdef.Derived{Request: []byte(`{"family":"web","containerDefinitions":[{"name":"web","environment":[{"name":"A","value":"CANARY-secret"}]}]}`), Family: "web", Base: "web:2", Hash: "v1-x"}
	revision, _, err := f.Register(ctx, id, region, derived, time.Now())
	soundChange(t, "Register", err)
	if err != nil && strings.Contains(err.Error(), "CANARY-secret") {
		t.Errorf("Register: the error shows the value of an environment variable: %q", err)
	}
	if (rollout.Number(revision) == 0) == (err == nil) {
		t.Errorf("Register = %q, %v", revision, err)
	}
	_, err = f.Update(ctx, fuzzKey, "web:3")
	soundChange(t, "Update", err)
}

var classes = []rollout.ProblemClass{rollout.ProblemMissing, rollout.ProblemDenied, rollout.ProblemThrottled, rollout.ProblemTransient, rollout.ProblemRefused}

// sound fails unless a problem is one that can be told to a person and acted on by a program.
func sound(t *testing.T, what string, problem *rollout.Problem) {
	t.Helper()
	if problem == nil {
		return
	}
	if !slices.Contains(classes, problem.Class) || problem.Reason == "" || problem.Message == "" {
		t.Errorf("%s: the problem is %+v, wanted a known class, a reason and a message", what, problem)
	}
	if !utf8.ValidString(problem.Message) || len(problem.Message) > 512 {
		t.Errorf("%s: the message is not text of at most 512 bytes: %q", what, problem.Message)
	}
	if strings.Contains(problem.Message, "X-Amz-Signature=SECRET") {
		t.Errorf("%s: the message shows the layer's URL: %q", what, problem.Message)
	}
	if problem.RetryAfter < 0 || problem.RetryAfter > time.Hour {
		t.Errorf("%s: to be tried again after %s", what, problem.RetryAfter)
	}
}

// soundChange fails unless the error of a change says either that it was not made, or that it may
// have been.
func soundChange(t *testing.T, what string, err error) {
	t.Helper()
	problem := (*rollout.Problem)(nil)
	switch is := errors.As(err, &problem); {
	case err == nil:
	case is == errors.Is(err, ErrLost):
		t.Errorf("%s: the error is a problem: %t, and lost: %t: %v", what, is, !is, err)
	default:
		sound(t, what, problem)
		if !utf8.ValidString(err.Error()) || len(err.Error()) > 1024 {
			t.Errorf("%s: the error is not text of at most 1024 bytes: %q", what, err)
		}
	}
}

// errorBodies are how AWS says no, and how what lies between says it for AWS.
var errorBodies = []struct {
	status    uint16
	errorType string
	body      string
}{
	{400, "", `{"__type":"com.amazonaws.ecs#ThrottlingException","message":"Rate exceeded"}`},
	{400, "AccessDeniedException", `{"Message":"User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ecs:X on resource: * because"}`},
	{400, "ClientException", `{"message":"Unable to describe task definition."}`},
	{400, "ClientException:http://internal.amazon.com/coral/", `{"message":"CANARY-secret"}`},
	{400, "", `{"__type":"ServerException"}`},
	{400, "", `{"__type":1,"message":{}}`},
	{400, "", `{"code":"ExpiredTokenException"}`},
	{400, "\xff\x00", `{"message":"` + strings.Repeat("\xff", 700) + `"}`},
	{400, "", `{"__type":"` + strings.Repeat("é", 5000) + `","message":"` + strings.Repeat("é", 5000) + `"}`},
	{403, "", `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`},
	{403, "", "<html>\xff</html>"},
	{413, "", ""},
	{500, "", `{"__type":"ServerException","message":"CANARY-secret"}`},
	{502, "", "<html>Bad Gateway</html>"},
	{503, "", ""},
	{200, "", ""},
	{200, "", "null"},
	{200, "", "[]"},
	{200, "", `"x"`},
	{200, "", "{"},
	{200, "", "{}{}"},
	{204, "", ""},
	{301, "", ""},
	{307, "", ""},
	{200, "", strings.Repeat("[", 20_000)},
	{200, "", strings.Repeat(`{"a":`, 12_000)},
	{200, "", "\xff\xfe{}"},
	{200, "", `{"services":null,"failures":null}`},
	{200, "", `{"services":[null]}`},
	{200, "", `{"services":[{"serviceName":"web","deployments":[null],"createdAt":"yesterday"}]}`},
	{200, "", `{"services":[{"serviceName":"web","desiredCount":1e30,"runningCount":-1.5,"createdAt":1e400}]}`},
	{200, "", `{"services":[{"serviceName":"web","createdAt":9e18,"deployments":[{"status":"PRIMARY","createdAt":-9e18}]}]}`},
	{200, "", `{"failures":[{"arn":"web","reason":"MISSING"},{"arn":"web","reason":"` + strings.Repeat("x", 4000) + `"},{}]}`},
	{200, "", `{"taskDefinition":{"family":"web","revision":1e3}}`},
	{200, "", `{"taskDefinition":{},"taskDefinition":{}}`},
	{200, "", `{"taskDefinitionArns":["web:3","web","a/b:c:-1","web:99999999999999999999",""],"nextToken":"again"}`},
	{200, "", `{"serviceDeployments":[{},{"createdAt":1e18}],"nextToken":"again"}`},
	{200, "", `{"serviceDeployments":[{"targetServiceRevision":{"arn":""}}]}`},
	{200, "", `{"serviceRevisions":[{},{"containerImages":[{}]}],"failures":[{}]}`},
	{200, "", `{"taskArns":[""]}`},
	{200, "", `{"tasks":[{},{"lastStatus":"RUNNING","containers":[{}]}]}`},
	{200, "", `{"imageDetails":[{"imageDigest":"` + fuzzDigest + `","imageStatus":"ARCHIVED"}]}`},
	{200, "", `{"images":[{}]}`},
	{200, "", `{"failures":[{"failureCode":"X"}],"images":[]}`},
	{200, "", `{"downloadUrl":"` + strings.Repeat("%", 90) + `"}`},
	{200, "", `{"downloadUrl":"file:///etc/passwd"}`},
	{200, "", `{"repositories":[{"imageTagMutabilityExclusionFilters":[{"filter":"(*["}]}]}`},
	{200, "", `{"taskDefinition":{"taskDefinitionArn":"web:0"}}`},
	{200, "", `{"service":{"deployments":[{"status":"PRIMARY","taskDefinition":"web:3"}]}}`},
	{200, "", `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>2</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`},
	{200, "", `<AssumeRoleResponse><AssumeRoleResult><Credentials/></AssumeRoleResult></AssumeRoleResponse>`},
}

// Whatever comes back for one operation, with every other in order, the fleet answers all that it
// is asked: with what it asked for or with a problem that has a class, a reason and a message.
func FuzzWhatAWSSendsBack(f *testing.F) {
	sane := wellFormed()
	operations := make([]string, 0, len(sane))
	for operation := range sane {
		operations = append(operations, operation)
	}
	slices.Sort(operations)
	for i, operation := range operations {
		body, err := io.ReadAll(sane[operation].body())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), uint16(200), "", body)
		f.Add(uint8(i), uint16(200), "", body[:len(body)/2])
		f.Add(uint8(i), uint16(400), "", []byte(`{"__type":"InvalidParameterException","message":"TaskDefinition is inactive"}`))
	}
	for i, e := range errorBodies {
		f.Add(uint8(i), e.status, e.errorType, []byte(e.body))
		for _, operation := range []string{"DescribeServices", "RegisterTaskDefinition"} {
			f.Add(uint8(slices.Index(operations, operation)), e.status, e.errorType, []byte(e.body))
		}
	}
	f.Fuzz(func(t *testing.T, operation uint8, status uint16, errorType string, body []byte) {
		answers := wellFormed()
		answers[operations[int(operation)%len(operations)]] = told{
			status: 200 + int(status+200)%400, errorType: errorType, body: func() io.Reader { return bytes.NewReader(body) },
		}
		inFuzzWorld(t, answers, askEverything)
	})
}

// The manifests of an image are written by whoever built it: they are anything, with the digest
// that they have.
func FuzzWhatAnImageSaysOfItself(f *testing.F) {
	const (
		index    = `{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"digest":"CHILD","platform":{"os":"linux","architecture":"arm64"}},{"digest":"CHILD"}]}`
		child    = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"CONFIG"}}`
		platform = `{"architecture":"amd64","os":"linux"}`
	)
	f.Add([]byte(index), []byte(child), []byte(platform))
	f.Add([]byte(child), []byte(child), []byte(platform))
	f.Add([]byte(strings.ReplaceAll(index, `"digest"`, `"Digest"`)), []byte(index), []byte(`null`))
	f.Add([]byte(`{"manifests":[`+strings.Repeat(`{"digest":"CHILD"},`, 40)+`{"digest":"CHILD","annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}`), []byte(child), []byte(`{"os":1}`))
	f.Add([]byte(`{"manifests":[{"digest":"CHILD","platform":{"os":"linux","architecture":"unknown"}},null,{}]}`), []byte(`[]`), []byte(``))
	f.Add([]byte(`{"manifests":[{"digest":"","platform":{"os":"linux","architecture":"amd64"},"size":-1}]}`), []byte(`{}`), []byte(strings.Repeat("[", 20_000)))
	f.Add([]byte(`{"config":{"size":1e99}}`), []byte(`{"manifests":{}}`), []byte(`{"architecture":"é\ud800","os":"linux"}`))
	f.Fuzz(func(t *testing.T, index, child, config []byte) {
		child = bytes.ReplaceAll(child, []byte("CONFIG"), []byte(digestOf(config)))
		index = bytes.ReplaceAll(bytes.ReplaceAll(index, []byte("CHILD"), []byte(digestOf(child))), []byte("CONFIG"), []byte(digestOf(config)))
		served := [][]byte{index, child}
		next := 0
		answers := wellFormed()
		answers["DescribeImages"] = says(http.StatusOK, `{"imageDetails":[{"imageDigest":"`+digestOf(index)+`"}]}`)
		answers["BatchGetImage"] = told{status: http.StatusOK, body: func() io.Reader {
			manifest, err := json.Marshal(string(served[min(next, 1)]))
			if err != nil {
				t.Error(err)
			}
			next++
			return strings.NewReader(`{"images":[{"imageManifest":` + string(manifest) + `}]}`)
		}}
		answers["layer"] = says(http.StatusOK, string(config))
		asked := inFuzzWorld(t, answers, func(t *testing.T, f *Fleet) {
			found, problem := f.Image(t.Context(), fuzzKey.Identity, ImageQuery{Registry: account, Region: region, Repository: "web", Tag: "v1"})
			sound(t, "Image", problem)
			if problem == nil && found.Digest != digestOf(index) {
				t.Errorf("the image is %s, wanted %s", found.Digest, digestOf(index))
			}
			for architecture, digest := range found.Children {
				if architecture == "" || architecture == "unknown" || problem != nil {
					t.Errorf("the image has %q for the architecture %q, with problem %v", digest, architecture, problem)
				}
			}
		})
		if calls := asked["BatchGetImage"] + asked["layer"]; calls > 2*maxInspected+2 {
			t.Errorf("it took %d calls to tell the architectures", calls)
		}
	})
}
