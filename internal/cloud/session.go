package cloud

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/go-logr/logr"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// Sessions of a role last as long as a role may be assumed by another role.
const (
	sessionDuration = time.Hour
	sessionRenewal  = 5 * time.Minute
)

type sessionKey struct {
	identity Identity
	region   string
}

// session is an identity in a region: its credentials, fetched from that region's own STS so
// that a region that is down is no trouble of the others, and the clients that use them.
type session struct {
	identity    Identity
	region      string
	credentials aws.CredentialsProvider
	ecs         *ecs.Client
	ecr         *ecr.Client
	elb         *elb.Client
	sts         *sts.Client
	http        aws.HTTPClient

	turn chan struct{} // held by whoever verifies

	mu        sync.Mutex
	verified  string // the access key that was found to be of the right account
	partition string // of the identity's ARN: aws, aws-cn, …
}

// session returns the session of id in region, made on first use; nothing is asked of AWS yet.
func (f *Fleet) session(id Identity, region string) *session {
	f.sessionsMu.Lock()
	defer f.sessionsMu.Unlock()
	key := sessionKey{identity: id, region: region}
	if found, ok := f.sessions[key]; ok {
		return found
	}
	made := f.newSession(id, region)
	f.sessions[key] = made
	return made
}

func (f *Fleet) newSession(id Identity, region string) *session {
	cfg := f.base.Copy()
	cfg.Region = region
	cfg.RetryMaxAttempts = 0 // else AWS_MAX_ATTEMPTS would outvote the retryer
	cfg.Retryer = newRetryer
	cfg.Logger = sdkLogger(f.options.Log)
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], f.metrics.countRequests, limitAnswers)
	if id.RoleARN != "" {
		assume := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), id.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName(id.Environment, f.options.SessionCluster)
			o.Duration = sessionDuration
			if id.ExternalID != "" {
				o.ExternalID = aws.String(id.ExternalID)
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(within(f.options.ReadDeadline, assume), func(o *aws.CredentialsCacheOptions) {
			o.ExpiryWindow, o.ExpiryWindowJitterFrac = sessionRenewal, 0.5
		})
	}
	return &session{
		identity:    id,
		region:      region,
		credentials: cfg.Credentials,
		ecs:         ecs.NewFromConfig(cfg),
		ecr:         ecr.NewFromConfig(cfg),
		elb:         elb.NewFromConfig(cfg),
		sts:         sts.NewFromConfig(cfg),
		http:        withoutRedirects(cfg.HTTPClient),
		turn:        make(chan struct{}, 1),
	}
}

// within gives up on a provider after a while. The cache of credentials takes the caller's deadline away,
// since others may wait for the same answer: a call that hangs would be waited for for ever, by all.
func within(deadline time.Duration, provider aws.CredentialsProvider) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		return provider.Retrieve(ctx)
	})
}

// sdkLogger takes what the SDK says of its own accord, which is for those who debug it.
func sdkLogger(log logr.Logger) logging.Logger {
	return logging.LoggerFunc(func(class logging.Classification, format string, args ...any) {
		log.V(1).Info(fmt.Sprintf(format, args...), "sdk", string(class))
	})
}

// newRetryer is the SDK's standard one, but throttles go back to the budget instead of being
// waited for in a worker, and a limit that is exceeded stays exceeded.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = 2 * time.Second
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if code := errorCode(err); isThrottleCode(code) || code == "LimitExceededException" {
				return aws.FalseTernary
			}
			return aws.UnknownTernary
		})}, o.Retryables...)
	})
}

// verify makes sure, once for each set of credentials, that they are of the account that the
// identity is meant to be of.
func (s *session) verify(ctx context.Context) *rollout.Problem {
	doing := fmt.Sprintf("becoming %s in %s", s.identity, s.region)
	if s.credentials == nil {
		return because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "%s: the process has no AWS credentials", doing)
	}
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return problemOf(err, doing, "sts:AssumeRole", ecsv1alpha1.ReasonAccessDenied)
	}
	if s.isVerified(credentials) {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return problemOf(ctx.Err(), doing, "sts:GetCallerIdentity", ecsv1alpha1.ReasonAccessDenied)
	}
	if s.isVerified(credentials) {
		return nil
	}
	caller, err := s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return problemOf(err, doing, "sts:GetCallerIdentity", ecsv1alpha1.ReasonAccessDenied)
	}
	if account := aws.ToString(caller.Account); account != s.identity.AccountID {
		return because(rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch,
			"%s: it is of account %s, wanted %s", doing, account, s.identity.AccountID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verified, s.partition = credentials.AccessKeyID, partitionOf(aws.ToString(caller.Arn))
	return nil
}

func (s *session) isVerified(credentials aws.Credentials) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verified == credentials.AccessKeyID
}

// evict forgets the credentials, so that the next call fetches fresh ones.
func (s *session) evict() {
	if cache, ok := s.credentials.(*aws.CredentialsCache); ok {
		cache.Invalidate()
	}
}

// arn is the ARN of an ECS resource in the session's account and region. Calls build it once
// the session is verified: then the partition is known.
func (s *session) arn(resource string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "arn:" + cmp.Or(s.partition, "aws") + ":ecs:" + s.region + ":" + s.identity.AccountID + ":" + resource
}

// String names the identity for messages, without the external id.
func (id Identity) String() string {
	if id.RoleARN == "" {
		return "the controller's own identity"
	}
	return id.RoleARN
}

func partitionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 || parts[1] == "" {
		return "aws"
	}
	return parts[1]
}

// become makes sure that calls as s can be made at all.
func (f *Fleet) become(ctx context.Context, s *session) *rollout.Problem {
	if !f.flight.begin() {
		return shuttingDown("becoming " + s.identity.String())
	}
	defer f.flight.end()
	ctx, cancel := context.WithTimeout(ctx, f.options.ReadDeadline)
	defer cancel()
	return s.verify(ctx)
}
