package awssim

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// acceleratorDeployment is how long an accelerator takes to be what it was changed to.
const acceleratorDeployment = 2 * time.Minute

// acceleratorState is AWS Global Accelerator of one account. All of it is in us-west-2, where
// its only endpoint is.
type acceleratorState struct {
	accelerators map[string]*accelerator // by ARN, like the others
	listeners    map[string]*acceleratorListener
	groups       map[string]*endpointGroup
	tokens       map[string]any // what a creation answered, by its operation and its idempotency token
}

func newAcceleratorState() *acceleratorState {
	return &acceleratorState{
		accelerators: map[string]*accelerator{},
		listeners:    map[string]*acceleratorListener{},
		groups:       map[string]*endpointGroup{},
		tokens:       map[string]any{},
	}
}

// accelerator is a standard one: two addresses that lead to the regions of its listeners.
type accelerator struct {
	arn       string
	name      string
	dnsName   string
	dualStack bool
	ipv4      []string
	ipv6      []string
	enabled   bool
	created   time.Time
	modified  time.Time
	deployed  time.Time
	tags      map[string]string
	listeners []*acceleratorListener
}

// acceleratorListener is ports of an accelerator.
type acceleratorListener struct {
	arn         string
	accelerator *accelerator
	ranges      []portRange
	protocol    string
	affinity    string
	groups      []*endpointGroup
}

// endpointGroup is the endpoints of a listener in one region.
type endpointGroup struct {
	arn       string
	listener  *acceleratorListener
	region    string
	dial      float64
	check     endpointCheck
	overrides []portOverride
	endpoints []*acceleratorEndpoint
}

// acceleratorEndpoint is an application load balancer of a group.
type acceleratorEndpoint struct {
	id        string // ARN
	weight    int
	preserved bool // the client's address
	added     time.Time
	ordered   *EndpointHealth // what a test wants its health to be
}

// acceleratorOperations is the table of what GlobalAccelerator answers about standard
// accelerators. Its rates are not published.
func (s *Simulator) acceleratorOperations() map[string]operation {
	return map[string]operation{
		"CreateAccelerator":   {"", typed(createAccelerator)},
		"DescribeAccelerator": {"", typed(describeAccelerator)},
		"ListAccelerators":    {"", typed(listAccelerators)},
		"UpdateAccelerator":   {"", typed(updateAccelerator)},
		"DeleteAccelerator":   {"", typed(deleteAccelerator)},

		"CreateListener":   {"", typed(createAcceleratorListener)},
		"DescribeListener": {"", typed(describeAcceleratorListener)},
		"ListListeners":    {"", typed(listAcceleratorListeners)},
		"UpdateListener":   {"", typed(updateAcceleratorListener)},
		"DeleteListener":   {"", typed(deleteAcceleratorListener)},

		"CreateEndpointGroup":   {"", typed(createEndpointGroup)},
		"DescribeEndpointGroup": {"", typed(describeEndpointGroup)},
		"ListEndpointGroups":    {"", typed(listEndpointGroups)},
		"UpdateEndpointGroup":   {"", typed(updateEndpointGroup)},
		"DeleteEndpointGroup":   {"", typed(deleteEndpointGroup)},

		"AddEndpoints":    {"", typed(addEndpoints)},
		"RemoveEndpoints": {"", typed(removeEndpoints)},
	}
}

// change starts the deployment of a change.
func (a *accelerator) change(w *world) {
	a.modified = w.now()
	a.deployed = a.modified.Add(w.scale(acceleratorDeployment))
}

// The kinds of resources, with how the rest of their ARNs looks and the error for one that is
// not there.
var (
	acceleratorKind         = acceleratorResource{"accelerator", regexp.MustCompile(`^accelerator/[0-9a-z-]+$`), "AcceleratorNotFoundException"}
	acceleratorListenerKind = acceleratorResource{"listener", regexp.MustCompile(`^accelerator/[0-9a-z-]+/listener/[0-9a-z-]+$`), "ListenerNotFoundException"}
	endpointGroupKind       = acceleratorResource{
		"endpoint group", regexp.MustCompile(`^accelerator/[0-9a-z-]+/listener/[0-9a-z-]+/endpoint-group/[0-9a-z-]+$`), "EndpointGroupNotFoundException",
	}
)

type acceleratorResource struct {
	noun string
	path *regexp.Regexp
	code string
}

