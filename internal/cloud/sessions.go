package cloud

import (
	"context"
	"maps"
	"time"
)

// sessionIdle is for how long a session is kept that nobody asks for, where no service is watched.
const sessionIdle = 15 * time.Minute

type sessionKey struct {
	identity Identity
	region   string
}

// session returns the session of id in region, made on first use; nothing is asked of AWS yet.
func (f *Fleet) session(id Identity, region string) *session {
	f.sessionsMu.Lock()
	defer f.sessionsMu.Unlock()
	key := sessionKey{identity: id, region: region}
	s, ok := f.sessions[key]
	if !ok {
		s = f.newSession(id, region)
		f.sessions[key] = s
	}
	s.used = time.Now()
	return s
}

// leave drops the sessions of identities as which nobody watches anything any more, and with them
// their credentials. The fleet's lock is held.
func (f *Fleet) leave(identities map[Identity]bool) {
	for n := range f.reflectors {
		delete(identities, n.identity)
	}
	if len(identities) == 0 {
		return
	}
	f.sessionsMu.Lock()
	defer f.sessionsMu.Unlock()
	maps.DeleteFunc(f.sessions, func(key sessionKey, _ *session) bool { return identities[key.identity] })
}

// memoryIdle is for how long an answer of AWS's is kept that nobody uses: longer than a rollout takes
// between two steps. What has settled needs none of them.
const memoryIdle = time.Hour

// tidy drops what is idle, until ctx is done: answers of AWS's, and sessions of identities that were
// asked about, or of registries that were looked into, and never watched.
func (f *Fleet) tidy(ctx context.Context) {
	ticker := time.NewTicker(sessionIdle)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			f.dropIdle(now)
			f.forgetIdle(now)
		}
	}
}

func (f *Fleet) dropIdle(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	watched := map[sessionKey]bool{}
	for n := range f.reflectors {
		watched[sessionKey{identity: n.identity, region: n.region}] = true
	}
	f.sessionsMu.Lock()
	defer f.sessionsMu.Unlock()
	maps.DeleteFunc(f.sessions, func(key sessionKey, s *session) bool { return !watched[key] && now.Sub(s.used) >= sessionIdle })
}

// forgetIdle drops the answers of AWS's that nobody uses.
func (f *Fleet) forgetIdle(now time.Time) {
	for _, memory := range []interface{ forget(since time.Time) }{
		f.documents, f.texts, f.summaries, f.newest, f.targets, f.manifests, f.labels, f.mutabilities, f.present, f.tags,
		f.deployments, f.searches, f.listings, f.foreign, f.actives, f.healths, f.fronts, f.instances, f.hinted,
		&f.registrations,
	} {
		memory.forget(now.Add(-memoryIdle))
	}
}
