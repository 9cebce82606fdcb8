package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Every call that a test makes through a client of this package is checked on the wire: what
// was accepted must have been a valid request, what was answered a valid answer, an error one
// that the operation or every operation has. A run of the whole suite fails when it leaves an
// operation out.

var conformance = struct {
	sync.Mutex
	models    map[string]*serviceModel
	events    *serviceModel
	exercised map[string]bool // "ecs.UpdateService", with success; "event.ECS Service Action", received
}{exercised: map[string]bool{}}

func TestMain(m *testing.M) {
	flag.Parse()
	models, err := loadModels()
	if err != nil {
		fmt.Fprintln(os.Stderr, "loading the models of botocore:", err)
		os.Exit(1)
	}
	conformance.models = models
	if conformance.events, err = loadEventShapes(); err != nil {
		fmt.Fprintln(os.Stderr, "loading the shapes of events:", err)
		os.Exit(1)
	}
	code := m.Run()
	if left := leftOut(); wholeSuite() && len(left) > 0 {
		fmt.Fprintln(os.Stderr, "FAIL: no test has called with success:", strings.Join(left, ", "))
		code = 1
	}
	os.Exit(code)
}

func wholeSuite() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

func leftOut() []string {
	conformance.Lock()
	defer conformance.Unlock()
	var left []string
	for service, table := range New(Options{}).tables {
		for name := range table {
			if !conformance.exercised[modelOf(service)+"."+name] {
				left = append(left, service+"."+name)
			}
		}
	}
	for name := range conformance.events.Shapes {
		if strings.Contains(name, " ") && !conformance.exercised["event."+name] {
			left = append(left, "event."+name)
		}
	}
	slices.Sort(left)
	return left
}

// Conforming checks every call that passes through against the models of the services, and
// fails t on what does not fit.
func Conforming(t testing.TB, next http.RoundTripper) http.RoundTripper {
	return conformingTransport{t, next}
}

type conformingTransport struct {
	t    testing.TB
	next http.RoundTripper
}

// RoundTrip passes the call on and looks at both of its sides.
func (c conformingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	received, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(received))
	for _, problem := range checkExchange(r, sent, response.StatusCode, response.Header, received) {
		c.t.Errorf("not as AWS: %s", problem)
	}
	return response, nil
}

// conformingHandler does the same on the server's side, for clients in other processes.
func conformingHandler(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
		recorder := &recordingWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		for _, problem := range checkExchange(r, sent, recorder.status, recorder.Header(), recorder.body.Bytes()) {
			t.Errorf("not as AWS: %s", problem)
		}
	})
}

type recordingWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *recordingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *recordingWriter) Write(data []byte) (int, error) {
	w.body.Write(data)
	return w.ResponseWriter.Write(data)
}

// exchange is one call on the wire.
type exchange struct {
	model     *serviceModel
	operation operationModel
	service   string // as the models are called
	name      string
	protocol  string // "json", "query", "cbor" or "rest"
	request   any
}

// readExchange knows no calls that are none of AWS's or of no operation.
func readExchange(r *http.Request, sent []byte) (e exchange, known bool) {
	prefix, target, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	path := strings.Split(r.URL.Path, "/")
	switch {
	case strings.HasPrefix(r.URL.Path, "/2013-04-01/"):
		return readREST(conformance.models["route53"], r, sent)
	case isJSON:
		e = exchange{service: targetServices[prefix], name: target, protocol: "json", request: decodeNumbers(sent)}
	case len(path) == 5 && path[1] == "service":
		e = exchange{service: targetServices[path[2]], name: path[4], protocol: "cbor", request: decodeCBORNumbers(sent)}
	default:
		form, err := url.ParseQuery(string(sent))
		if err != nil {
			return e, false
		}
		e = exchange{service: versionServices[form.Get("Version")], name: form.Get("Action"), protocol: "query", request: formMembers(form)}
	}
	if e.model = conformance.models[e.service]; e.model == nil {
		return e, false
	}
	e.operation, known = e.model.Operations[e.name]
	return e, known
}

var targetServices = map[string]string{
	"AmazonEC2ContainerServiceV20141113":   "ecs",
	"AmazonEC2ContainerRegistry_V20150921": "ecr",
	"GraniteServiceVersion20100801":        "cloudwatch",
	"AmazonSQS":                            "sqs",
	"AWSEvents":                            "events",
	"CertificateManager":                   "acm",
	"GlobalAccelerator_V20180706":          "globalaccelerator",
}

