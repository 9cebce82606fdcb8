package awssim

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"time"
)

const stsVersion = "2011-06-15"

// stsOperations is the table of what the Security Token Service answers. Their documents are
// the flat parameters of the query protocol: {"RoleArn": "...", "Tags.member.1.Key": "..."}.
func (s *Simulator) stsOperations() map[string]operation {
	return map[string]operation{
		"AssumeRole":        {"sts", assumeRole},
		"GetCallerIdentity": {"sts", getCallerIdentity},
	}
}

type getCallerIdentityResult struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity needs no permission, and none can deny it: it is no action that the
// journal counts as authorised.
func getCallerIdentity(c *call, _ json.RawMessage) (any, error) {
	return getCallerIdentityResult{Arn: c.principal.arn, UserID: c.principal.userID, Account: c.principal.account}, nil
}

type assumeRoleResult struct {
	XMLName         xml.Name `xml:"AssumeRoleResult"`
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		Arn           string
	}
	Credentials struct {
		AccessKeyID     string `xml:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      string
	}
	PackedPolicySize int `xml:",omitempty"`
}

// assumeRole opens a session of a role. The trust policy of the role and the identity-based
// policies of the caller decide together; see mayAssume.
func assumeRole(c *call, in json.RawMessage) (any, error) {
	req, err := readAssumeRole(c, in)
	if err != nil {
		return nil, err
	}
	if c.principal.kind == "Account" {
		return nil, c.denied("Roles may not be assumed by root accounts.")
	}
	role := c.sim.roleByARN(req.roleARN)
	if err := c.mayAssume(role, req); err != nil {
		return nil, err
	}
	switch {
	case c.principal.session != nil && req.duration > time.Hour:
		return nil, validationError("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case req.duration > role.maxSession:
		return nil, validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	_, name, _ := strings.Cut(req.roleARN, ":role/")
	p := principal{
		account: role.account,
		kind:    "AssumedRole",
		name:    role.name,
		// The path of the role is no part of its sessions' ARN.
		arn:      "arn:aws:sts::" + role.account + ":assumed-role/" + name[strings.LastIndex(name, "/")+1:] + "/" + req.sessionName,
		userID:   role.id + ":" + req.sessionName,
		identity: role,
		session:  &session{name: req.sessionName, tags: req.tags, transitive: req.transitive, policy: req.policy},
	}
	key, credential := c.sim.openSession(p, req.duration)
	var result assumeRoleResult
	result.AssumedRoleUser.AssumedRoleID, result.AssumedRoleUser.Arn = p.userID, p.arn
	result.Credentials.AccessKeyID = key
	result.Credentials.SecretAccessKey = credential.secret
	result.Credentials.SessionToken = credential.token
	result.Credentials.Expiration = credential.expires.UTC().Format(time.RFC3339)
	result.PackedPolicySize = req.packed
	return result, nil
}
