package memapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// logged is a change that watches which begin later may still ask for.
type logged struct {
	version  int64
	resource *resource
	old, new *object
}

// watcher is one watch under way. The server's lock guards it.
type watcher struct {
	server   *Server
	call     Call
	resource *resource
	selector selector
	ctx      context.Context //nolint:containedctx // of the request, which lasts as long as its answer is read
	wake     chan struct{}

	ended   bool
	ending  bool      // once the queue is empty
	ends    time.Time // zero: never
	last    time.Time // when the newest event of the queue is due
	queue   []frame
	pending []byte // what is left of a frame that is being read; the reader's own
}

// frame is one event on its way to a watcher.
type frame struct {
	due  time.Time
	line []byte
}

// watch opens a stream of events.
func (s *Server) watch(ctx context.Context, q *request) (answer, error) {
	selected, err := q.selector()
	if err != nil {
		return answer{}, err
	}
	from, err := resourceVersion(q.query.Get("resourceVersion"))
	if err != nil {
		return answer{}, err
	}
	w := &watcher{server: s, call: q.Call, resource: q.resource, selector: selected, ctx: ctx, wake: make(chan struct{}, 1)}
	if text := q.query.Get("timeoutSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 {
			return answer{}, apierrors.NewBadRequest("timeoutSeconds is " + strconv.Quote(text))
		}
		w.ends = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	initial := q.query.Get("sendInitialEvents") == "true"
	switch {
	case initial || from == 0:
		for _, found := range s.selected(q.resource, selected) {
			w.send("ADDED", found.raw)
		}
		if initial {
			w.send("BOOKMARK", bookmark(q.resource, s.version))
		}
	case from < s.expired:
		w.send("ERROR", failure(apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", from, s.expired))).body)
		w.ending = true
	default:
		for _, change := range s.log {
			if change.version > from && change.resource == q.resource {
				w.notice(change)
			}
		}
	}
	s.watchers[w] = true
	return answer{status: http.StatusOK, stream: w}, nil
}

func resourceVersion(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	version, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, field.Invalid(field.NewPath("resourceVersion"), text, err.Error())
	}
	return int64(version), nil
}

// bookmark ends the initial events.
func bookmark(r *resource, version int64) []byte {
	return fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"metadata":{"resourceVersion":%q,"creationTimestamp":null,"annotations":{%q:"true"}}}`,
		r.gvr.GroupVersion().String(), r.kind, strconv.FormatInt(version, 10), metav1.InitialEventsAnnotationKey)
}

// notice queues a change if it concerns the watch; mu is held.
func (w *watcher) notice(change logged) {
	if change.resource != w.resource || w.ending {
		return
	}
	was := change.old != nil && w.selector.selects(change.old.content)
	is := change.new != nil && w.selector.selects(change.new.content)
	switch {
	case is && was:
		w.send("MODIFIED", change.new.raw)
	case is:
		w.send("ADDED", change.new.raw)
	case was: // it is gone, or no longer selected
		w.send("DELETED", gone(change))
	}
}

// gone is an object as it was last seen, with the resourceVersion of what ended that.
func gone(change logged) []byte {
	return encode(withVersion(change.old.content, change.version))
}

// send queues an event; mu is held.
func (w *watcher) send(kind string, raw []byte) {
	due := time.Now()
	if lag := w.server.options.Lag; lag != nil {
		due = due.Add(lag(w.call))
	}
	if due.Before(w.last) {
		due = w.last
	}
	w.last = due
	w.queue = append(w.queue, frame{due: due, line: fmt.Appendf(nil, "{\"type\":%q,\"object\":%s}\n", kind, raw)})
	w.awake()
}

// end ends the stream; mu is held.
func (w *watcher) end() {
	w.ended = true
	w.awake()
}

func (w *watcher) awake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Read implements [io.Reader]: it waits for the next event that is due.
func (w *watcher) Read(p []byte) (int, error) {
	for len(w.pending) == 0 {
		line, wait, ended := w.next(time.Now())
		switch {
		case ended:
			return 0, io.EOF
		case line != nil:
			w.pending = line
			continue
		}
		if err := w.sleep(wait); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// next is the event that is due, or how long there is none; 0: until something happens.
func (w *watcher) next(now time.Time) (line []byte, wait time.Duration, ended bool) {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	if w.ended || !w.ends.IsZero() && !w.ends.After(now) {
		return nil, 0, true
	}
	if !w.ends.IsZero() {
		wait = w.ends.Sub(now)
	}
	if len(w.queue) == 0 {
		return nil, wait, w.ending
	}
	first := w.queue[0]
	if left := first.due.Sub(now); left > 0 {
		if wait == 0 || left < wait {
			wait = left
		}
		return nil, wait, false
	}
	w.queue = w.queue[1:]
	return first.line, 0, false
}

func (w *watcher) sleep(wait time.Duration) error {
	var due <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return nil
	case <-w.wake:
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// Close implements [io.Closer].
func (w *watcher) Close() error {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	delete(w.server.watchers, w)
	w.end()
	return nil
}
