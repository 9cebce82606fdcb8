package awssim

import (
	"errors"
	"net/http"
)

// elbValidationError is a parameter that Elastic Load Balancing does not take.
func elbValidationError(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "ValidationError", format, args...)
}

// resourceInUse is the refusal to delete what something else needs.
func resourceInUse(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "ResourceInUse", format, args...)
}

// isCode tells whether an error is AWS's of that code.
func isCode(err error, code string) bool {
	var failure *apiError
	return errors.As(err, &failure) && failure.code == code
}
