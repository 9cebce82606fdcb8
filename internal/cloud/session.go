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
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
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

// session is an identity in a region: its credentials, fetched from that region's own STS so
// that a region that is down is no trouble of the others, and the clients that use them.
type session struct {
	identity Identity
	region   string
	used     time.Time // when somebody last asked for it; the fleet's sessionsMu guards it
	own      *wallet   // of the process, which assumes the role
	wallet   *wallet   // of the identity; its credentials are used for nothing before they are verified
	ecs      *ecs.Client
	ecr      *ecr.Client
	elb      *elb.Client
	sqs      *sqs.Client
	route53  *route53.Client
	ga       *globalaccelerator.Client
	acm      *acm.Client
	sts      *sts.Client
	http     aws.HTTPClient

	turn chan struct{} // held by whoever asks who credentials are of

	mu       sync.Mutex
	verified aws.Credentials // the last that were found to be of the right account
	caller   caller          // whom STS was last asked about
}

// caller is who STS says that credentials are of.
type caller struct {
	key       string // the access key
	account   string
	partition string // of the ARN: aws, aws-cn, …
}

func (f *Fleet) newSession(id Identity, region string) *session {
	cfg := f.base.Copy()
	cfg.Region = region
	cfg.RetryMaxAttempts = 0 // else AWS_MAX_ATTEMPTS would outvote the retryer
	cfg.Retryer = newRetryer
	cfg.Logger = sdkLogger(f.options.Log)
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], f.metrics.countRequests, limitAnswers)
	s := &session{
		identity: id,
		region:   region,
		own:      f.own,
		wallet:   f.own,
		http:     withoutRedirects(cfg.HTTPClient),
		turn:     make(chan struct{}, 1),
	}
	if id.RoleARN != "" {
		s.wallet = &wallet{provider: f.assume(cfg, id)}
	}
	cfg.Credentials = s
	s.ecs, s.ecr, s.elb, s.sts = ecs.NewFromConfig(cfg), ecr.NewFromConfig(cfg), elb.NewFromConfig(cfg), sts.NewFromConfig(cfg)
	s.sqs, s.route53, s.ga, s.acm = sqs.NewFromConfig(cfg), route53.NewFromConfig(cfg), globalaccelerator.NewFromConfig(cfg), acm.NewFromConfig(cfg)
	return s
}

// assume provides the credentials of a role, which the process assumes in the region of cfg.
func (f *Fleet) assume(cfg aws.Config, id Identity) aws.CredentialsProvider {
	role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), id.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName(id.Environment, f.options.SessionCluster)
		o.Duration = sessionDuration
		o.Tags = sessionTags(id.Environment, f.options.SessionCluster)
		if id.ExternalID != "" {
			o.ExternalID = aws.String(id.ExternalID)
		}
	})
	return aws.NewCredentialsCache(within(f.options.ReadDeadline, role), func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow, o.ExpiryWindowJitterFrac = sessionRenewal, 0.5
	})
}

// sdkLogger takes what the SDK says of its own accord, which is for those who debug it.
func sdkLogger(log logr.Logger) logging.Logger {
	return logging.LoggerFunc(func(class logging.Classification, format string, args ...any) {
		log.V(1).Info(fmt.Sprintf(format, args...), "sdk", string(class))
	})
}

// newRetryer is the SDK's standard one, but throttles go back to the budget instead of being
// waited for in a worker, a limit that is exceeded stays exceeded, and whoever pays for a call is
// asked before it is made again.
func newRetryer() aws.Retryer {
	return payingRetryer{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = 2 * time.Second
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if code := errorCode(err); isThrottleCode(code) || code == "LimitExceededException" {
				return aws.FalseTernary
			}
			return aws.UnknownTernary
		})}, o.Retryables...)
	})}
}

// payingRetryer makes a call again only if whoever pays for it does so once more.
type payingRetryer struct{ *retry.Standard }

// GetRetryToken implements [aws.Retryer].
func (r payingRetryer) GetRetryToken(ctx context.Context, failed error) (func(error) error, error) {
	if pay, ok := ctx.Value(payerKey{}).(payer); ok {
		if err := pay(failed); err != nil {
			return nil, err
		}
	}
	release, err := r.Standard.GetRetryToken(ctx, failed)
	if err != nil {
		return nil, fmt.Errorf("making a call again: %w", err)
	}
	return release, nil
}

// payer pays for one more attempt at a call, of which the last one failed, or says why not.
type payer func(failed error) error

type payerKey struct{}

// Retrieve implements [aws.CredentialsProvider] for the session's own clients: whatever they sign,
// they sign with credentials that were verified, even if others are in the wallet by now.
func (s *session) Retrieve(context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.verified.HasKeys() {
		return aws.Credentials{}, fmt.Errorf("the account of %s has not been verified", s.identity)
	}
	return s.verified, nil
}

