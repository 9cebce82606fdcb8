package cloud

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// endless is a body that does not end. It counts what is read of it.
type endless struct {
	rest, again string
	read        *atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read.Load() > 2*maxAnswer {
		return 0, io.ErrUnexpectedEOF
	}
	if e.rest == "" {
		e.rest = e.again
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	e.read.Add(int64(n))
	return n, nil
}

// An answer that does not end is not read on, whatever it is the answer to.
func TestAnEndlessAnswerIsNotReadOn(t *testing.T) {
	for operation, body := range map[string]endless{
		"DescribeServices":       {rest: `{"services":[{"serviceName":"`, again: strings.Repeat("x", 30_000)},
		"BatchGetImage":          {rest: `{"images":[{"imageManifest":"`, again: strings.Repeat("x", 30_000)},
		"DescribeTaskDefinition": {rest: `{"taskDefinition":{"family":"`, again: strings.Repeat("x", 30_000)},
		"RegisterTaskDefinition": {rest: `{"message":"`, again: strings.Repeat("x", 30_000)},
		"AssumeRole":             {rest: "<a>", again: strings.Repeat("x", 30_000)},
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
			var bodies []*atomic.Int64
			answers := wellFormed()
			answers[operation] = told{status: status, body: func() io.Reader {
				fresh := body
				fresh.read = &atomic.Int64{}
				bodies = append(bodies, fresh.read)
				return &fresh
			}}
			inFuzzWorld(t, answers, askEverything)
			if len(bodies) == 0 {
				t.Errorf("%s was not asked", operation)
			}
			for _, read := range bodies {
				if read.Load() > maxAnswer+maxDocument+1 {
					t.Errorf("%s with status %d: %d bytes were read, wanted at most %d", operation, status, read.Load(), maxAnswer+maxDocument+1)
				}
			}
		}
	}
}
