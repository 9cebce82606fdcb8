package awssim

import (
	"fmt"
	"net/http"
)

// newError is an error with an HTTP status and a code of AWS's.
func newError(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// clientError is ECS's ClientException: the grab bag for requests that are well formed and
// make no sense.
func clientError(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "ClientException", format, args...)
}

// invalidParameter is InvalidParameterException: a value that the operation does not take.
func invalidParameter(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// throttled is what an empty token bucket answers.
func throttled() *apiError {
	return newError(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
}
