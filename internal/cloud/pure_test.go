package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// answer is an error as the SDK hands it out.
func answer(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "ECS", OperationName: "X", Err: &awshttp.ResponseError{
		RequestID: "r-1",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		},
	}}
}

func TestErrorsAreClassedByTheirCode(t *testing.T) {
	const own = "Own"
	for _, c := range []struct {
		err    error
		class  rollout.ProblemClass
		reason string
		says   string
	}{
		{answer(400, "ThrottlingException", "Rate exceeded"), rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, "ThrottlingException"},
		{answer(400, "RequestLimitExceeded", ""), rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, ""},
		{answer(400, "LimitExceededException", "full"), rollout.ProblemRefused, own, "LimitExceededException: full"},
		{answer(500, "ServerException", "oops"), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "oops"},
		{answer(400, "ServerException", "oops"), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "oops"},
		{answer(502, "Whatever", "bad gateway"), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, ""},
		{answer(400, "ExpiredTokenException", ""), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, ""},
		{answer(400, "ClusterNotFoundException", "Cluster not found."), rollout.ProblemMissing, ecsv1alpha1.ReasonClusterNotFound, "Cluster not found."},
		{answer(400, "ServiceNotFoundException", ""), rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound, ""},
		{answer(400, "ServiceNotActiveException", ""), rollout.ProblemRefused, ecsv1alpha1.ReasonServiceNotActive, ""},
		{answer(400, "RepositoryNotFoundException", ""), rollout.ProblemMissing, ecsv1alpha1.ReasonRepositoryNotFound, ""},
		{answer(400, "ImageNotFoundException", ""), rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound, ""},
		{answer(400, "ClientException", "Unable to describe task definition."), rollout.ProblemMissing, own, ""},
		{answer(400, "ClientException", "TaskDefinition is inactive"), rollout.ProblemRefused, own, "inactive"},
		{answer(400, "InvalidParameterException", "Unable to assume the service linked role. Please verify that the ECS service linked role exists."), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, ""},
		{answer(400, "AccessDeniedException", "Denied."), rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "the identity lacks ecs:Own"},
		{
			answer(400, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ecs:X on resource: arn:y with an explicit deny in an identity-based policy"),
			rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "denied: arn:aws:iam::111122223333:user/ci lacks ecs:X on arn:y (an explicit deny)",
		},
		{answer(403, "UnrecognizedClientException", "The security token included in the request is invalid."), rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "UnrecognizedClientException"},
		{answer(400, "SomethingNewException", "hm"), rollout.ProblemRefused, own, "SomethingNewException: hm"},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "connection refused"},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "no answer in time"},
		{&smithy.OperationError{ServiceID: "ECS", OperationName: "X", Err: errors.New("odd")}, rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "odd"},
	} {
		problem := problemOf(c.err, "doing it", "ecs:Own", own)
		if problem.Class != c.class || problem.Reason != c.reason {
			t.Errorf("%v: %s %s, wanted %s %s", c.err, problem.Class, problem.Reason, c.class, c.reason)
		}
		if !strings.HasPrefix(problem.Message, "doing it: ") || !strings.Contains(problem.Message, c.says) {
			t.Errorf("%v: message is %q, wanted it to say %q", c.err, problem.Message, c.says)
		}
	}
}

func TestMessagesAreBoundedAndStayText(t *testing.T) {
	got := problemOf(answer(400, "ClientException", strings.Repeat("é", 1000)), "doing", "", "").Message
	if len(got) > 300 || !strings.HasSuffix(got, "…") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("message of %d bytes ends in %q", len(got), got[len(got)-6:])
	}
}

func TestABucketShutsLongerWhileThrottlesGoOnAndForgetsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBudget(0.5, m)
		key := bucketKey{account: account, region: region, quota: quotaServiceRead}
		within := func(d, low, high time.Duration) {
			t.Helper()
			if d < low || d > high {
				t.Errorf("shut for %v, wanted %v to %v", d, low, high)
			}
		}
		first := b.throttled(key)
		within(first, 5*time.Second, 7500*time.Millisecond)
		if again := b.throttled(key); again != first {
			t.Errorf("a throttle of a call that was under way changed %v to %v", first, again)
		}
		if _, ok := b.take(key, urgent); ok {
			t.Error("a token came out of a shut bucket")
		}
		if _, ok := b.take(bucketKey{account: account, region: "us-east-1", quota: quotaServiceRead}, urgent); !ok {
			t.Error("another region suffers")
		}
		time.Sleep(first)
		if _, ok := b.take(key, urgent); !ok {
			t.Error("no token after the bucket opened")
		}
		second := b.throttled(key)
		within(second, 10*time.Second, 15*time.Second)
		time.Sleep(second)
		third := b.throttled(key)
		within(third, 20*time.Second, 30*time.Second)
		time.Sleep(third)
		within(b.throttled(key), 20*time.Second, 30*time.Second)
		time.Sleep(10 * time.Minute)
		within(b.throttled(key), 5*time.Second, 7500*time.Millisecond)
	})
}

