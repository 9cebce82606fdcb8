package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestARoleThatCannotBeAssumedIsADenialThatNamesIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.id.ExternalID = "wrong"
		w.track("backend")
		problem := w.view(w.key("backend")).Problem
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "sts:AssumeRole", w.id.RoleARN)
		if strings.Contains(problem.Message, "wrong") {
			t.Errorf("message shows the external id: %s", problem.Message)
		}
		if got := w.calls()["DescribeServices"]; got != 0 {
			t.Errorf("%d looks as somebody else", got)
		}
	})
}

func TestAnIdentityOfAnotherAccountReadsAndChangesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		w.id.AccountID = "999988887777"
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch, account, "999988887777")
		_, err := w.fleet.Update(t.Context(), w.key("backend"), base)
		wantProblem(t, asProblem(t, err), rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch)
		calls := w.calls()
		delete(calls, "AssumeRole")
		delete(calls, "GetCallerIdentity")
		if len(calls) > 0 {
			t.Errorf("calls were: %s", spell(calls))
		}
	})
}

func TestWithoutARoleTheProcessItselfIsTheIdentity(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.id = Identity{AccountID: account, Environment: "production"}
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch, home)
		w.id = Identity{AccountID: home, Environment: "production"}
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied,
			"arn:aws:iam::"+home+":user/controller lacks ecs:DescribeServices")
	})
}

func TestSessionsAreNamedAfterTheEnvironmentAndRenewedBeforeTheyEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		time.Sleep(3 * time.Hour)
		if v, _ := w.fleet.View(w.key("backend"), time.Time{}); v == nil || v.Problem != nil {
			t.Fatalf("after three hours the view is %+v", v)
		}
		if got := w.calls()["AssumeRole"]; got < 3 || got > 4 {
			t.Errorf("%d sessions in three hours, wanted one an hour", got)
		}
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "DescribeServices"}) {
			if !strings.HasSuffix(e.Principal, "/ecsrelease-production@eks-1") {
				t.Fatalf("principal is %s", e.Principal)
			}
			if e.Code != "" {
				t.Errorf("a look was answered %s", e.Code)
			}
		}
	}, func(o *Options) { o.SessionCluster = "eks-1" })
}

func TestARoleThatIsAssumedWithoutAnAnswerIsAssumedAnew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.fault(awssim.Fault{Operation: "AssumeRole", Hang: true, Times: 1})
		w.track("backend")
		if problem := w.view(w.key("backend")).Problem; problem == nil || !problem.Delay() {
			t.Fatalf("while nobody answers the problem is %+v, wanted a delay", problem)
		}
		time.Sleep(time.Minute)
		if v, _ := w.fleet.View(w.key("backend"), time.Time{}); v == nil || v.Problem != nil {
			t.Errorf("a minute later the view is %+v, wanted one without a problem", v)
		}
	})
}

func TestCredentialsThatExpiredAreReplacedAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		w.sim.ResetJournal()
		w.fault(awssim.Fault{Service: "ecs", Times: 1, Error: &awssim.FaultError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}})
		noProblem(t, w.view(w.key("backend")).Problem)
		if got := spell(w.calls()); got != "AssumeRole 1, DescribeServices 2, GetCallerIdentity 1" {
			t.Errorf("calls were: %s", got)
		}
	})
}

func TestADenialNamesWhoLacksWhatOnWhat(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		w.id = w.role("reader", []json.RawMessage{policy("Allow", "ecs:Describe*", "*")})
		_, err := w.fleet.Update(t.Context(), w.key("backend"), base)
		problem := asProblem(t, err)
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied,
			"updating service ap-south-1/helium/backend", "the role reader lacks ecs:UpdateService on arn:aws:ecs:ap-south-1:111122223333:service/helium/backend")
	})
}