var versionServices = map[string]string{"2011-06-15": "sts", "2015-12-01": "elbv2", "2010-08-01": "cloudwatch"}

func checkExchange(r *http.Request, sent []byte, status int, header http.Header, received []byte) []string {
	e, known := readExchange(r, sent)
	if !known {
		return nil
	}
	var problems []string
	if status >= 300 {
		problems = e.checkError(received)
	} else {
		conformance.Lock()
		conformance.exercised[e.service+"."+e.name] = true
		conformance.Unlock()
		problems = append(e.checkRequest(), e.checkAnswer(header, received)...)
		if e.service == "sqs" && e.name == "ReceiveMessage" {
			problems = append(problems, checkEvents(received)...)
		}
	}
	for i := range problems {
		problems[i] = fmt.Sprintf("%s.%s (%d) %s", e.service, e.name, status, problems[i])
	}
	return problems
}

// decodeCBORNumbers turns a document into what decodeNumbers would return; nil for none.
func decodeCBORNumbers(document []byte) any {
	var value any
	if cbor.Unmarshal(document, &value) != nil {
		return nil
	}
	written, err := json.Marshal(jsonOf(value))
	if err != nil {
		return nil
	}
	return decodeNumbers(written)
}

// jsonOf is a CBOR value as JSON would have it: names are text, times are seconds.
func jsonOf(value any) any {
	switch value := value.(type) {
	case map[any]any:
		members := map[string]any{}
		for key, item := range value {
			members[fmt.Sprint(key)] = jsonOf(item)
		}
		return members
	case []any:
		for i := range value {
			value[i] = jsonOf(value[i])
		}
	case time.Time:
		return float64(value.UnixMilli()) / 1000
	}
	return value
}

func decodeNumbers(document []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

// formMembers is a form as the structure that it spells, every scalar a text. A list without
// members is an empty text.
func formMembers(form url.Values) map[string]any {
	root := map[string]any{}
	for key := range form {
		if key == "Action" || key == "Version" {
			continue
		}
		parts, at := strings.Split(key, "."), root
		for _, part := range parts[:len(parts)-1] {
			below, _ := at[part].(map[string]any)
			if below == nil {
				below = map[string]any{}
				at[part] = below
			}
			at = below
		}
		at[parts[len(parts)-1]] = form.Get(key)
	}
	return withLists(root).(map[string]any)
}

func withLists(value any) any {
	structure, ok := value.(map[string]any)
	if !ok {
		return value
	}
	if items, isList := structure["member"].(map[string]any); isList {
		list := make([]any, len(items))
		for i := range list {
			list[i] = withLists(items[fmt.Sprint(i+1)])
		}
		return list
	}
	for name := range structure {
		structure[name] = withLists(structure[name])
	}
	return structure
}

// checkRequest is for a request that was accepted: AWS would have refused an invalid one.
func (e *exchange) checkRequest() []string {
	if e.operation.Input == nil {
		return nil
	}
	check := &shapeCheck{model: e.model, request: true, xml: e.protocol == "query" || e.protocol == "rest"}
	check.value("request", e.operation.Input.Shape, withoutNulls(e.request))
	return check.problems
}

// withoutNulls drops null members, which mean absence in a request.
func withoutNulls(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = withoutNulls(value[i])
		}
	case map[string]any:
		maps.DeleteFunc(value, func(_ string, v any) bool { return v == nil })
		for key := range value {
			value[key] = withoutNulls(value[key])
		}
	}
	return value
}

