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

// tidy drops sessions that are idle, until ctx is done: identities that were asked about, or
// registries that were looked into, and never watched.
func (f *Fleet) tidy(ctx context.Context) {
	ticker := time.NewTicker(sessionIdle)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			f.dropIdle(now)
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