func TestSessionNamesKeepToTheAlphabetOfSTSAndApart(t *testing.T) {
	takes := regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	names := map[string][2]string{}
	for _, c := range [][2]string{
		{"production", ""},
		{"production", "eks-1"},
		{"", ""},
		{"..", ""},
		{"team/a b", ""},
		{"team-a-b", ""},
		{"team a/b", ""},
		{strings.Repeat("x", 80), "c"},
		{strings.Repeat("x", 80), "d"},
		{strings.Repeat("x", 81), "c"},
		{"käse", "\x00"},
		{"käse", ""},
	} {
		name := sessionName(c[0], c[1])
		if !takes.MatchString(name) {
			t.Errorf("session of %q is named %q, which STS refuses", c, name)
		}
		if other, taken := names[name]; taken {
			t.Errorf("sessions of %q and %q are both named %q", c, other, name)
		}
		names[name] = c
	}
	for want, c := range map[string][2]string{"ecsrelease-production": {"production", ""}, "ecsrelease-production@eks-1": {"production", "eks-1"}} {
		if got := sessionName(c[0], c[1]); got != want {
			t.Errorf("session of %q is named %q, wanted %q", c, got, want)
		}
	}
}

// recorded are the calls that left a fleet for AWS: where to, with which access key, for what.
type recorded struct {
	next  aws.HTTPClient
	mu    sync.Mutex
	calls []recordedCall
}

type recordedCall struct{ host, key, operation string }

var signedWith = regexp.MustCompile(`Credential=(\w+)/`)

func (r *recorded) Do(request *http.Request) (*http.Response, error) {
	call := recordedCall{host: request.URL.Host}
	if found := signedWith.FindStringSubmatch(request.Header.Get("Authorization")); found != nil {
		call.key = found[1]
	}
	_, call.operation, _ = strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	if strings.HasPrefix(call.host, "sts.") {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		call.operation = form.Get("Action")
	}
	r.mu.Lock()
	r.calls = append(r.calls, call)
	r.mu.Unlock()
	return r.next.Do(request)
}

// through has a fleet's calls pass through r.
func (r *recorded) through(o *Options) {
	config := o.Config
	o.Config = func(ctx context.Context) (aws.Config, error) {
		cfg, err := config(ctx)
		r.next = cfg.HTTPClient
		cfg.HTTPClient = r
		return cfg, err
	}
}

// of are the recorded calls of an operation.
func (r *recorded) of(operation string) (calls []recordedCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.operation == operation {
			calls = append(calls, c)
		}
	}
	return calls
}

func TestARoleIsAssumedAndVerifiedAtTheSTSOfTheRegion(t *testing.T) {
	r := &recorded{}
	inWorld(t, func(t *testing.T, w *world) {
		for _, in := range []string{"ap-south-1", "us-east-1", "eu-west-1"} {
			_, problem := w.fleet.Verify(t.Context(), w.id, in)
			noProblem(t, problem)
		}
		for _, operation := range []string{"AssumeRole", "GetCallerIdentity"} {
			var hosts []string
			for _, c := range r.of(operation) {
				hosts = append(hosts, c.host)
			}
			if diff := cmp.Diff([]string{"sts.ap-south-1.amazonaws.com", "sts.us-east-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"}, hosts); diff != "" {
				t.Errorf("%s was asked of (-want +got):\n%s", operation, diff)
			}
		}
	}, r.through)
}

