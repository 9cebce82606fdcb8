package awssim

import (
	"crypto/subtle"
	"net/http"
	"time"
)

// authenticate finds out who signed the request, in which region. It takes the lock for the
// look at the keys only.
func (s *Simulator) authenticate(r *http.Request, body []byte, service string) (principal, string, error) {
	claim, err := readSignature(r, service)
	if err != nil {
		return principal{}, "", err
	}
	c, found := s.credentialOf(claim.accessKey)
	if !found || subtle.ConstantTimeCompare([]byte(c.token), []byte(claim.token)) == 0 {
		return principal{}, "", newError(http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	now := time.Now()
	if err := claim.verify(r, body, c.secret, now); err != nil {
		return principal{}, "", err
	}
	if !c.expires.IsZero() && now.After(c.expires) {
		return principal{}, "", newError(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
	}
	return c.principal, claim.region, nil
}

func (s *Simulator) credentialOf(accessKey string) (credential, bool) {
	if isAccountID(accessKey) {
		return rootCredential(accessKey), true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.keys[accessKey]
	if c == nil {
		return credential{}, false
	}
	return *c, true
}

// sessionMemory is how long an expired session is still told from one that never was.
const sessionMemory = time.Hour

// openSession issues the credentials of a session. Sessions that expired long ago are swept
// whenever the number of keys has doubled, so that issuing stays cheap. The caller holds mu.
func (s *Simulator) openSession(p principal, duration time.Duration) (accessKey string, c *credential) {
	now := s.now()
	if len(s.keys) > 2*s.swept+100 {
		for key, old := range s.keys {
			if !old.expires.IsZero() && now.Sub(old.expires) > sessionMemory {
				delete(s.keys, key)
			}
		}
		s.swept = len(s.keys)
	}
	accessKey = "ASIA" + s.randomText(base32Alphabet, 16)
	c = &credential{
		secret:    s.randomText(base62Alphabet, 40),
		token:     "IQoJb3JpZ2luX2Vj" + s.randomText(base62Alphabet, 304),
		expires:   now.Add(duration).Truncate(time.Second),
		principal: p,
	}
	s.keys[accessKey] = c
	return accessKey, c
}
