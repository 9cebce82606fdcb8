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
	jsonContentType   = "application/x-amz-json-1.1"
	json10ContentType = "application/x-amz-json-1.0"
	formContentType   = "application/x-www-form-urlencoded"
)

// wireProtocol is how a request and its answer are written.
type wireProtocol int

const (
	jsonProtocol  wireProtocol = iota // AWS JSON 1.1, or 1.0 where the service has that
	queryProtocol                     // a form, answered in XML
	cborProtocol                      // Smithy RPC v2 CBOR
	restProtocol                      // XML documents at paths
)

// targets are the prefixes of X-Amz-Target, and the services that they name.
var targets = map[string]string{
	"AmazonEC2ContainerServiceV20141113":   "ecs",
	"AmazonEC2ContainerRegistry_V20150921": "ecr",
	"GraniteServiceVersion20100801":        "cloudwatch",
	"AmazonSQS":                            "sqs",
	"AWSEvents":                            "events",
	"CertificateManager":                   "acm",
	"GlobalAccelerator_V20180706":          "globalaccelerator",
}

// queryCompatible are the services that spoke the query protocol once: their clients may want
// the error codes of that (X-Amzn-Query-Mode). They happen to be those that speak AWS JSON 1.0.
var queryCompatible = map[string]bool{"cloudwatch": true, "sqs": true}

// jsonContentTypeOf is the version of AWS JSON that a service speaks.
func jsonContentTypeOf(service string) string {
	if queryCompatible[service] {
		return json10ContentType
	}
	return jsonContentType
}

// request is what a client asks for, as far as it can be told before its signature is
// checked.
type request struct {
	service   string
	operation string
	body      []byte
	form      url.Values // of the query protocol
	protocol  wireProtocol
	queryMode bool // a client of a service that spoke the query protocol once wants its error codes

	members     map[string]any // of the REST protocol: what path and query hold
	hasDocument bool           // and whether there is more in the body
}

// readRequest reads the body and finds out which operation of which service is meant. On an
// error the request holds what is needed to answer it.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	q := &request{}
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	target := r.Header.Get("X-Amz-Target")
	switch {
	case restService(r.URL.Path) != "":
		q.protocol, q.service = restProtocol, restService(r.URL.Path)
	case r.Header.Get("Smithy-Protocol") == cborProtocolID:
		q.protocol = cborProtocol
		q.service, q.operation = cborTarget(r.URL.Path)
	case target == "" && (contentType == formContentType || r.URL.Query().Has("Action")):
		q.protocol, q.service = queryProtocol, queryService(r.URL.Query(), r)
	}
	q.queryMode = r.Header.Get("X-Amzn-Query-Mode") == "true"
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return q, newError(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "The request is larger than %d bytes.", maxBody)
	case err != nil:
		return q, newError(http.StatusBadRequest, "SerializationException", "reading the body: %s", err)
	}
	q.body = body
	switch q.protocol {
	case restProtocol:
		err = q.readREST(r)
		return q, err
	case queryProtocol:
		err = q.readForm(r)
		return q, err
	case cborProtocol:
		if q.service == "" || r.Method != http.MethodPost || len(body) > 0 && contentType != cborContentType {
			return q, unknownOperation()
		}
		return q, nil
	default:
		prefix, operation, _ := strings.Cut(target, ".")
		q.service, q.operation = targets[prefix], operation
		if q.service == "" || r.Method != http.MethodPost || contentType != jsonContentTypeOf(q.service) {
			return q, unknownOperation()
		}
		return q, nil
	}
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
	q.form, q.operation, q.service = form, form.Get("Action"), queryService(form, r)
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
	case q.protocol == queryProtocol && (!found || queryVersions[version] != q.service):
		return op, newError(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", q.operation, version)
	case !found:
		return op, unknownOperation()
	default:
		return op, nil
	}
}

