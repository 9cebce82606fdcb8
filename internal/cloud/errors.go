package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// ErrLost says that a call which changes something may or may not have been carried out: it
// was sent, and no answer came that tells. Only looking tells.
var ErrLost = errors.New("no answer: it may or may not have been done")

// kind is what a code of AWS's means for us.
type kind struct {
	class  rollout.ProblemClass
	reason string // "" = that of the operation
}

var (
	throttled = kind{rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed}
	transient = kind{rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed}
	denied    = kind{rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied}
	refused   = kind{rollout.ProblemRefused, ""}
)

// kinds are the codes of the operations that the package calls. A code that is missing here is
// refused: looked at again slowly, never hammered.
var kinds = map[string]kind{
	"ServerException":             transient,
	"InternalServerError":         transient,
	"InternalServerException":     transient,
	"InternalFailure":             transient,
	"InternalError":               transient,
	"ServiceUnavailable":          transient,
	"ServiceUnavailableException": transient,
	"RequestTimeout":              transient,
	"RequestTimeoutException":     transient,
	// The credentials had run out: fresh ones are fetched for the next call.
	"ExpiredToken":                                   transient,
	"ExpiredTokenException":                          transient,
	"RequestExpired":                                 transient,
	"IDPCommunicationError":                          transient,
	"HealthUnavailable":                              transient,
	"LayerInaccessibleException":                     transient,
	"UnableToGetUpstreamImageException":              transient,
	"UnableToGetUpstreamLayerException":              transient,
	"AccessDenied":                                   denied,
	"AccessDeniedException":                          denied,
	"UnauthorizedOperation":                          denied,
	"UnrecognizedClientException":                    denied,
	"InvalidClientTokenId":                           denied,
	"InvalidIdentityToken":                           denied,
	"SignatureDoesNotMatch":                          denied,
	"InvalidSignatureException":                      denied,
	"IncompleteSignature":                            denied,
	"IncompleteSignatureException":                   denied,
	"MissingAuthenticationToken":                     denied,
	"MissingAuthenticationTokenException":            denied,
	"OptInRequired":                                  denied,
	"RegionDisabledException":                        denied,
	"ClusterNotFoundException":                       {rollout.ProblemMissing, ecsv1alpha1.ReasonClusterNotFound},
	"ServiceNotFoundException":                       {rollout.ProblemMissing, ecsv1alpha1.ReasonServiceNotFound},
	"RepositoryNotFoundException":                    {rollout.ProblemMissing, ecsv1alpha1.ReasonRepositoryNotFound},
	"ImageNotFoundException":                         {rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound},
	"LayersNotFoundException":                        {rollout.ProblemMissing, ecsv1alpha1.ReasonImageNotFound},
	"ServiceNotActiveException":                      {rollout.ProblemRefused, ecsv1alpha1.ReasonServiceNotActive},
	"ClientException":                                refused,
	"InvalidParameterException":                      refused,
	"ValidationException":                            refused,
	"ValidationError":                                refused,
	"ServiceDeploymentNotFoundException":             {rollout.ProblemMissing, ""},
	"TargetGroupNotFound":                            {rollout.ProblemMissing, ""},
	"LoadBalancerNotFound":                           {rollout.ProblemMissing, ""},
	"ListenerNotFound":                               {rollout.ProblemMissing, ""},
	"NoSuchHostedZone":                               {rollout.ProblemMissing, ""},
	"AcceleratorNotFoundException":                   {rollout.ProblemMissing, ""},
	"ListenerNotFoundException":                      {rollout.ProblemMissing, ""},
	"ResourceNotFoundException":                      {rollout.ProblemMissing, ""},
	"InvalidInput":                                   refused,
	"InvalidArgumentException":                       refused,
	"InvalidArnException":                            refused,
	"InvalidTarget":                                  refused,
	"QueueDoesNotExist":                              {rollout.ProblemMissing, ""},
	"AWS.SimpleQueueService.NonExistentQueue":        {rollout.ProblemMissing, ""},
	"InvalidAddress":                                 refused,
	"LimitExceededException":                         refused,
	"UnsupportedFeatureException":                    refused,
	"NamespaceNotFoundException":                     refused,
	"PlatformUnknownException":                       refused,
	"ConflictException":                              refused,
	"SerializationException":                         refused,
	"UnknownOperationException":                      refused,
	"PackedPolicyTooLarge":                           refused,
	"PlatformTaskDefinitionIncompatibilityException": refused,
}

// expiring are the codes that a session with fresh credentials may not get.
var expiring = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidIdentityToken"}

// Sentences of AWS that change what a grab-bag code means.
var (
	tooManyConcurrent = regexp.MustCompile(`(?i)too many concurrent attempts`)
	serviceRole       = regexp.MustCompile(`(?i)unable to assume the service linked role|verify that the ECS service role`)
	notAuthorized     = regexp.MustCompile(`(?i)not authorized to perform: ?([a-z0-9-]+:[A-Za-z*]+)`)
	onResource        = regexp.MustCompile(`on resource: ?(\S+)`)
	byPrincipal       = regexp.MustCompile(`User: (\S+)`)
	noTaskDefinition  = regexp.MustCompile(`(?i)unable to describe task definition`)
	inactive          = regexp.MustCompile(`(?i)task ?definition is inactive`)
)

