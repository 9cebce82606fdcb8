package awssim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// iamState is an account's users and roles, by name.
type iamState struct {
	users map[string]*userRecord
	roles map[string]*roleRecord
}

type userRecord struct {
	identity *identity
	written  User
}

type roleRecord struct {
	identity *identity
	written  Role
}

func newIAMState() iamState {
	return iamState{users: map[string]*userRecord{}, roles: map[string]*roleRecord{}}
}

// User is an IAM user with one access key. Without a policy it may do nothing (but call
// GetCallerIdentity), unless it is unrestricted.
type User struct {
	Account         string            `json:"account"`
	Name            string            `json:"name"`
	AccessKeyID     string            `json:"accessKeyId,omitempty"`     // generated if absent
	SecretAccessKey string            `json:"secretAccessKey,omitempty"` // generated if absent
	Policies        []json.RawMessage `json:"policies,omitempty"`        // policy documents
	Unrestricted    bool              `json:"unrestricted,omitempty"`    // may do what no policy denies
	Tags            map[string]string `json:"tags,omitempty"`            // seen as aws:PrincipalTag/<key>
	ARN             string            `json:"arn,omitempty"`             // output
}

// Role is an IAM role. Without a policy its sessions may do nothing (but call
// GetCallerIdentity), unless it is unrestricted.
type Role struct {
	Account            string            `json:"account"`
	Name               string            `json:"name"`
	Path               string            `json:"path,omitempty"` // "/" if absent
	TrustPolicy        json.RawMessage   `json:"trustPolicy"`
	MaxSessionDuration int               `json:"maxSessionDuration,omitempty"` // seconds, 3600 to 43200; 3600 if absent
	Policies           []json.RawMessage `json:"policies,omitempty"`           // policy documents
	Unrestricted       bool              `json:"unrestricted,omitempty"`       // may do what no policy denies
	Tags               map[string]string `json:"tags,omitempty"`               // seen as aws:PrincipalTag/<key>
	ARN                string            `json:"arn,omitempty"`                // output
}

var (
	identityName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	rolePath     = regexp.MustCompile(`^/([\x21-\x7e]{1,500}/)?$`)
	accessKeyID  = regexp.MustCompile(`^\w{16,128}$`)
)