// verify makes sure, once for each set of credentials, that they are of the account that the
// identity is meant to be of, and has calls signed with them from then on.
func (s *session) verify(ctx context.Context) *rollout.Problem {
	_, problem := s.prove(ctx)
	return problem
}

// prove is verify, and says of which account the identity really is: "" when that was not told.
func (s *session) prove(ctx context.Context) (string, *rollout.Problem) {
	doing := fmt.Sprintf("becoming %s in %s", s.identity, s.region)
	if s.identity.RoleARN == "" {
		doing = fmt.Sprintf("finding AWS credentials for %s, without a role to assume", s.region)
	}
	credentials, problem := s.credentials(ctx, doing)
	if problem != nil {
		return "", problem
	}
	who, problem := s.whoIs(ctx, credentials, doing)
	if problem != nil {
		return "", problem
	}
	if account := who.account; account != s.identity.AccountID {
		return account, because(rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch,
			"%s: the account is %s, wanted %s", doing, account, s.identity.AccountID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verified = credentials
	return who.account, nil
}

// credentials are those in the wallet. Where it is the process to whom the role is denied, it is the
// process whose credentials are doubted: revoking sessions is an explicit deny.
func (s *session) credentials(ctx context.Context, doing string) (aws.Credentials, *rollout.Problem) {
	credentials, err := s.wallet.credentials(ctx)
	if err == nil {
		return credentials, nil
	}
	if isExpiry(err) || strings.Contains(errorMessage(err), "explicit deny in an identity-based policy") {
		s.own.doubt(err)
	}
	problem := problemOf(err, doing, "sts:AssumeRole", ecsv1alpha1.ReasonAccessDenied)
	if problem.Class == rollout.ProblemDenied && notAuthorized.MatchString(errorMessage(err)) {
		problem.Message = clip(problem.Message + ": look at its policy, at the trust policy of the role, and at spec.aws.externalID")
	}
	return credentials, problem
}

// whoIs asks STS, once for each set of credentials, who they are of. Nobody's access key ever
// becomes somebody else's.
func (s *session) whoIs(ctx context.Context, credentials aws.Credentials, doing string) (caller, *rollout.Problem) {
	if known, ok := s.known(credentials); ok {
		return known, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return caller{}, problemOf(ctx.Err(), doing, "sts:GetCallerIdentity", ecsv1alpha1.ReasonAccessDenied)
	}
	if known, ok := s.known(credentials); ok {
		return known, nil
	}
	out, err := s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil })
	})
	if err != nil {
		s.wallet.doubt(err)
		return caller{}, problemOf(err, doing, "sts:GetCallerIdentity", ecsv1alpha1.ReasonAccessDenied)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caller = caller{key: credentials.AccessKeyID, account: text(out.Account), partition: partitionOf(text(out.Arn))}
	return s.caller, nil
}

func (s *session) known(credentials aws.Credentials) (caller, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.caller, s.caller.key == credentials.AccessKeyID
}

// arn is the ARN of an ECS resource in the session's account and region. Calls build it once
// the session is verified: then the partition is known.
func (s *session) arn(resource string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "arn:" + cmp.Or(s.caller.partition, "aws") + ":ecs:" + s.region + ":" + s.identity.AccountID + ":" + resource
}

// String names the identity for messages, without the external id.
func (id Identity) String() string {
	if id.RoleARN == "" {
		return "its own identity"
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

// Verify makes sure that an identity can be assumed in a region and is of its account, and says of
// which account it really is: "" when that was not told. It is for the leader. Nothing is asked of
// AWS for as long as credentials last that were asked about before, so an answer may be an hour old.
func (f *Fleet) Verify(ctx context.Context, id Identity, region string) (account string, problem *rollout.Problem) {
	if err := f.options.Gate(id.Environment, f.options.CallDeadline); err != nil {
		return "", because(rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "becoming %s in %s: not asked: %v", id, region, err)
	}
	return f.prove(ctx, f.session(id, region))
}

// become makes sure that calls as s can be made at all.
func (f *Fleet) become(ctx context.Context, s *session) *rollout.Problem {
	_, problem := f.prove(ctx, s)
	return problem
}

func (f *Fleet) prove(ctx context.Context, s *session) (string, *rollout.Problem) {
	if !f.flight.begin() {
		return "", shuttingDown("becoming " + s.identity.String())
	}
	defer f.flight.end()
	ctx, cancel := context.WithTimeout(ctx, f.options.ReadDeadline)
	defer cancel()
	return s.prove(ctx)
}
