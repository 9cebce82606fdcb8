package awssim

import "encoding/json"

// handler answers one operation. It runs under world.mu after the events that are due. in is
// the request's JSON document. The result is marshalled as the answer; an *apiError goes out
// as AWS's error; any other error is a bug and goes out as a 500.
type handler func(c *call, in json.RawMessage) (any, error)

// operation is one line of a service's table.
type operation struct {
	bucket string // the quota it draws from (see quota.go); "" draws from none
	handle handler
}

// apiError is an error as AWS's wire protocols carry it.
type apiError struct {
	status  int    // HTTP status
	code    string // e.g. "ClientException"
	message string
	extra   map[string]any // further members of a modelled error, e.g. resourceIds
}

func (e *apiError) Error() string { return e.code + ": " + e.message }
