package memapi

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// Options of a server.
type Options struct {
	// Kinds are what it keeps.
	Kinds *Kinds
	// Trouble says what goes wrong with a call; absent: nothing. It is asked once for each call
	// and may be asked by several at the same time.
	Trouble func(Call) Trouble
	// Lag is how long an event takes to a watcher; absent: no time. Events of one watch keep
	// their order. It must not call the server.
	Lag func(Call) time.Duration
	// Observe is told of every change when it happens, in order. It must not call the server.
	Observe func(Change)
}

// Call is one request.
type Call struct {
	Client      string // the name that Config was given
	Verb        string // get, list, watch, create, update, patch or delete
	Resource    string // the plural name
	Subresource string // status, or ""
	Namespace   string
	Name        string
}

// String is the call as people read it.
func (c Call) String() string {
	text := c.Verb + " " + c.Resource
	if c.Subresource != "" {
		text += "/" + c.Subresource
	}
	if c.Name != "" {
		text += " " + types.NamespacedName{Namespace: c.Namespace, Name: c.Name}.String()
	}
	return text
}

// Trouble is what goes wrong with a call. The zero value is nothing.
type Trouble struct {
	// Delay is how long it takes until the call is done.
	Delay time.Duration
	// Status is answered in place of the answer.
	Status *metav1.Status
	// Drop closes the connection without an answer.
	Drop bool
	// Hang never answers; it ends when the client gives up.
	Hang bool
	// Executed lets the call do its work before it suffers Status, Drop or Hang.
	Executed bool
}

// Change is one change of an object.
type Change struct {
	Time time.Time
	Call Call
	// Old and New are the object before and after, as JSON documents; nil where there is none.
	// The observer must not change them.
	Old, New map[string]any
}

// Server is one API server. All methods may be called concurrently.
type Server struct {
	options Options

	mu       sync.Mutex
	version  int64
	expired  int64 // a watch from before this version is too late
	uids     int64
	objects  map[*resource]map[types.NamespacedName]*object
	log      []logged
	watchers map[*watcher]bool
}

// object is one object as it is kept.
type object struct {
	content map[string]any
	raw     []byte
	version int64
	// defaulted says that its status is a default and not stored: the next write stores it, even
	// one that changes nothing.
	defaulted bool
}

// New is a server with the namespaces default and kube-system in it.
func New(o Options) *Server {
	s := &Server{
		options:  o,
		objects:  map[*resource]map[types.NamespacedName]*object{},
		watchers: map[*watcher]bool{},
	}
	for _, r := range o.Kinds.resources {
		s.objects[r] = map[types.NamespacedName]*object{}
	}
	for _, name := range []string{"default", "kube-system"} {
		q := &request{
			Call:     Call{Client: "memapi", Verb: "create", Resource: "namespaces"},
			resource: o.Kinds.resources[0],
			body:     fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, name),
		}
		if _, err := s.create(context.Background(), q); err != nil {
			panic(err) // a namespace with a good name, on an empty server
		}
	}
	return s
}

// Config is how a client that is called name reaches the server.
func (s *Server) Config(name string) *rest.Config {
	return s.ConfigThrough(name, nil)
}

// ConfigThrough is as Config, with all requests passing through a wrapper of the transport.
func (s *Server) ConfigThrough(name string, wrap func(http.RoundTripper) http.RoundTripper) *rest.Config {
	var through http.RoundTripper = &transport{server: s, client: name}
	if wrap != nil {
		through = wrap(through)
	}
	return &rest.Config{
		Host:          "http://memapi",
		Transport:     through,
		ContentConfig: rest.ContentConfig{ContentType: runtime.ContentTypeJSON, AcceptContentTypes: runtime.ContentTypeJSON},
		UserAgent:     name,
		QPS:           -1,
	}
}

// Compact forgets all of the past: watches that begin at an earlier resourceVersion are Expired.
func (s *Server) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired, s.log = s.version, nil
}

// CutWatches ends the watches of a client, as a server that restarts does.
func (s *Server) CutWatches(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		if w.call.Client == client {
			w.end()
		}
	}
}