// errorCode is AWS's code of err, "" when AWS did not answer with one.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func errorMessage(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorMessage()
	}
	return ""
}

// httpStatus is the status that AWS answered with, 0 when it did not answer.
func httpStatus(err error) int {
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// isThrottleCode says whether the code means "not so fast". The SDK counts
// LimitExceededException in; in ECS and ECR it is a limit that waiting does not raise.
func isThrottleCode(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok && code != "LimitExceededException"
}

// kindOf is what err means, told by its code, and by its text only where the code says nothing.
func kindOf(err error) kind {
	code, message := errorCode(err), errorMessage(err)
	known, ok := kinds[code]
	switch {
	case isThrottleCode(code):
		return throttled
	case code == "" || httpStatus(err) >= 500:
		return transient
	case !ok:
		return refused
	case known != refused:
		return known
	case tooManyConcurrent.MatchString(message), serviceRole.MatchString(message):
		return transient
	case notAuthorized.MatchString(message):
		return denied
	case noTaskDefinition.MatchString(message):
		return kind{rollout.ProblemMissing, ""}
	}
	return known
}

// IsInactive says that AWS turned a revision down because it was deregistered.
func IsInactive(problem *rollout.Problem) bool {
	return problem.Class == rollout.ProblemRefused && inactive.MatchString(problem.Message)
}

// problemOf makes err a problem. doing says what was done to what; action is the IAM action of
// the call and reason that of a plain refusal.
func problemOf(err error, doing, action, reason string) *rollout.Problem {
	k := kindOf(err)
	return &rollout.Problem{
		Class:   k.class,
		Reason:  cmp.Or(k.reason, reason),
		Message: clip(doing + ": " + describe(err, k, action)),
	}
}

// describe is err in the words of whoever has to read it.
func describe(err error, k kind, action string) string {
	code, message := errorCode(err), errorMessage(err)
	switch {
	case k == throttled:
		return "AWS says not so fast (" + code + ")"
	case k == denied:
		return describeDenial(code, message, action)
	case code != "":
		return code + ": " + message
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "called off"
	}
	return plain(err)
}

// describeDenial names who lacks which action on what.
func describeDenial(code, message, action string) string {
	missing := notAuthorized.FindStringSubmatch(message)
	if missing == nil && code != "AccessDenied" && code != "AccessDeniedException" {
		return "denied: " + code + ": " + message
	}
	if missing != nil {
		action = missing[1]
	}
	who := "the identity"
	if found := byPrincipal.FindStringSubmatch(message); found != nil {
		who = principal(found[1])
	}
	said := "denied: " + who + " lacks " + action
	if found := onResource.FindStringSubmatch(message); found != nil {
		said += " on " + strings.TrimRight(found[1], ".")
	}
	if strings.Contains(message, "explicit deny") {
		said += " (an explicit deny)"
	}
	return said
}

// principal shortens the ARN of a caller to what a person looks for.
func principal(arn string) string {
	_, rest, ok := strings.Cut(arn, ":assumed-role/")
	if !ok {
		return strings.TrimRight(arn, ".")
	}
	role, _, _ := strings.Cut(rest, "/")
	return "the role " + role
}

// plain is the innermost sentence of an error of the SDK or the network, without the layers
// that say which operation it was.
func plain(err error) string {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return plainOp(op)
	}
	for {
		operation, wrapped := (*smithy.OperationError)(nil), errors.Unwrap(err)
		if !errors.As(err, &operation) || wrapped == nil {
			return err.Error()
		}
		err = wrapped
	}
}

// plainOp is what went wrong on the network, without the addresses: ours, and which of AWS's was asked, are
// others each time.
func plainOp(op *net.OpError) string {
	if lookup := (*net.DNSError)(nil); errors.As(op, &lookup) {
		if lookup.IsNotFound {
			return "looking up " + lookup.Name + ": no such host"
		}
		return "looking up " + lookup.Name + ": the resolver does not answer"
	}
	return op.Op + " " + op.Net + ": " + op.Err.Error()
}

// codeLabel is how err is counted: a closed set of words.
func codeLabel(err error) string {
	code := errorCode(err)
	_, known := kinds[code]
	switch {
	case err == nil:
		return "OK"
	case known, isThrottleCode(code):
		return code
	case code != "":
		return "Other"
	case errors.Is(err, context.DeadlineExceeded):
		return "Timeout"
	case errors.Is(err, context.Canceled):
		return "Canceled"
	}
	return "Connection"
}

// neverLeft says that err is about a connection that was never made.
func neverLeft(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && op.Op == "dial"
}

// clip keeps a message of AWS's from flooding a condition.
func clip(s string) string { return shorten(s, 300) }

// shorten is s in at most so many bytes, and always valid UTF-8.
func shorten(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	s = s[:most-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// said is a text of AWS's on one line, in at most so many bytes.
func said(s *string, most int) string {
	return shorten(strings.Join(strings.Fields(aws.ToString(s)), " "), most)
}

// because makes a problem that was found without asking AWS, or in what it answered.
func because(class rollout.ProblemClass, reason, format string, args ...any) *rollout.Problem {
	return &rollout.Problem{Class: class, Reason: reason, Message: clip(fmt.Sprintf(format, args...))}
}
