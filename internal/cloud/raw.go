package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The SDK's types drop members that they do not know, so a task definition that went through
// them could come out poorer than its owner made it. These two let the document itself through.

// maxDocument is far above the largest task definition that ECS takes (64 KiB).
const maxDocument = 1 << 20

// captureBody keeps a copy of the body of the answer in raw: of the last attempt, if several
// were made.
func captureBody(raw *[]byte) func(*middleware.Stack) error {
	capture := middleware.DeserializeMiddlewareFunc("CaptureBody", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok {
			return out, metadata, err
		}
		body, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
		if err != nil {
			return out, metadata, fmt.Errorf("reading the answer: %w", err)
		}
		if len(body) > maxDocument {
			return out, metadata, fmt.Errorf("the answer is larger than %d bytes", maxDocument)
		}
		*raw = body
		response.Body = readCloser{Reader: bytes.NewReader(body), Closer: response.Body}
		return out, metadata, nil
	})
	return func(stack *middleware.Stack) error { return stack.Deserialize.Add(capture, middleware.After) }
}

type readCloser struct {
	io.Reader
	io.Closer
}

// sendBody sends raw instead of what the SDK made of the input. It is signed like any other.
func sendBody(raw []byte) func(*middleware.Stack) error {
	send := middleware.SerializeMiddlewareFunc("SendBody", func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, errors.New("the SDK's request is not an HTTP request")
		}
		request, err := request.SetStream(bytes.NewReader(raw))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("setting the request's body: %w", err)
		}
		in.Request = request
		return next.HandleSerialize(ctx, in)
	})
	return func(stack *middleware.Stack) error { return stack.Serialize.Add(send, middleware.After) }
}