func TestPoliciesSeeTheTagsOfASession(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.id = w.role("tagged", []json.RawMessage{json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*",
			"Condition":{"StringEquals":{"aws:PrincipalTag/ecsrelease:cluster":"eks-1---","aws:PrincipalTag/ecsrelease:environment":"production"}}}]}`)})
		w.track("backend")
		noProblem(t, w.view(w.key("backend")).Problem)
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "AssumeRole"}) {
			if strings.Contains(string(e.Request), "TransitiveTagKeys") {
				t.Errorf("the tags are transitive: %s", e.Request)
			}
		}
		w.id.Environment = "staging"
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "ecs:DescribeServices")
	}, func(o *Options) { o.SessionCluster = "eks-1(!)" })
}

func TestTagsAreWhatSTSTakes(t *testing.T) {
	takes := regexp.MustCompile(`^[a-zA-Z0-9 _.:/=+\-@]{1,256}$`)
	for _, c := range [][2]string{{"production", ""}, {"", "eks-1"}, {"..", "a b/c"}, {strings.Repeat("x", 300), strings.Repeat("ä", 300)}, {"!", "\x00"}} {
		keys := []string{}
		for _, tag := range sessionTags(c[0], c[1]) {
			keys = append(keys, *tag.Key)
			if !takes.MatchString(*tag.Value) {
				t.Errorf("of %q the tag %s is %q, which STS refuses", c, *tag.Key, *tag.Value)
			}
		}
		var want []string
		if c[1] != "" {
			want = append(want, "ecsrelease:cluster")
		}
		if c[0] != "" {
			want = append(want, "ecsrelease:environment")
		}
		if !slices.Equal(keys, want) {
			t.Errorf("of %q there are tags %v, wanted %v", c, keys, want)
		}
	}
}

func TestOurTagsGoTogetherWithThoseOfPodIdentity(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		revision := w.revise("backend", "docker.io/library/nginx:1")
		manager, err := w.sim.PutRole(awssim.Role{
			Account: home, Name: "manager", Policies: []json.RawMessage{policy("Allow", "sts:AssumeRole", "*"), policy("Allow", "sts:TagSession", "*")},
			TrustPolicy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		pod := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(w.fleet.base), manager.ARN, func(o *stscreds.AssumeRoleOptions) {
			for _, key := range []string{"eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace", "kubernetes-service-account", "kubernetes-pod-name", "kubernetes-pod-uid"} {
				o.Tags = append(o.Tags, ststypes.Tag{Key: aws.String(key), Value: aws.String("its " + key)})
				o.TransitiveTagKeys = append(o.TransitiveTagKeys, key)
			}
		})
		fleet, err := New(Options{SessionCluster: "eks-1", Config: func(context.Context) (aws.Config, error) {
			cfg := w.fleet.base.Copy()
			cfg.Credentials = aws.NewCredentialsCache(pod)
			return cfg, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.id = w.role("chained", []json.RawMessage{json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*",
			"Condition":{"StringEquals":{"aws:PrincipalTag/ecsrelease:cluster":"eks-1","aws:PrincipalTag/kubernetes-namespace":"its kubernetes-namespace"}}}]}`)})
		if actual, problem := fleet.Verify(t.Context(), w.id, region); actual != account || problem != nil {
			t.Fatalf("it is of account %q (%+v)", actual, problem)
		}
		_, problem := fleet.TaskDefinition(t.Context(), w.id, region, revision)
		noProblem(t, problem)
	})
}

func TestARoleThatMayNotBeTaggedIsADenialThatNamesTheAction(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, err := w.sim.PutRole(awssim.Role{
			Account: account, Name: "untagged", Unrestricted: true,
			TrustPolicy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":"sts:AssumeRole"}]}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		untagged := Identity{AccountID: account, RoleARN: "arn:aws:iam::" + account + ":role/untagged", Environment: "production"}
		actual, problem := w.fleet.Verify(t.Context(), untagged, region)
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied,
			"user/controller lacks sts:TagSession on "+untagged.RoleARN+": look at its policy, at the trust policy of the role, and at spec.aws.externalID")
		if actual != "" {
			t.Errorf("it is of account %s, and nobody could ask", actual)
		}
		if got := spell(w.calls()); got != "AssumeRole 1" {
			t.Errorf("calls were: %s, wanted no other way to be tried", got)
		}
	})
}

func TestAnIdentityIsVerifiedOnceAndItsRealAccountIsKnown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ask := func(id Identity, want string) *rollout.Problem {
			t.Helper()
			var problem *rollout.Problem
			for range 3 {
				var actual string
				if actual, problem = w.fleet.Verify(t.Context(), id, region); actual != want {
					t.Fatalf("it is of account %q (%+v), wanted %s", actual, problem, want)
				}
			}
			return problem
		}
		noProblem(t, ask(w.id, account))
		if got := spell(w.calls()); got != "AssumeRole 1, GetCallerIdentity 1" {
			t.Errorf("calls were: %s", got)
		}
		w.sim.ResetJournal()
		other := w.id
		other.AccountID = "999988887777"
		wantProblem(t, ask(other, account), rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch, account, "999988887777")
		if got := spell(w.calls()); got != "AssumeRole 1, GetCallerIdentity 1" {
			t.Errorf("calls for a mismatch were: %s", got)
		}
		own := Identity{AccountID: account}
		wantProblem(t, ask(own, home), rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch, home, account)

		w.sim.RemoveRole(account, "releases")
		time.Sleep(time.Hour)
		wantProblem(t, ask(w.id, ""), rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "sts:AssumeRole", w.id.RoleARN)
	})
}