// PutUser creates a user or replaces the one of that account and name, and returns it with
// its access key and ARN. A user that keeps its access key keeps its secret too unless a new
// one is given.
func (s *Simulator) PutUser(u User) (User, error) {
	if err := checkIdentity(u.Account, u.Name); err != nil {
		return User{}, err
	}
	policies, err := parsePolicies(u.Policies)
	if err != nil {
		return User{}, err
	}
	if u.AccessKeyID != "" && (!accessKeyID.MatchString(u.AccessKeyID) || isAccountID(u.AccessKeyID)) {
		return User{}, fmt.Errorf("access key ID %q must be 16 to 128 letters, digits or underscores", u.AccessKeyID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountOf(u.Account)
	record := a.iam.users[u.Name]
	var before User
	if record != nil {
		before = record.written
	}
	u.AccessKeyID = cmp.Or(u.AccessKeyID, before.AccessKeyID)
	if u.AccessKeyID == "" {
		u.AccessKeyID = "AKIA" + s.randomText(base32Alphabet, 16)
	}
	if other := s.keys[u.AccessKeyID]; other != nil && (record == nil || other.principal.identity != record.identity) {
		return User{}, fmt.Errorf("access key ID %q belongs to %s", u.AccessKeyID, other.principal.arn)
	}
	if u.SecretAccessKey == "" && u.AccessKeyID == before.AccessKeyID {
		u.SecretAccessKey = before.SecretAccessKey
	}
	if u.SecretAccessKey == "" {
		u.SecretAccessKey = s.randomText(base62Alphabet, 40)
	}
	u.ARN = "arn:aws:iam::" + u.Account + ":user/" + u.Name
	if record == nil {
		record = &userRecord{identity: &identity{id: "AIDA" + s.randomText(base32Alphabet, 17)}}
		a.iam.users[u.Name] = record
	}
	i := record.identity
	i.account, i.name, i.arn = u.Account, u.Name, u.ARN
	i.policies, i.unrestricted, i.tags = policies, u.Unrestricted, maps.Clone(u.Tags)
	delete(s.keys, before.AccessKeyID)
	s.keys[u.AccessKeyID] = &credential{secret: u.SecretAccessKey, principal: principal{
		account: u.Account, kind: "User", name: u.Name, arn: u.ARN, userID: i.id, identity: i,
	}}
	record.written = u
	return u, nil
}

// PutRole creates a role or replaces the one of that account and name, and returns it with
// its ARN. Sessions of a role that is replaced live on under its new policies.
func (s *Simulator) PutRole(r Role) (Role, error) {
	if err := checkIdentity(r.Account, r.Name); err != nil {
		return Role{}, err
	}
	policies, err := parsePolicies(r.Policies)
	if err != nil {
		return Role{}, err
	}
	trust, err := parseTrustPolicy(r.TrustPolicy)
	if err != nil {
		return Role{}, fmt.Errorf("trust policy: %w", err)
	}
	r.Path = cmp.Or(r.Path, "/")
	if !rolePath.MatchString(r.Path) {
		return Role{}, fmt.Errorf("path %q must begin and end with a slash", r.Path)
	}
	r.MaxSessionDuration = cmp.Or(r.MaxSessionDuration, 3600)
	if r.MaxSessionDuration < 3600 || r.MaxSessionDuration > 43200 {
		return Role{}, fmt.Errorf("maxSessionDuration is %d; it must be 3600 to 43200 seconds", r.MaxSessionDuration)
	}
	r.ARN = "arn:aws:iam::" + r.Account + ":role" + r.Path + r.Name
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accountOf(r.Account)
	record := a.iam.roles[r.Name]
	if record == nil {
		record = &roleRecord{identity: &identity{id: "AROA" + s.randomText(base32Alphabet, 17)}}
		a.iam.roles[r.Name] = record
	}
	i := record.identity
	i.account, i.name, i.arn = r.Account, r.Name, r.ARN
	i.policies, i.unrestricted, i.tags = policies, r.Unrestricted, maps.Clone(r.Tags)
	i.trust, i.maxSession = trust, time.Duration(r.MaxSessionDuration)*time.Second
	record.written = r
	return r, nil
}

// RemoveUser deletes a user and its access key, and tells whether there was one.
func (s *Simulator) RemoveUser(account, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[account]
	if a == nil || a.iam.users[name] == nil {
		return false
	}
	s.forget(a.iam.users[name].identity)
	delete(a.iam.users, name)
	return true
}

// RemoveRole deletes a role; its sessions are invalid from now on. It tells whether there
// was one.
func (s *Simulator) RemoveRole(account, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[account]
	if a == nil || a.iam.roles[name] == nil {
		return false
	}
	s.forget(a.iam.roles[name].identity)
	delete(a.iam.roles, name)
	return true
}

func (s *Simulator) forget(i *identity) {
	maps.DeleteFunc(s.keys, func(_ string, c *credential) bool { return c.principal.identity == i })
}

// Users lists all users, by account and name.
func (s *Simulator) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := []User{}
	for _, a := range s.accounts {
		for _, record := range a.iam.users {
			users = append(users, record.written)
		}
	}
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.ARN, b.ARN) })
	return users
}

// Roles lists all roles, by account and name.
func (s *Simulator) Roles() []Role {
	s.mu.Lock()
	defer s.mu.Unlock()
	roles := []Role{}
	for _, a := range s.accounts {
		for _, record := range a.iam.roles {
			roles = append(roles, record.written)
		}
	}
	slices.SortFunc(roles, func(a, b Role) int { return strings.Compare(a.ARN, b.ARN) })
	return roles
}

func checkIdentity(account, name string) error {
	if !isAccountID(account) {
		return fmt.Errorf("account %q is not twelve digits", account)
	}
	if !identityName.MatchString(name) {
		return fmt.Errorf("name %q must be 1 to 64 letters, digits or any of +=,.@-_", name)
	}
	return nil
}

func parsePolicies(documents []json.RawMessage) ([]*policy, error) {
	policies := make([]*policy, 0, len(documents))
	for n, document := range documents {
		p, err := parsePolicy(document)
		if err != nil {
			return nil, fmt.Errorf("policy %d: %w", n+1, err)
		}
		policies = append(policies, p)
	}
	return policies, nil
}

const (
	base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	base62Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	hexAlphabet    = "0123456789abcdef"
)

// randomText draws n characters. The caller holds mu.
func (s *Simulator) randomText(alphabet string, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = alphabet[s.random.IntN(len(alphabet))]
	}
	return string(text)
}

// newUUID draws an identifier in the form of a UUID. The caller holds mu.
func (s *Simulator) newUUID() string {
	h := s.randomText(hexAlphabet, 30)
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-a" + h[15:18] + "-" + h[18:30]
}
