package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is more than the largest request of the services: a layer part of ECR, in base64.
const maxBody = 32 << 20

const (
	jsonContentType = "application/x-amz-json-1.1"
	formContentType = "application/x-www-form-urlencoded"
	stsNamespace    = "https://sts.amazonaws.com/doc/2011-06-15/"
)

// targets are the prefixes of X-Amz-Target, and the services that they name.
var targets = map[string]string{
	"AmazonEC2ContainerServiceV20141113":   "ecs",
	"AmazonEC2ContainerRegistry_V20150921": "ecr",
}

// request is what a client asks for, as far as it can be told before its signature is
// checked.
type request struct {
	service   string
	operation string
	body      []byte
	form      url.Values // of the query protocol
	query     bool       // the query protocol: answers are XML
}

// readRequest reads the body and finds out which operation of which service is meant. On an
// error the request holds what is needed to answer it.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	q := &request{}
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	target := r.Header.Get("X-Amz-Target")
	q.query = target == "" && (contentType == formContentType || r.URL.Query().Has("Action"))
	if q.query {
		q.service = "sts"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return q, newError(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "The request is larger than %d bytes.", maxBody)
	case err != nil:
		return q, newError(http.StatusBadRequest, "SerializationException", "reading the body: %s", err)
	}
	q.body = body
	if q.query {
		err = q.readForm(r)
		return q, err
	}
	prefix, operation, _ := strings.Cut(target, ".")
	q.service, q.operation = targets[prefix], operation
	if q.service == "" || r.Method != http.MethodPost || contentType != jsonContentType {
		return q, unknownOperation()
	}
	return q, nil
}

func (q *request) readForm(r *http.Request) error {
	form, err := url.ParseQuery(string(q.body))
	if err != nil {
		return newError(http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error.")
	}
	for name, values := range r.URL.Query() {
		if !form.Has(name) {
			form[name] = values
		}
	}
	q.form, q.operation = form, form.Get("Action")
	if q.operation == "" {
		return newError(http.StatusBadRequest, "MissingAction", "Missing Action")
	}
	return nil
}

// check finds the operation in the service's table.
func (q *request) check(tables map[string]map[string]operation) (operation, error) {
	op, found := tables[q.service][q.operation]
	version := "NO_VERSION_SPECIFIED"
	if given := q.form.Get("Version"); given != "" {
		version = given
	}
	switch {
	case q.query && (!found || version != stsVersion):
		return op, newError(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", q.operation, version)
	case !found:
		return op, unknownOperation()
	default:
		return op, nil
	}
}

// document is the JSON document that the handler gets: the body, or the flat parameters of
// the query protocol.
func (q *request) document() (json.RawMessage, error) {
	if !q.query {
		return q.body, checkDocument(q.body)
	}
	flat := make(map[string]string, len(q.form))
	for name := range maps.Keys(q.form) {
		if name != "Action" && name != "Version" {
			flat[name] = q.form.Get(name)
		}
	}
	document, err := json.Marshal(flat)
	if err != nil {
		return nil, fmt.Errorf("writing the parameters of %s: %w", q.operation, err)
	}
	return document, nil
}

func unknownOperation() *apiError {
	return newError(http.StatusBadRequest, "UnknownOperationException", "The requested operation is not recognized by the service.")
}

// answer is a response of either protocol.
type answer struct {
	status int
	code   string // of an error
	body   []byte
}

// answer puts an operation's result into the words of the request's protocol. An error that
// is none of AWS's is a bug of the simulator's, and is told as AWS tells its own.
func (q *request) answer(requestID string, result any, err error) answer {
	if err == nil {
		body, marshalErr := q.marshal(requestID, result)
		if marshalErr == nil {
			return answer{status: http.StatusOK, body: body}
		}
		err = fmt.Errorf("writing the answer to %s: %w", q.operation, marshalErr)
	}
	var failure *apiError
	if !errors.As(err, &failure) {
		failure = newError(http.StatusInternalServerError, "ServerException", "awssim: %s", err)
	}
	if q.query {
		return queryError(requestID, failure)
	}
	return jsonError(failure)
}

func (q *request) marshal(requestID string, result any) ([]byte, error) {
	if !q.query {
		return marshalJSON(result)
	}
	inner, err := xml.Marshal(result)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "<%[1]sResponse xmlns=\"%[2]s\">%[3]s<ResponseMetadata><RequestId>%[4]s</RequestId></ResponseMetadata></%[1]sResponse>\n",
		q.operation, stsNamespace, inner, requestID), nil
}

func marshalJSON(result any) ([]byte, error) {
	if result == nil {
		return []byte("{}"), nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// frameErrors are the errors of AWS's common front, which puts its own name before theirs.
var frameErrors = map[string]bool{
	"IncompleteSignatureException":        true,
	"InvalidSignatureException":           true,
	"MissingAuthenticationTokenException": true,
	"SerializationException":              true,
	"UnknownOperationException":           true,
	"UnrecognizedClientException":         true,
	"ExpiredTokenException":               true,
}

func jsonError(e *apiError) answer {
	document := map[string]any{}
	maps.Copy(document, e.extra)
	document["__type"] = e.code
	if frameErrors[e.code] {
		document["__type"] = "com.amazon.coral.service#" + e.code
	}
	document["message"] = e.message
	body, err := marshalJSON(document)
	if err != nil {
		body = fmt.Appendf(nil, `{"__type":%q}`, e.code)
	}
	return answer{status: e.status, code: e.code, body: body}
}

// queryNames are the names and statuses that the query protocol has for the errors of the
// common front.
var queryNames = map[string]struct {
	code   string
	status int
}{
	"ExpiredTokenException":               {"ExpiredToken", http.StatusForbidden},
	"IncompleteSignatureException":        {"IncompleteSignature", http.StatusBadRequest},
	"InvalidSignatureException":           {"SignatureDoesNotMatch", http.StatusForbidden},
	"MissingAuthenticationTokenException": {"MissingAuthenticationToken", http.StatusForbidden},
	"RequestEntityTooLargeException":      {"RequestEntityTooLarge", http.StatusRequestEntityTooLarge},
	"SerializationException":              {"MalformedInput", http.StatusBadRequest},
	"ServerException":                     {"InternalFailure", http.StatusInternalServerError},
	"ThrottlingException":                 {"Throttling", http.StatusBadRequest},
	"UnrecognizedClientException":         {"InvalidClientTokenId", http.StatusForbidden},
}

type queryErrorDocument struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	XMLNS   string   `xml:"xmlns,attr"`
	Error   struct {
		Type    string
		Code    string
		Message string
	}
	RequestID string `xml:"RequestId"`
}

func queryError(requestID string, e *apiError) answer {
	code, status := e.code, e.status
	if translated, found := queryNames[code]; found {
		code, status = translated.code, translated.status
	}
	document := queryErrorDocument{XMLNS: stsNamespace, RequestID: requestID}
	document.Error.Type, document.Error.Code, document.Error.Message = "Sender", code, e.message
	if status >= http.StatusInternalServerError {
		document.Error.Type = "Receiver"
	}
	body, err := xml.Marshal(document)
	if err != nil {
		body = []byte("<ErrorResponse/>")
	}
	return answer{status: status, code: code, body: body}
}
