package awssim

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Smithy RPC v2 CBOR: POST /service/{service}/operation/{operation}, documents in CBOR
// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html).

const (
	cborContentType = "application/cbor"
	cborProtocolID  = "rpc-v2-cbor"
)

// cborServices are the names in the paths, and the services that they name.
var cborServices = map[string]string{"GraniteServiceVersion20100801": "cloudwatch"}

// cborTarget finds the service and the operation in the path; both are empty in any other
// path.
func cborTarget(path string) (service, operation string) {
	parts := strings.Split(path, "/")
	if len(parts) < 5 || parts[len(parts)-4] != "service" || parts[len(parts)-2] != "operation" {
		return "", ""
	}
	return cborServices[parts[len(parts)-3]], parts[len(parts)-1]
}

// decodeCBOR turns the body into the document that the JSON protocols would have carried. An
// empty body is an empty structure.
func decodeCBOR(body []byte) (json.RawMessage, error) {
	if len(body) == 0 {
		return json.RawMessage("{}"), nil
	}
	var document map[string]any
	if err := cborDecoding().Unmarshal(body, &document); err != nil || document == nil {
		return nil, serializationError("")
	}
	converted, err := json.Marshal(document)
	if err != nil { // a number that JSON cannot write: not a number, or infinite
		return nil, serializationError("")
	}
	return converted, nil
}

func cborDecoding() cbor.DecMode {
	mode, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), IndefLength: cbor.IndefLengthAllowed, UTF8: cbor.UTF8RejectInvalid}.DecMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}

// MarshalCBOR writes the seconds, tagged as a time.
func (m moment) MarshalCBOR() ([]byte, error) {
	return cbor.Marshal(cbor.Tag{Number: 1, Content: float64(time.Time(m).UnixMilli()) / 1000})
}

// marshalCBOR is the answer; an operation without an output has no body.
func marshalCBOR(result any) ([]byte, error) {
	if result == nil {
		return nil, nil
	}
	return cbor.Marshal(result)
}

// cborError is an error of the protocol. The service spoke the query protocol before, and
// tells its old names in a header (the Smithy trait awsQueryCompatible).
func cborError(service string, e *apiError) answer {
	qualified, code := typeName(service, e.code), e.code
	status := e.status
	if code == "UnknownOperationException" {
		status = http.StatusNotFound
	}
	body, err := cbor.Marshal(map[string]any{"__type": qualified, "message": e.message})
	if err != nil {
		body = nil // text always marshals
	}
	return answer{status: status, code: code, body: body, queryError: queryErrorHeader(e)}
}

// queryErrorHeader is the value of x-amzn-query-error: the code of the query protocol, and
// whose fault it is.
func queryErrorHeader(e *apiError) string {
	code, status := queryCode(e)
	if status >= http.StatusInternalServerError {
		return code + ";Receiver"
	}
	return code + ";Sender"
}