func TestNobodyButTheLeaderVerifiesIdentities(t *testing.T) {
	var shut error
	inWorld(t, func(t *testing.T, w *world) {
		shut = errors.New("somebody else leads")
		_, problem := w.fleet.Verify(t.Context(), w.id, region)
		wantProblem(t, problem, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "somebody else leads")
		shut = nil
		w.stop()
		_, problem = w.fleet.Verify(t.Context(), w.id, region)
		wantProblem(t, problem, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "shutting down")
		if got := spell(w.calls()); got != "" {
			t.Errorf("calls were: %s", got)
		}
	}, func(o *Options) { o.Gate = func(string, time.Duration) error { return shut } })
}

func TestNothingIsSignedWithCredentialsThatWereNotVerified(t *testing.T) {
	r := &recorded{}
	inWorld(t, func(t *testing.T, w *world) {
		s := w.fleet.session(w.id, region)
		if _, err := s.ecs.ListClusters(t.Context(), nil); err == nil || len(r.calls) > 0 {
			t.Fatalf("before the account is verified a call ended with %v, and %v were sent", err, r.calls)
		}
		noProblem(t, s.verify(t.Context()))
		// Somebody else's call is found to be expired between our verification and our call.
		if !s.wallet.doubt(answer(400, "ExpiredTokenException", "")) {
			t.Fatal("the credentials are still believed")
		}
		if _, err := s.ecs.ListClusters(t.Context(), nil); err != nil {
			t.Error(err)
		}
		noProblem(t, s.verify(t.Context()))
		if _, err := s.ecs.ListClusters(t.Context(), nil); err != nil {
			t.Error(err)
		}
		var operations []string
		keys := map[string]string{}
		for _, c := range r.calls {
			operations = append(operations, c.operation)
			keys[c.key] += c.operation + " "
		}
		want := []string{"AssumeRole", "GetCallerIdentity", "ListClusters", "AssumeRole", "GetCallerIdentity", "ListClusters"}
		if diff := cmp.Diff(want, operations); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if len(keys) != 3 {
			t.Errorf("keys signed for %v, wanted each of two sessions to be verified and used", keys)
		}
	}, r.through)
}

func TestAfterADenialTheRoleIsAssumedAndVerifiedAnew(t *testing.T) {
	r := &recorded{}
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		noProblem(t, w.view(w.key("backend")).Problem)
		w.sim.ResetJournal()
		w.fault(awssim.Fault{Service: "ecs", Times: 1, Error: &awssim.FaultError{
			Code: "AccessDeniedException", Message: "User: x is not authorized to perform: ecs:DescribeServices with an explicit deny in an identity-based policy",
		}})
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied)
		noProblem(t, w.view(w.key("backend")).Problem)
		if got := spell(w.calls()); got != "AssumeRole 1, DescribeServices 2, GetCallerIdentity 1" {
			t.Errorf("calls were: %s", got)
		}
		if looks := r.of("DescribeServices"); looks[len(looks)-1].key == looks[len(looks)-2].key {
			t.Error("the look after the denial was made with the credentials of the one before")
		}
	}, r.through)
}

func TestARoleThatWasMadeAnewIsAssumedAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		noProblem(t, w.view(w.key("backend")).Problem)
		w.sim.RemoveRole(account, "releases")
		w.role("releases", nil)
		noProblem(t, w.view(w.key("backend")).Problem)
	})
}

func TestWhileDenialsLastARoleIsAssumedOnceAMinute(t *testing.T) {
	for name, fault := range map[string]*awssim.FaultError{
		"denied":    {Code: "AccessDeniedException", Message: "no"},
		"expired":   {Code: "ExpiredTokenException", Message: "The security token included in the request is expired"},
		"not known": {Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.service(seed.Service{Name: "backend", Desired: 1})
				w.settle()
				w.track("backend")
				w.view(w.key("backend"))
				w.sim.ResetJournal()
				w.fault(awssim.Fault{Service: "ecs", Error: fault})
				for range 30 {
					w.fleet.View(w.key("backend"), time.Now())
					_, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, "backend:9")
					if problem == nil {
						t.Fatal("there is no problem")
					}
					time.Sleep(10 * time.Second)
				}
				calls := w.calls()
				if got := calls["AssumeRole"]; got < 4 || got > 6 || calls["GetCallerIdentity"] != got {
					t.Errorf("in five minutes of denials the calls were: %s, wanted a new session a minute, each verified", spell(calls))
				}
				if calls["DescribeTaskDefinition"] > 36 {
					t.Errorf("calls were: %s, wanted a second try with fresh credentials only", spell(calls))
				}
			})
		})
	}
}

