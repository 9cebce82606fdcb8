package awssim

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	signingAlgorithm = "AWS4-HMAC-SHA256"
	signingTime      = "20060102T150405Z"
	maxClockSkew     = 5 * time.Minute
)

// signature is what the headers of a signed request claim (Signature Version 4).
type signature struct {
	accessKey     string
	date          string // of the scope
	region        string
	service       string
	signedHeaders []string
	value         string
	time          time.Time
	token         string
}

var regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`)

// signingName is what a service is called in signatures: like its actions, with one
// exception.
func signingName(service string) string {
	if service == "cloudwatch" {
		return "monitoring"
	}
	return service
}

// homeRegions are the only regions that signatures for a service may name: that of its only
// endpoint, or the one that stands for a global service.
var homeRegions = map[string]string{"globalaccelerator": "us-west-2", "route53": "us-east-1"}

// readSignature reads the claim without believing it. service is the one the request is
// for.
func readSignature(r *http.Request, service string) (signature, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return signature{}, newError(http.StatusBadRequest, "MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	rest, found := strings.CutPrefix(header, signingAlgorithm+" ")
	if !found {
		return signature{}, incompleteSignature("Unsupported AWS 'algorithm': '" + strings.SplitN(header, " ", 2)[0] + "'.")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if missing != nil {
		return signature{}, incompleteSignature(strings.Join(missing, " ") + " Authorization=" + signingAlgorithm)
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 {
		return signature{}, incompleteSignature("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + parts["Credential"] + "'")
	}
	s := signature{
		accessKey:     scope[0],
		date:          scope[1],
		region:        scope[2],
		service:       scope[3],
		signedHeaders: strings.Split(parts["SignedHeaders"], ";"),
		value:         parts["Signature"],
		token:         r.Header.Get("X-Amz-Security-Token"),
	}
	written := r.Header.Get("X-Amz-Date")
	if written == "" {
		return signature{}, incompleteSignature("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=" + signingAlgorithm)
	}
	var err error
	if s.time, err = time.Parse(signingTime, written); err != nil {
		return signature{}, incompleteSignature("Date must be in ISO-8601 'basic format'. Got '" + written + "'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	err = s.checkScope(scope[4], service)
	return s, err
}

func (s *signature) checkScope(term, service string) error {
	switch {
	case term != "aws4_request":
		return invalidSignature("Credential should be scoped with a valid terminator: 'aws4_request', not '%s'.", term)
	case s.service != service:
		return invalidSignature("Credential should be scoped to correct service: '%s'. ", service)
	case !regionName.MatchString(s.region):
		return invalidSignature("Credential should be scoped to a valid region. ")
	case homeRegions[service] != "" && s.region != homeRegions[service]:
		return invalidSignature("Credential should be scoped to a valid region, not '%s'. ", s.region)
	case s.date != s.time.Format("20060102"):
		return invalidSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			s.date, s.time.Format("20060102"), s.time.Format(signingTime))
	default:
		return nil
	}
}

// verify recomputes the signature of the request as it arrived, its body included, with the
// caller's secret.
func (s *signature) verify(r *http.Request, body []byte, secret string, now time.Time) error {
	if err := s.checkTime(now.UTC()); err != nil {
		return err
	}
	if err := s.checkSignedHeaders(r); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(s.canonicalRequest(r, body)))
	toSign := strings.Join([]string{
		signingAlgorithm,
		s.time.Format(signingTime),
		strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/"),
		hex.EncodeToString(digest[:]),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(hmacSHA256(key, toSign))), []byte(s.value)) {
		return invalidSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func (s *signature) checkTime(now time.Time) error {
	earliest, latest := now.Add(-maxClockSkew), now.Add(maxClockSkew)
	if s.time.Before(earliest) {
		return invalidSignature("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			s.time.Format(signingTime), earliest.Format(signingTime), now.Format(signingTime))
	}
	if s.time.After(latest) {
		return invalidSignature("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			s.time.Format(signingTime), latest.Format(signingTime), now.Format(signingTime))
	}
	return nil
}

// checkSignedHeaders refuses a signature that leaves out the host or a header that steers
// the request: those could be changed on the way.
func (s *signature) checkSignedHeaders(r *http.Request) error {
	if !slices.Contains(s.signedHeaders, "host") {
		return invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(s.signedHeaders, lower) {
			return invalidSignature("'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

func (s *signature) canonicalRequest(r *http.Request, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	b.WriteString(uriEncode(cmp.Or(r.URL.EscapedPath(), "/"), true) + "\n")
	b.WriteString(canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range s.signedHeaders {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.signedHeaders, ";") + "\n")
	digest := sha256.Sum256(body)
	b.WriteString(hex.EncodeToString(digest[:]))
	return b.String()
}

// headerValue is a header in the canonical form. net/http moves two headers out of the map.
func headerValue(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{cmp.Or(r.Host, r.URL.Host)}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(trimmed, ",")
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, uriEncode(name, false)+"="+uriEncode(value, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// uriEncode escapes everything but RFC 3986's unreserved characters, and slashes in a path.
func uriEncode(text string, path bool) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte(unreserved, c) >= 0 || path && c == '/' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func incompleteSignature(message string) *apiError {
	return newError(http.StatusBadRequest, "IncompleteSignatureException", "%s", message)
}

func invalidSignature(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "InvalidSignatureException", format, args...)
}