func TestASweepLeavesAQuarterOfABucketToWhatIsUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBudget(0.5, m)
		key := bucketKey{account: account, region: region, quota: quotaServiceRead} // 50 tokens, 10/s
		take := func(h haste) (n int) {
			for ; ; n++ {
				if wait, ok := b.take(key, h); !ok {
					if wait <= 0 || wait > 110*time.Millisecond {
						t.Errorf("to wait %v for a token at 10/s", wait)
					}
					return n
				}
			}
		}
		if n := take(sweep); n != 37 {
			t.Errorf("a sweep took %d of 50 tokens, wanted 37", n)
		}
		if n := take(urgent); n != 13 {
			t.Errorf("urgent work found %d tokens left, wanted 13", n)
		}
	})
}

// However small our share of a quota is, a sweep gets a token of it in the end.
func TestEveryQuotaCanBeSweptAtASmallShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newMetrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBudget(0.05, m)
		for _, q := range quotas {
			key := bucketKey{account: "111122223333", region: "us-east-1", quota: q}
			for range 3 {
				wait, ok := b.take(key, sweep)
				if !ok {
					time.Sleep(wait)
					_, ok = b.take(key, sweep)
				}
				if !ok {
					t.Errorf("%s: no token after %s", q, wait)
				}
			}
		}
	})
}

func TestTheLeastRecentlyUsedGoesFirstAndWhatIsTooHeavyIsNotKept(t *testing.T) {
	c := newLRU[string, int](10)
	c.put("a", 1, 4)
	c.put("b", 2, 4)
	c.get("a")
	c.put("c", 3, 4)
	if _, ok := c.get("b"); ok {
		t.Error("b was used least recently and is still there")
	}
	if v, ok := c.get("a"); !ok || v != 1 {
		t.Errorf("a is %d, %v", v, ok)
	}
	c.put("a", 5, 11)
	if _, ok := c.get("a"); ok {
		t.Error("a is heavier than the cache and was kept")
	}
	c.put("c", 6, 4)
	c.drop("c")
	if c.weight != 0 || c.order.Len() != 0 {
		t.Errorf("an empty cache weighs %d", c.weight)
	}
}

func TestWhatNobodyUsesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLRU[string, int](10)
		c.put("used", 1, 4)
		c.put("unused", 2, 4)
		time.Sleep(time.Minute)
		c.get("used")
		c.put("new", 3, 2)
		c.forget(time.Now().Add(-time.Second))
		for key, wanted := range map[string]bool{"used": true, "unused": false, "new": true} {
			if _, ok := c.get(key); ok != wanted {
				t.Errorf("%s is remembered: %v, wanted %v", key, ok, wanted)
			}
		}
		if c.weight != 6 || c.order.Len() != 2 {
			t.Errorf("%d entries weigh %d, wanted 2 of 6", c.order.Len(), c.weight)
		}
	})
}

func TestAnAbsentDeploymentConfigurationIsNotOneOfZero(t *testing.T) {
	v := project(&ecstypes.Service{}, time.Time{})
	if v.MinimumHealthyPercent != -1 || v.MaximumPercent != -1 || v.Controller != "ECS" || v.Express {
		t.Errorf("view is %+v", v)
	}
	v = project(&ecstypes.Service{
		DeploymentController:   &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeCodeDeploy},
		ResourceManagementType: ecstypes.ResourceManagementTypeEcs,
		SchedulingStrategy:     ecstypes.SchedulingStrategyDaemon,
	}, time.Time{})
	if v.Controller != "CODE_DEPLOY" || !v.Express || !v.Daemon {
		t.Errorf("view is %+v", v)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"a share above all":     {Share: 1.5},
		"a negative share":      {Share: -1},
		"slower fast than slow": {Fast: time.Hour},
		"a negative deadline":   {CallDeadline: -time.Second},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