// counting provides the credentials of the controller's user, as often as it is asked.
type counting struct{ fetched int }

func (c *counting) Retrieve(context.Context) (aws.Credentials, error) {
	c.fetched++
	return aws.Credentials{AccessKeyID: "AKIACONTROLLER000000", SecretAccessKey: "secret"}, nil
}

func (c *counting) through(o *Options) {
	config := o.Config
	o.Config = func(ctx context.Context) (aws.Config, error) {
		cfg, err := config(ctx)
		cfg.Credentials = aws.NewCredentialsCache(c)
		return cfg, err
	}
}

func TestTheProcessFetchesItsCredentialsAnewOnceAMinuteForAllThatUseThem(t *testing.T) {
	own := &counting{}
	inWorld(t, func(t *testing.T, w *world) {
		for range 12 {
			for _, environment := range []string{"production", "staging"} {
				for _, in := range []string{"ap-south-1", "us-east-1"} {
					_, problem := w.fleet.TaskDefinition(t.Context(), Identity{AccountID: home, Environment: environment}, in, "backend:1")
					wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied)
				}
			}
			time.Sleep(10 * time.Second)
		}
		if own.fetched != 3 {
			t.Errorf("in two minutes of denials they were fetched %d times, wanted once and then once a minute", own.fetched)
		}
	}, own.through)
}

func TestOnlyADenialOfTheProcessItselfHasItFetchItsCredentialsAnew(t *testing.T) {
	own := &counting{}
	inWorld(t, func(t *testing.T, w *world) {
		stranger := w.id
		stranger.ExternalID = "wrong"
		for range 3 {
			_, problem := w.fleet.Verify(t.Context(), stranger, region)
			wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied)
			time.Sleep(2 * time.Minute)
		}
		if own.fetched != 1 {
			t.Errorf("a role that trusts others had the process fetch its credentials %d times, wanted once", own.fetched)
		}
		w.fault(awssim.Fault{Operation: "AssumeRole", Times: 1, Error: &awssim.FaultError{
			Code: "AccessDenied", Message: "User: x is not authorized to perform: sts:AssumeRole on resource: y with an explicit deny in an identity-based policy",
		}})
		_, problem := w.fleet.Verify(t.Context(), w.id, region)
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "explicit deny")
		_, problem = w.fleet.Verify(t.Context(), w.id, region)
		noProblem(t, problem)
		if own.fetched != 2 {
			t.Errorf("they were fetched %d times, wanted anew once the sessions of the process were revoked", own.fetched)
		}
	}, own.through)
}

// sessions are the environments and regions of the fleet's sessions.
func (w *world) sessions() []string {
	w.fleet.sessionsMu.Lock()
	defer w.fleet.sessionsMu.Unlock()
	names := []string{}
	for key := range w.fleet.sessions {
		names = append(names, key.identity.Environment+"/"+key.region)
	}
	slices.Sort(names)
	return names
}

func TestTheSessionsOfAnIdentityThatNobodyUsesAreGone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.image("helium-backend", "v1", seed.Image{})
		wants := func(names ...string) {
			t.Helper()
			if diff := cmp.Diff(append([]string{}, names...), w.sessions()); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
		}
		second := w.key("backend")
		second.Identity.Environment = "staging"
		other := types.NamespacedName{Namespace: "staging", Name: "helium-backend"}
		w.fleet.Track(owner, map[Key]bool{w.key("backend"): false})
		w.fleet.Track(other, map[Key]bool{second: false})
		w.view(w.key("backend"))
		if _, problem := w.fleet.Verify(t.Context(), w.id, "eu-west-1"); problem != nil {
			t.Fatal(problem)
		}
		wants("production/ap-south-1", "production/eu-west-1", "staging/ap-south-1")

		elsewhere := w.key("backend")
		elsewhere.Cluster = "argon"
		w.sim.ResetJournal()
		w.fleet.Track(owner, map[Key]bool{elsewhere: false})
		w.view(elsewhere)
		if got := w.calls()["AssumeRole"]; got != 0 {
			t.Errorf("a release that moved to another cluster had the role assumed %d times", got)
		}
		w.fleet.Track(owner, nil)
		wants("staging/ap-south-1")
		w.fleet.Track(owner, map[Key]bool{w.key("backend"): false})
		noProblem(t, w.view(w.key("backend")).Problem)
		if got := w.calls()["AssumeRole"]; got != 1 {
			t.Errorf("a role that was dropped was assumed %d times, wanted once more", got)
		}
	})
}