func (e *exchange) checkAnswer(header http.Header, received []byte) []string {
	check := &shapeCheck{model: e.model}
	if e.protocol != "query" && e.protocol != "rest" {
		value := decodeNumbers(received)
		if e.protocol == "cbor" {
			value = decodeCBORNumbers(received)
		}
		if e.operation.Output == nil {
			return nil
		}
		check.value("answer", e.operation.Output.Shape, value)
		return check.problems
	}
	check.xml = true
	var root xmlNode
	if err := xml.Unmarshal(received, &root); err != nil {
		return []string{"the answer is no XML: " + err.Error()}
	}
	switch {
	case root.XMLName.Local != e.name+"Response":
		return []string{fmt.Sprintf("the answer is not a %sResponse", e.name)}
	case e.protocol == "rest":
		check.value("answer", e.operation.Output.Shape, withHeader(e.model, e.operation.Output.Shape, root.as(e.model, e.operation.Output.Shape), header))
		return check.problems
	case root.child("ResponseMetadata") == nil || root.child("ResponseMetadata").child("RequestId") == nil:
		return []string{"the answer has no RequestId"}
	case e.operation.Output == nil:
		return nil
	}
	result := root.child(e.operation.Output.ResultWrapper)
	if result == nil {
		return []string{fmt.Sprintf("the answer has no %s", e.operation.Output.ResultWrapper)}
	}
	check.value("answer", e.operation.Output.Shape, result.as(e.model, e.operation.Output.Shape))
	return check.problems
}

// xmlNode is an element of an answer of the query protocol.
type xmlNode struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []xmlNode `xml:",any"`
}

func (n *xmlNode) child(name string) *xmlNode {
	for i := range n.Children {
		if n.Children[i].XMLName.Local == name {
			return &n.Children[i]
		}
	}
	return nil
}

// as turns the element into what the JSON protocols would have carried for the shape.
func (n *xmlNode) as(model *serviceModel, shape string) any {
	s := model.Shapes[shape]
	switch s.Type {
	case "structure":
		members := map[string]any{}
		for i := range n.Children {
			child := &n.Children[i]
			members[child.XMLName.Local] = child.as(model, s.Members[child.XMLName.Local].Shape)
		}
		return members
	case "list":
		items := []any{}
		for i := range n.Children {
			if want := s.Member.LocationName; want != "" && want != n.Children[i].XMLName.Local {
				items = append(items, nil) // which is no item
				continue
			}
			items = append(items, n.Children[i].as(model, s.Member.Shape))
		}
		return items
	}
	return n.Text
}

// commonErrors are those of the "Common errors" pages of the API references: every operation
// has them, no model lists them.
var commonErrors = []string{
	"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
	"InternalFailure", "InternalServerError", "InvalidClientTokenId", "InvalidParameterValue", "InvalidParameterValueException", "InvalidSignatureException", "MalformedInput",
	"MalformedPolicyDocument", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingParameter", "MissingParameterException",
	"RequestExpired", "RequestTimeout", "SerializationException", "ServerException", "ServiceUnavailable", "SignatureDoesNotMatch",
	"Throttling", "ThrottlingException", "UnrecognizedClientException", "ValidationError", "ValidationException",
}

// unlistedErrors are answered by AWS although neither the models nor those pages have them.
var unlistedErrors = []string{"UnsupportedCertificate"}

func (e *exchange) checkError(received []byte) []string {
	if e.protocol == "query" || e.protocol == "rest" {
		var root xmlNode
		if err := xml.Unmarshal(received, &root); err != nil {
			return []string{"the error is no XML: " + err.Error()}
		}
		failure := root.child("Error")
		if failure == nil || failure.child("Code") == nil || failure.child("Message") == nil || root.child("RequestId") == nil {
			return []string{"the error lacks Code, Message or RequestId"}
		}
		return checkCode(e.model, e.operation, failure.child("Code").Text, nil)
	}
	document := decodeNumbers(received)
	if e.protocol == "cbor" {
		document = decodeCBORNumbers(received)
	}
	body, _ := document.(map[string]any)
	code, ok := body["__type"].(string)
	if !ok {
		return []string{"the error has no __type"}
	}
	_, code, qualified := strings.Cut(code, "#")
	if !qualified {
		code = body["__type"].(string)
	}
	delete(body, "__type")
	return checkCode(e.model, e.operation, code, body)
}

func checkCode(model *serviceModel, operation operationModel, code string, members map[string]any) []string {
	for _, ref := range operation.Errors {
		shape := model.Shapes[ref.Shape]
		if ref.Shape != code && shape.Error.Code != code {
			continue
		}
		check := &shapeCheck{model: model}
		if len(shape.Members) == 0 {
			delete(members, "message") // which errors have that their model has no members for, too
		}
		if members != nil {
			check.value("error", ref.Shape, members)
		}
		return check.problems
	}
	if !slices.Contains(commonErrors, code) && !slices.Contains(unlistedErrors, code) {
		return []string{fmt.Sprintf("error %s is not among those of the operation", code)}
	}
	return nil
}