// lookUpAccelerated finds a resource by its ARN after it has asked whether the caller may do
// the operation to it. tags are the accelerator's.
func lookUpAccelerated[T any](c *call, kind acceleratorResource, resources map[string]*T, arn *string, tags func(*T) map[string]string) (*T, error) {
	if arn == nil {
		return nil, acceleratorInvalid("The ARN of the %s must be specified.", kind.noun)
	}
	rest, mine := strings.CutPrefix(*arn, "arn:aws:globalaccelerator::")
	account, path, _ := strings.Cut(rest, ":")
	if !mine || !isAccountID(account) || !kind.path.MatchString(path) {
		return nil, acceleratorInvalid("'%s' is not a valid %s ARN.", *arn, kind.noun)
	}
	found := resources[*arn]
	conditions := map[string]string{}
	if found != nil {
		for key, value := range tags(found) {
			conditions["aws:ResourceTag/"+key] = value
		}
	}
	if err := c.authorize("globalaccelerator:"+c.operation, *arn, conditions); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, acceleratorError(kind.code, "The %s %s does not exist.", kind.noun, *arn)
	}
	return found, nil
}

func (c *call) accelerator(arn *string) (*accelerator, error) {
	return lookUpAccelerated(c, acceleratorKind, c.region.accelerators.accelerators, arn, func(a *accelerator) map[string]string { return a.tags })
}

func (c *call) acceleratorListener(arn *string) (*acceleratorListener, error) {
	return lookUpAccelerated(c, acceleratorListenerKind, c.region.accelerators.listeners, arn, func(l *acceleratorListener) map[string]string { return l.accelerator.tags })
}

func (c *call) endpointGroup(arn *string) (*endpointGroup, error) {
	return lookUpAccelerated(c, endpointGroupKind, c.region.accelerators.groups, arn, func(g *endpointGroup) map[string]string { return g.listener.accelerator.tags })
}

// acceleratorError is an error of Global Accelerator's.
func acceleratorError(code, format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, code, format, args...)
}

// acceleratorInvalid is a parameter that Global Accelerator does not take.
func acceleratorInvalid(format string, args ...any) *apiError {
	return acceleratorError("InvalidArgumentException", format, args...)
}

// notInAccelerator refuses a parameter, instead of ignoring it.
func notInAccelerator(what string) *apiError {
	return acceleratorInvalid("awssim does not implement %s", what)
}

// acceleratorAmong refuses a value that an enumeration does not have; absent is fine.
func acceleratorAmong(member, value string, known ...string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return acceleratorInvalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
		value, member, strings.Join(known, ", "))
}

// acceleratorWithin refuses a number out of its range; absent is fine.
func acceleratorWithin[N int | float64](member string, value *N, least, most N) error {
	if value == nil || *value >= least && *value <= most {
		return nil
	}
	return acceleratorInvalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must have value between %v and %v", *value, member, least, most)
}

// once creates something unless a creation with the same idempotency token has: then it
// answers what that one did.
func (c *call) once(token *string, create func() (any, error)) (any, error) {
	if token == nil {
		return nil, acceleratorInvalid("1 validation error detected: Value null at 'idempotencyToken' failed to satisfy constraint: Member must not be null")
	}
	key := c.operation + " " + *token
	if before, known := c.region.accelerators.tokens[key]; known {
		return before, nil
	}
	made, err := create()
	if err == nil {
		c.region.accelerators.tokens[key] = made
	}
	return made, err
}

// acceleratorPaging is what the listing operations have in common.
type acceleratorPaging struct {
	MaxResults *int
	NextToken  string
}

const acceleratorPage = 10 // items on a page whose request does not say

// acceleratorPageOf cuts the page out of a listing: the token is the ARN of what comes next.
func acceleratorPageOf[T any](p acceleratorPaging, items []T, arn func(T) string) (page []T, next string, err error) {
	if err := acceleratorWithin("maxResults", p.MaxResults, 1, 100); err != nil {
		return nil, "", err
	}
	if p.NextToken != "" {
		raw, err := base64.RawURLEncoding.DecodeString(p.NextToken)
		at := slices.IndexFunc(items, func(item T) bool { return arn(item) == string(raw) })
		if err != nil || at < 0 {
			return nil, "", acceleratorError("InvalidNextTokenException", "The next token is not valid.")
		}
		items = items[at:]
	}
	size := acceleratorPage
	if p.MaxResults != nil {
		size = *p.MaxResults
	}
	if len(items) > size {
		return items[:size], base64.RawURLEncoding.EncodeToString([]byte(arn(items[size]))), nil
	}
	return items, "", nil
}
