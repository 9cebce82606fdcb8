package cloud

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxAnswer is far above the largest answer that is asked for: ten services with a hundred events
// each, a hundred tasks, and the largest manifest that ECR takes are below 4 MiB.
const maxAnswer = 8 << 20

// limitAnswers makes an answer that is larger than maxAnswer an error before more of it is read:
// the SDK reads answers whole, whoever sends them.
func limitAnswers(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("LimitAnswers", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response != nil && response.Body != nil {
			response.Body = &limited{ReadCloser: response.Body, left: maxAnswer}
		}
		return out, metadata, err
	}), middleware.After)
}

// limited is a body of which no more than what is left can be read.
type limited struct {
	io.ReadCloser
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	n, err := l.ReadCloser.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
