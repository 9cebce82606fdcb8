package awssim

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers the AWS API, the layer URLs that ECR hands out, and the admin API.
//
// A response that a fault has lost panics with [http.ErrAbortHandler], which makes a server
// of net/http close the connection without a word.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/_sim" || strings.HasPrefix(r.URL.Path, "/_sim/"):
		s.admin.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/_ecr/blobs/"):
		s.serveBlob(w, r)
	default:
		s.serveAPI(w, r)
	}
}

// serveAPI takes one request of the AWS API through its stations: read, authenticate, suffer
// what faults do to it, execute, answer. It holds the lock in none of the waits.
func (s *Simulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	requestID := s.newUUID()
	s.mu.Unlock()
	q, err := readRequest(w, r)
	var c *call
	if err == nil {
		c, err = s.admit(r, q, requestID)
	}
	if err != nil {
		a := q.answer(requestID, nil, err)
		s.file(&JournalEntry{
			Service: q.service, Operation: q.operation, RequestID: requestID, RequestBytes: len(q.body),
			Status: a.status, Code: a.code,
		}, "")
		send(w, q, requestID, a)
		return
	}
	a, answered := s.exchange(c, q)
	if !answered {
		panic(http.ErrAbortHandler)
	}
	send(w, q, requestID, a)
}

// admit makes a call of a request whose operation exists and whose signature is good.
func (s *Simulator) admit(r *http.Request, q *request, requestID string) (*call, error) {
	if _, err := q.check(s.tables); err != nil {
		return nil, err
	}
	p, region, err := s.authenticate(r, q.body, signingName(q.service))
	if err != nil {
		return nil, err
	}
	c := &call{
		ctx: r.Context(), sim: s, principal: p, service: q.service, operation: q.operation,
		requestID: requestID, protocol: q.protocol, scheme: "http", host: r.Host,
	}
	if r.TLS != nil {
		c.scheme = "https"
	}
	c.entry = &JournalEntry{
		Principal: p.arn, Account: p.account, Region: region,
		Service: q.service, Operation: q.operation, RequestID: requestID, RequestBytes: len(q.body),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.account = s.accountOf(p.account)
	c.region = c.account.region(s, region)
	return c, nil
}

// exchange carries a call to its answer. answered is false if the client gets none.
//
// Half of the latency passes on the way there: a client that leaves then was never heard.
// The other half passes on the way back: what such a client asked for is done.
func (s *Simulator) exchange(c *call, q *request) (a answer, answered bool) {
	s.mu.Lock()
	fate := s.afflict(c, q.body)
	latency := s.latency.of(c.operation)
	s.mu.Unlock()
	c.staleness = fate.staleness
	effect := fate.effect
	if effect != nil {
		c.entry.Fault = effect.ID
	}
	if wait(c.ctx, fate.latency+latency/2) != nil {
		c.entry.Lost = true
		s.file(c.entry, c.principal.name)
		return answer{}, false
	}
	if effect != nil && !effect.Executed {
		if effect.Drop || effect.Hang {
			c.entry.Lost = true
			s.file(c.entry, c.principal.name)
			effect.swallow(c.ctx)
			return answer{}, false
		}
		a = q.answer(c.requestID, nil, effect.failure())
		c.entry.Status, c.entry.Code = a.status, a.code
		s.file(c.entry, c.principal.name)
		return a, wait(c.ctx, latency-latency/2) == nil
	}
	c.entry.Lost = effect != nil
	a = s.execute(c, q)
	if effect != nil {
		if effect.Drop || effect.Hang {
			effect.swallow(c.ctx)
			return answer{}, false
		}
		a = q.answer(c.requestID, nil, effect.failure())
	}
	if wait(c.ctx, latency-latency/2) != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.journal.lose(c.entry)
		return answer{}, false
	}
	return a, true
}

// execute runs the operation in the world as it is now, and files the journal entry.
func (s *Simulator) execute(c *call, q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	result, err := s.perform(c, q)
	a := q.answer(c.requestID, result, err)
	c.entry.Time, c.entry.Status, c.entry.Code = time.Now(), a.status, a.code
	s.journal.add(c.entry, c.principal.name)
	return a
}

func (s *Simulator) perform(c *call, q *request) (any, error) {
	op := s.tables[q.service][q.operation]
	if s.quotas && !isUnmetered(c.ctx) && !c.region.take(s.world, op.bucket) {
		return nil, throttled()
	}
	document, err := q.document()
	if err != nil {
		return nil, err
	}
	c.entry.Request, c.entry.Executed = document, true
	return op.handle(c, document)
}

// file adds an entry of a call that was not executed.
func (s *Simulator) file(e *JournalEntry, principal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Time = time.Now()
	s.journal.add(e, principal)
}

// swallow keeps the client waiting as long as it will, or not at all.
func (f *Fault) swallow(ctx context.Context) {
	if f.Hang {
		<-ctx.Done()
	}
}

// failure is the error that the fault answers with.
func (f *Fault) failure() error {
	if f.Throttle {
		return throttled()
	}
	return newError(f.Error.Status, f.Error.Code, "%s", f.Error.Message)
}

// of is the latency of an operation's class.
func (l Latency) of(operation string) time.Duration {
	for _, reading := range []string{"Describe", "List", "Get", "BatchGet", "BatchCheck", "AssumeRole", "Receive"} {
		if strings.HasPrefix(operation, reading) {
			return l.Read
		}
	}
	return l.Write
}

// wait lets time pass, or returns the error of a context that ends before.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func send(w http.ResponseWriter, q *request, requestID string, a answer) {
	h := w.Header()
	h.Set("x-amzn-RequestId", requestID)
	switch q.protocol {
	case queryProtocol, restProtocol:
		h.Set("Content-Type", "text/xml")
	case cborProtocol:
		h.Set("Smithy-Protocol", cborProtocolID)
		if len(a.body) > 0 {
			h.Set("Content-Type", cborContentType)
		}
	default:
		h.Set("Content-Type", jsonContentTypeOf(q.service))
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.queryError != "" {
		h.Set("X-Amzn-Query-Error", a.queryError)
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client has gone if this fails; there is nobody to tell
}
