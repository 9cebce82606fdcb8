package awssim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type assumeRoleInput struct {
	roleARN     string
	sessionName string
	externalID  *string
	duration    time.Duration
	policy      *policy
	tags        map[string]string
	transitive  []string
	packed      int // percent of what a session may carry
}

// The patterns are those of the service's model.
var (
	sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]*$`)
	externalIDPattern  = regexp.MustCompile(`^[\w+=,.@:/-]*$`)
	tagKeyPattern      = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)
	tagValuePattern    = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	roleARNPattern     = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/([\x21-\x7e]+/)?[\w+=,.@-]+$`)
)

const (
	packedTextLimit = 2048 // characters of an inline session policy
	packedTagsLimit = 4096 // bytes of keys and values; AWS's packed format is not published
)

// readAssumeRole checks the parameters as the service's model does, then what the model
// cannot say.
func readAssumeRole(c *call, in json.RawMessage) (assumeRoleInput, error) {
	var params map[string]string
	if err := decode(in, &params); err != nil {
		return assumeRoleInput{}, err
	}
	for name := range params {
		switch root, _, _ := strings.Cut(name, "."); root {
		case "PolicyArns", "SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts":
			return assumeRoleInput{}, validationError("awssim does not implement the parameter " + root + " of AssumeRole.")
		}
	}
	req := assumeRoleInput{roleARN: params["RoleArn"], sessionName: params["RoleSessionName"], duration: time.Hour}
	var v violations
	v.text(params, "RoleArn", "roleArn", 20, 2048, nil, true)
	v.text(params, "RoleSessionName", "roleSessionName", 2, 64, sessionNamePattern, true)
	v.text(params, "ExternalId", "externalId", 2, 1224, externalIDPattern, false)
	v.text(params, "Policy", "policy", 1, packedTextLimit, nil, false)
	if external, given := params["ExternalId"]; given {
		req.externalID = &external
	}
	if written, given := params["DurationSeconds"]; given {
		seconds, err := strconv.Atoi(written)
		if err != nil {
			return req, newError(http.StatusBadRequest, "MalformedInput", "Invalid value for DurationSeconds: %s", written)
		}
		v.require(seconds >= 900, "durationSeconds", written, "have value greater than or equal to %d", 900)
		v.require(seconds <= 43200, "durationSeconds", written, "have value less than or equal to %d", 43200)
		req.duration = time.Duration(seconds) * time.Second
	}
	tags := v.tags(params)
	transitive := listOf(params, "TransitiveTagKeys.member.%d")
	v.require(len(transitive) <= 50, "transitiveTagKeys", "["+strings.Join(transitive, ", ")+"]", "have length less than or equal to %d", 50)
	if err := v.err(); err != nil {
		return req, err
	}
	if !roleARNPattern.MatchString(req.roleARN) {
		return req, validationError(req.roleARN + " is invalid")
	}
	err := req.pack(c, tags, transitive, params["Policy"])
	return req, err
}

// pack checks what a session is to carry: its policy and its tags, inherited ones included.
func (req *assumeRoleInput) pack(c *call, tags [][2]string, transitive []string, document string) error {
	req.tags = map[string]string{}
	seen := map[string]bool{}
	for _, tag := range tags {
		if seen[strings.ToLower(tag[0])] {
			return newError(http.StatusBadRequest, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(tag[0])] = true
		req.tags[tag[0]] = tag[1]
	}
	for _, key := range transitive {
		if _, given := req.tags[key]; !given {
			return newError(http.StatusBadRequest, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
		}
	}
	req.transitive = slices.Clone(transitive)
	if from := c.principal.session; from != nil {
		for _, key := range from.transitive {
			if seen[strings.ToLower(key)] {
				return newError(http.StatusBadRequest, "InvalidParameterValue",
					"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
			req.tags[key] = from.tags[key]
			req.transitive = append(req.transitive, key)
		}
	}
	if document != "" {
		parsed, err := parsePolicy(json.RawMessage(document))
		if err != nil {
			return newError(http.StatusBadRequest, "MalformedPolicyDocument", "%s", err)
		}
		req.policy = parsed
	}
	size := 0
	for key, value := range req.tags {
		size += len(key) + len(value)
	}
	req.packed = (len(document)*100+packedTextLimit-1)/packedTextLimit + (size*100+packedTagsLimit-1)/packedTagsLimit
	if req.packed > 100 {
		return newError(http.StatusBadRequest, "PackedPolicyTooLarge",
			"Packed policy consumes %d%% of allotted space, please use smaller policy.", req.packed)
	}
	return nil
}

// listOf is the items of a list of the query protocol.
func listOf(params map[string]string, format string) []string {
	var items []string
	for i := 1; ; i++ {
		item, given := params[fmt.Sprintf(format, i)]
		if !given {
			return items
		}
		items = append(items, item)
	}
}

// violations collects what the service's model forbids, in AWS's words.
type violations []string

func (v *violations) add(name, value, constraint string) {
	*v = append(*v, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: Member must %s", value, name, constraint))
}

func (v *violations) require(holds bool, name, value, constraint string, bound int) {
	if !holds {
		v.add(name, "'"+value+"'", fmt.Sprintf(constraint, bound))
	}
}

func (v *violations) text(params map[string]string, param, name string, least, most int, pattern *regexp.Regexp, required bool) {
	value, given := params[param]
	if !given {
		if required {
			v.add(name, "null", "not be null")
		}
		return
	}
	n := utf8.RuneCountInString(value)
	v.require(n >= least, name, value, "have length greater than or equal to %d", least)
	v.require(n <= most, name, value, "have length less than or equal to %d", most)
	if pattern != nil && !pattern.MatchString(value) {
		v.add(name, "'"+value+"'", "satisfy regular expression pattern: "+strings.Trim(pattern.String(), "^$"))
	}
}

func (v *violations) tags(params map[string]string) [][2]string {
	var tags [][2]string
	for i, key := range listOf(params, "Tags.member.%d.Key") {
		value := fmt.Sprintf("Tags.member.%d.Value", i+1)
		v.text(params, fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprintf("tags.%d.member.key", i+1), 1, 128, tagKeyPattern, true)
		v.text(params, value, fmt.Sprintf("tags.%d.member.value", i+1), 0, 256, tagValuePattern, true)
		tags = append(tags, [2]string{key, params[value]})
	}
	v.require(len(tags) <= 50, "tags", fmt.Sprint(tags), "have length less than or equal to %d", 50)
	return tags
}

func (v *violations) err() error {
	if len(*v) == 0 {
		return nil
	}
	return validationError(v.message())
}

func (v *violations) message() string {
	noun := "errors"
	if len(*v) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(*v), noun, strings.Join(*v, "; "))
}

func validationError(message string) *apiError {
	return newError(http.StatusBadRequest, "ValidationError", "%s", message)
}
