package memapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// transport is the way of one client to the server.
type transport struct {
	server *Server
	client string
}

// request is a call with all that it needs to be done.
type request struct {
	Call
	resource    *resource
	query       url.Values
	contentType string
	body        []byte
}

// answer is what a call comes to: a document, or a stream of a watch.
type answer struct {
	status int
	body   []byte
	stream io.ReadCloser
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q, err := t.server.parse(r, t.client, body)
	if err != nil {
		return respond(r, failure(err)), nil
	}
	var trouble Trouble
	if t.server.options.Trouble != nil {
		trouble = t.server.options.Trouble(q.Call)
	}
	if trouble.Delay > 0 {
		timer := time.NewTimer(trouble.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	suffers := trouble.Status != nil || trouble.Drop || trouble.Hang
	var done answer
	if !suffers || trouble.Executed && q.Verb != "watch" {
		done = t.server.serve(r, q)
	}
	switch {
	case trouble.Status != nil:
		done = failure(&apierrors.StatusError{ErrStatus: *trouble.Status})
	case trouble.Drop:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	case trouble.Hang:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return respond(r, done), nil
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }() // it was read to its end, or the error says why not
	return io.ReadAll(r.Body)
}

// parse finds out what is asked of what.
func (s *Server) parse(r *http.Request, client string, body []byte) (*request, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var gvr schema.GroupVersionResource
	switch {
	case len(parts) > 2 && parts[0] == "api":
		gvr.Version, parts = parts[1], parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		gvr.Group, gvr.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return nil, notServed(r)
	}
	q := &request{Call: Call{Client: client}, query: r.URL.Query(), body: body}
	if parts[0] == "namespaces" && len(parts) > 2 && !(gvr.Group == "" && parts[2] == "status") {
		q.Namespace, parts = parts[1], parts[2:]
	}
	gvr.Resource = parts[0]
	if q.resource = s.options.Kinds.find(gvr); q.resource == nil {
		return nil, notServed(r)
	}
	q.Resource = gvr.Resource
	if len(parts) > 1 {
		q.Name = parts[1]
	}
	if len(parts) > 2 {
		q.Subresource = parts[2]
	}
	if len(parts) > 3 || q.Subresource != "" && (q.Subresource != "status" || !q.resource.status) ||
		q.Namespace != "" && !q.resource.namespaced || q.Namespace == "" && q.resource.namespaced && (q.Name != "" || r.Method == http.MethodPost) {
		return nil, notServed(r)
	}
	if q.query.Get("dryRun") != "" {
		return nil, apierrors.NewBadRequest("dry run is not supported")
	}
	if declared := r.Header.Get("Content-Type"); declared != "" {
		parsed, _, err := mime.ParseMediaType(declared)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		q.contentType = parsed
	}
	q.Verb = verb(r.Method, q)
	if q.Verb == "" {
		return nil, apierrors.NewMethodNotSupported(gvr.GroupResource(), strings.ToLower(r.Method))
	}
	return q, nil
}

func verb(method string, q *request) string {
	switch {
	case method == http.MethodGet && q.Name != "":
		return "get"
	case method == http.MethodGet && (q.query.Get("watch") == "true" || q.query.Get("watch") == "1"):
		return "watch"
	case method == http.MethodGet:
		return "list"
	case method == http.MethodPost && q.Name == "":
		return "create"
	case method == http.MethodPut && q.Name != "":
		return "update"
	case method == http.MethodPatch && q.Name != "":
		return "patch"
	case method == http.MethodDelete && q.Name != "" && q.Subresource == "" && q.resource.kind != "Namespace":
		return "delete"
	}
	return ""
}

func notServed(r *http.Request) error {
	return apierrors.NewGenericServerResponse(http.StatusNotFound, strings.ToLower(r.Method), schema.GroupResource{}, "", "404 page not found: "+r.URL.Path, 0, true)
}

func respond(r *http.Request, a answer) *http.Response {
	body := a.stream
	length := int64(-1)
	if body == nil {
		body, length = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {runtime.ContentTypeJSON}},
		Body:          body,
		ContentLength: length,
		Request:       r,
	}
}

// failure is an error as the API tells it.
func failure(err error) answer {
	status := metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
	var known apierrors.APIStatus
	if errors.As(err, &known) {
		status = known.Status()
	}
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	body, err := json.Marshal(status)
	if err != nil {
		panic(err) // a Status is always JSON
	}
	return answer{status: int(status.Code), body: body}
}