func TestASessionThatNobodyAsksForIsDroppedAfterAWhile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		for range 10 {
			idle, used := w.id, w.id
			idle.Environment, used.Environment = "removed", "governed"
			if len(w.sessions()) == 1 {
				w.fleet.session(idle, region)
			}
			w.fleet.session(used, region)
			time.Sleep(5 * time.Minute)
		}
		if diff := cmp.Diff([]string{"governed/" + region, "production/" + region}, w.sessions()); diff != "" {
			t.Errorf("sessions (-want +got):\n%s", diff)
		}
	})
}

// The trust policies of docs/aws.md let the manager in for what they are about, and for nothing else.
func TestTheDocumentedTrustPoliciesLetTheManagerInAndNobodyElse(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```json trust\\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d trust policies, wanted two", len(blocks))
	}
	cluster := func(o *Options) { o.SessionCluster = "eks-1" }
	for i, block := range blocks {
		inWorld(t, func(t *testing.T, w *world) {
			policy := strings.ReplaceAll(block[1], "arn:aws:iam::111122223333:role/ecsrelease-manager", "arn:aws:iam::"+home+":user/controller")
			role, err := w.sim.PutRole(awssim.Role{Account: account, Name: "documented", Unrestricted: true, TrustPolicy: json.RawMessage(policy)})
			if err != nil {
				t.Fatal(err)
			}
			production := Identity{AccountID: account, RoleARN: role.ARN, ExternalID: "heliumai/production", Environment: "production"}
			if _, problem := w.fleet.Verify(t.Context(), production, region); problem != nil {
				t.Errorf("policy %d keeps production out: %s", i, problem.Message)
			}
			guess := production
			guess.ExternalID = "heliumai/staging"
			_, problem := w.fleet.Verify(t.Context(), guess, region)
			wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "sts:AssumeRole")
			if i == 1 {
				staging := production
				staging.Environment = "staging"
				_, problem := w.fleet.Verify(t.Context(), staging, region)
				wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "sts:")
			}
		}, cluster)
	}
}

func TestEachAttemptTakesATokenOfItsOwn(t *testing.T) {
	down := awssim.Fault{Service: "ecs", Operation: "DescribeServices", Error: &awssim.FaultError{Status: 500, Code: "ServerException", Message: "oops"}}
	t.Run("while AWS is down its share is not exceeded", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.fleet.Track(owner, w.scattered(40)(40, true))
			w.fault(down)
			time.Sleep(time.Minute)
			w.sim.ResetJournal()
			time.Sleep(5 * time.Minute)
			if got := w.calls()["DescribeServices"]; got > 305 || got < 200 {
				t.Errorf("%d requests in 300 s, wanted one a second and a burst of five at most", got)
			}
		}, func(o *Options) { o.Share = 0.05 })
	})
	t.Run("one failure goes unnoticed", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.service(seed.Service{Name: "backend", Desired: 1})
			w.settle()
			w.track("backend")
			w.view(w.key("backend"))
			once := down
			once.Times = 1
			w.fault(once)
			w.sim.ResetJournal()
			noProblem(t, w.view(w.key("backend")).Problem)
			if got := w.calls()["DescribeServices"]; got != 2 {
				t.Errorf("%d attempts, wanted one that failed and one more", got)
			}
		})
	})
	t.Run("without a token the failure itself is told", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.service(seed.Service{Name: "backend", Desired: 1})
			w.settle()
			w.track("backend")
			w.view(w.key("backend"))
			time.Sleep(time.Minute)
			w.fault(down)
			w.sim.ResetJournal()
			problem := w.view(w.key("backend")).Problem // of two tokens
			wantProblem(t, problem, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "ServerException: oops")
			if got := w.calls()["DescribeServices"]; got != 2 {
				t.Errorf("%d attempts with two tokens", got)
			}
		}, func(o *Options) { o.Share = 0.02 })
	})
}