// document is the JSON document that the handler gets: the body in the terms of JSON, or the
// parameters of the query protocol, which are nested for all services but STS.
func (q *request) document() (json.RawMessage, error) {
	switch {
	case q.protocol == cborProtocol:
		return decodeCBOR(q.body)
	case q.protocol == jsonProtocol:
		return q.body, checkDocument(q.body)
	case q.protocol == restProtocol:
		return q.restDocument()
	case q.service != "sts":
		return nestForm(q.form)
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

// answer is a response of any of the protocols.
type answer struct {
	status     int
	code       string // of an error
	body       []byte
	queryError string // the header that tells the code which the query protocol has for the error
	location   string // of what was created, a header of the REST protocol
}

// answer puts an operation's result into the words of the request's protocol. An error that
// is none of AWS's is a bug of the simulator's, and is told as AWS tells its own.
func (q *request) answer(requestID string, result any, err error) answer {
	if err == nil {
		body, marshalErr := q.marshal(requestID, result)
		if marshalErr == nil {
			a := answer{status: http.StatusOK, body: body}
			if made, isNew := result.(created); isNew && q.protocol == restProtocol {
				a.status, a.location = http.StatusCreated, made.location()
			}
			return a
		}
		err = fmt.Errorf("writing the answer to %s: %w", q.operation, marshalErr)
	}
	var failure *apiError
	if !errors.As(err, &failure) {
		failure = newError(http.StatusInternalServerError, "ServerException", "awssim: %s", err)
	}
	var a answer
	switch q.protocol {
	case queryProtocol, restProtocol:
		return queryError(q.service, requestID, failure)
	case cborProtocol:
		a = cborError(q.service, failure)
	default:
		a = jsonError(q.service, failure)
		a.queryError = queryErrorHeader(failure)
	}
	if !q.queryMode || !queryCompatible[q.service] {
		a.queryError = ""
	}
	return a
}

func (q *request) marshal(requestID string, result any) ([]byte, error) {
	switch q.protocol {
	case queryProtocol:
		return marshalQuery(q.service, q.operation, requestID, result)
	case restProtocol:
		return marshalREST(q.service, q.operation, result), nil
	case cborProtocol:
		return marshalCBOR(result)
	default:
		return marshalJSON(result)
	}
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

// typeName is the value of __type for an error's code.
func typeName(service, code string) string {
	switch {
	case frameErrors[code]:
		return "com.amazon.coral.service#" + code
	case service == "sqs":
		return "com.amazonaws.sqs#" + code
	default:
		return code
	}
}

// messageMember is what an error has its message in.
func messageMember(service, code string) string {
	if service == "globalaccelerator" || service == "acm" && code == "AccessDeniedException" {
		return "Message"
	}
	return "message"
}

func jsonError(service string, e *apiError) answer {
	document := map[string]any{}
	maps.Copy(document, e.extra)
	document["__type"] = typeName(service, e.code)
	document[messageMember(service, e.code)] = e.message
	body, err := marshalJSON(document)
	if err != nil {
		body = fmt.Appendf(nil, `{"__type":%q}`, e.code)
	}
	return answer{status: e.status, code: e.code, body: body}
}

// queryNames are the names and statuses that the query protocol has for the errors of the
// common front, and for those of the services whose code there is not the name of their
// shape.
var queryNames = map[string]struct {
	code   string
	status int
}{
	"AccessDeniedException":               {"AccessDenied", http.StatusForbidden},
	"ExpiredTokenException":               {"ExpiredToken", http.StatusForbidden},
	"IncompleteSignatureException":        {"IncompleteSignature", http.StatusBadRequest},
	"InvalidFormatFault":                  {"InvalidFormat", http.StatusBadRequest},
	"InvalidSignatureException":           {"SignatureDoesNotMatch", http.StatusForbidden},
	"LimitExceededFault":                  {"LimitExceeded", http.StatusBadRequest},
	"MissingAuthenticationTokenException": {"MissingAuthenticationToken", http.StatusForbidden},
	"RequestEntityTooLargeException":      {"RequestEntityTooLarge", http.StatusRequestEntityTooLarge},
	"SerializationException":              {"MalformedInput", http.StatusBadRequest},
	"ServerException":                     {"InternalFailure", http.StatusInternalServerError},
	"ThrottlingException":                 {"Throttling", http.StatusBadRequest},
	"UnknownOperationException":           {"InvalidAction", http.StatusBadRequest},
	"UnrecognizedClientException":         {"InvalidClientTokenId", http.StatusForbidden},
	"ValidationException":                 {"ValidationError", http.StatusBadRequest},
}

// queryCode is the code and the status that the query protocol has for an error.
func queryCode(e *apiError) (code string, status int) {
	if translated, found := queryNames[e.code]; found {
		return translated.code, translated.status
	}
	if translated, found := sqsQueryNames[e.code]; found {
		return translated, e.status
	}
	return e.code, e.status
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

func queryError(service, requestID string, e *apiError) answer {
	code, status := queryCode(e)
	if service == "route53" && (code == "MalformedInput" || code == "ValidationError") {
		code = "InvalidInput" // the only one that it has for bad parameters
	}
	document := queryErrorDocument{XMLNS: namespaces[service], RequestID: requestID}
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
