package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// moment is when, around an external call, the manager is struck.
type moment int

const (
	// never leaves the manager alone.
	never moment = iota
	// before kills it when the call is on its way, and nobody gets the call.
	before
	// after kills it when the call was carried out, and it does not get the answer.
	after
	// lost lets it live, but the call was carried out and it does not get the answer.
	lost
)

func (m moment) String() string {
	return [...]string{"undisturbed", "killed before", "killed after", "answer lost"}[m]
}

// point is an external call of a run: the nth of its name. Names and numbers, unlike positions
// in the sequence, stay the same where calls are made side by side.
type point struct {
	call string
	nth  int // from 1
}

func (p point) String() string { return fmt.Sprintf("%s %d", p.call, p.nth) }

// points are the external calls of a sequence.
func points(calls []string) []point {
	seen := map[string]int{}
	all := make([]point, 0, len(calls))
	for _, call := range calls {
		seen[call]++
		all = append(all, point{call, seen[call]})
	}
	return all
}

// border is what lies between a manager and the rest of the world. It takes down the external
// calls that cross it, and strikes the manager once, at one of them.
type border struct {
	moment moment
	at     point
	kill   func() // ends the manager that runs now; it is gone when this returns
	struck chan struct{}

	mu    sync.Mutex
	calls []string
	last  time.Time // when a call crossed last
}

func newBorder(m moment, at point, kill func()) *border {
	return &border{moment: m, at: at, kill: kill, struck: make(chan struct{})}
}

// crossed are the external calls so far, in their order.
func (b *border) crossed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.calls...)
}

// count is how often a call has crossed.
func (b *border) count(call string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counted(call)
}

func (b *border) counted(call string) int {
	n := 0
	for _, crossed := range b.calls {
		if crossed == call {
			n++
		}
	}
	return n
}

// quiet says that nothing has crossed for a while.
func (b *border) quiet(while time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.last) >= while
}

// hasStruck says whether the manager was struck.
func (b *border) hasStruck() bool {
	select {
	case <-b.struck:
		return true
	default:
		return false
	}
}

// cross takes a call down and says whether the manager is struck at it.
func (b *border) cross(call string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls, b.last = append(b.calls, call), time.Now()
	return b.moment != never && call == b.at.call && b.counted(call) == b.at.nth
}

// guard puts the border in front of a server. name names the external calls; what it returns ""
// for passes freely.
func (b *border) guard(server http.Handler, name func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := name(r)
		if call == "" || !b.cross(call) {
			server.ServeHTTP(w, r)
			return
		}
		if b.moment != before {
			server.ServeHTTP(httptest.NewRecorder(), r)
		}
		if b.moment != lost {
			b.kill()
		}
		close(b.struck)
		panic(http.ErrAbortHandler) // closes the connection
	})
}

// awsCall names every request to AWS: all of them are external calls.
func awsCall(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if form, bad := url.ParseQuery(string(body)); err == nil && bad == nil && form.Has("Action") {
		return form.Get("Action")
	}
	return r.Method + " layer"
}

// kubernetesCall names the writes to Kubernetes. Reads and watches are no steps of a release, and
// neither is the lease.
func kubernetesCall(r *http.Request) string {
	if r.Method == http.MethodGet || strings.HasPrefix(r.URL.Path, "/apis/coordination.k8s.io/") {
		return ""
	}
	what := path.Base(r.URL.Path)
	if what == "status" {
		what = "status of release"
	}
	return r.Method + " " + what
}

// confine makes what a manager lists and watches the namespace and the environment of one world:
// all worlds are in one API server, and in its own a manager is alone.
func confine(server http.Handler, name string) http.Handler {
	const group = "/apis/ecs.heliumai.space/v1alpha1/"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case group + "ecsreleases", group + "ecsendpoints":
			r.URL.Path = group + "namespaces/" + name + "/" + path.Base(r.URL.Path)
		case group + "ecsenvironments", "/api/v1/namespaces":
			query := r.URL.Query()
			query.Set("fieldSelector", "metadata.name="+name)
			r.URL.RawQuery = query.Encode()
		}
		server.ServeHTTP(w, r)
	})
}
