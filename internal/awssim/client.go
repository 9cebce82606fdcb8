package awssim

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// HTTPClient is a client that reaches the simulator without a network, whatever host its
// requests name. It works in a testing/synctest bubble: waiting ends with the request's
// context, and a lost response is the error of a connection that was reset.
func (s *Simulator) HTTPClient() *http.Client {
	return &http.Client{Transport: transport{s}}
}

// UnmeteredHTTPClient is an HTTPClient whose calls draw on no quota: for whoever watches the world, so
// that watching changes nothing for those who are watched.
func (s *Simulator) UnmeteredHTTPClient() *http.Client {
	return &http.Client{Transport: unmetered{transport{s}}}
}

// unmetered is a way to the simulator of which the quotas know nothing.
type unmetered struct{ transport }

// RoundTrip implements [http.RoundTripper].
func (u unmetered) RoundTrip(r *http.Request) (*http.Response, error) {
	return u.transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), unmeteredKey{}, true)))
}

type unmeteredKey struct{}

// isUnmetered says that a call draws on no quota.
func isUnmetered(ctx context.Context) bool { return ctx.Value(unmeteredKey{}) != nil }

type transport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	// As a server would see it; RoundTrip may not change the client's.
	seen := r.Clone(r.Context())
	seen.RequestURI = r.URL.RequestURI()
	seen.RemoteAddr = "127.0.0.1:0"
	if seen.Host == "" {
		seen.Host = r.URL.Host
	}
	if seen.Body == nil {
		seen.Body = http.NoBody
	}
	if r.URL.Scheme == "https" {
		seen.TLS = &tls.ConnectionState{HandshakeComplete: true}
	}
	defer closeBody(r)
	recorder := &responseRecorder{header: http.Header{}}
	if !recorder.serve(t.handler, seen) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	return recorder.response(r), nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nobody reads on: there is nothing to lose
	}
}

// responseRecorder is the http.ResponseWriter of the other side.
type responseRecorder struct {
	header http.Header
	sent   http.Header // as they were when the status was written
	status int
	body   bytes.Buffer
}

func (w *responseRecorder) Header() http.Header { return w.header }

func (w *responseRecorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *responseRecorder) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(data)
}

// serve tells whether the handler answered. One that aborts the connection did not.
func (w *responseRecorder) serve(handler http.Handler, r *http.Request) (answered bool) {
	defer func() {
		if problem := recover(); problem != nil {
			if problem != http.ErrAbortHandler { //nolint:errorlint // the value that net/http compares, too
				panic(problem)
			}
			answered = false
		}
	}()
	handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return true
}

func (w *responseRecorder) response(r *http.Request) *http.Response {
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		Body:          io.NopCloser(bytes.NewReader(w.body.Bytes())),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}
}
