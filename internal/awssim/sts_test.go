package awssim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func trusting(principal, actions string, condition ...string) string {
	text := `{"Effect": "Allow", "Principal": ` + principal + `, "Action": ` + actions
	if len(condition) > 0 {
		text += `, "Condition": ` + condition[0]
	}
	return text + "}"
}

func TestEverybodyLearnsWhoTheyAre(t *testing.T) {
	s := New(Options{})
	user := userConfig(t, s, User{Account: ownAccount, Name: "ci"})
	role := mustPutRole(t, s, Role{
		Account: ownAccount, Name: "deployer", Path: "/ops/",
		TrustPolicy: statements(trusting(`{"AWS": "arn:aws:iam::`+ownAccount+`:user/ci"}`, `"sts:AssumeRole"`)),
	})
	out, err := assume(user, role.ARN)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cfg aws.Config
		arn string
		id  string
	}{
		{rootConfig(t, s), "arn:aws:iam::111122223333:root", ownAccount},
		{user, "arn:aws:iam::111122223333:user/ci", "AIDA"},
		{sessionConfig(t, s, out.Credentials), "arn:aws:sts::111122223333:assumed-role/deployer/test", "AROA"},
	} {
		who, err := sts.NewFromConfig(c.cfg).GetCallerIdentity(t.Context(), nil)
		if err != nil || *who.Arn != c.arn || *who.Account != ownAccount || !strings.HasPrefix(*who.UserId, c.id) {
			t.Errorf("%s: %+v, %v", c.arn, who, err)
		}
	}
	if got := *out.AssumedRoleUser.Arn; got != "arn:aws:sts::111122223333:assumed-role/deployer/test" {
		t.Errorf("assumed %s", got)
	}
}

func TestBothSidesDecideWhoAssumesARole(t *testing.T) {
	const (
		mayAssume = `{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}`
		mayTag    = `{"Effect": "Allow", "Action": "sts:TagSession", "Resource": "*"}`
		mayNot    = `{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}`
		ci        = `{"AWS": "arn:aws:iam::111122223333:user/ci"}`
		everyone  = `{"AWS": "111122223333"}`
		both      = `["sts:AssumeRole", "sts:TagSession"]`
		external  = `{"StringEquals": {"sts:ExternalId": "lab/production"}}`
	)
	withExternalID := func(id string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.ExternalId = &id }
	}
	withTag := func(key, value string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.Tags = append(in.Tags, types.Tag{Key: &key, Value: &value}) }
	}
	for _, c := range []struct {
		name    string
		account string // of the role
		trust   []string
		policy  []string
		change  []func(*sts.AssumeRoleInput)
		denied  string
	}{
		{name: "named in the trust policy of the same account: enough", trust: []string{trusting(ci, `"sts:AssumeRole"`)}},
		{name: "account in the trust policy, no policy of its own", trust: []string{trusting(everyone, `"sts:AssumeRole"`)}, denied: "perform: sts:AssumeRole on resource"},
		{name: "account in the trust policy and a policy of its own", trust: []string{trusting(everyone, `"sts:AssumeRole"`)}, policy: []string{mayAssume}},
		{name: "not trusted", trust: []string{trusting(`{"AWS": "arn:aws:iam::111122223333:user/other"}`, `"sts:AssumeRole"`)}, policy: []string{mayAssume}, denied: "sts:AssumeRole"},
		{name: "a service is trusted", trust: []string{trusting(`{"Service": "ecs-tasks.amazonaws.com"}`, `"sts:AssumeRole"`)}, policy: []string{mayAssume}, denied: "sts:AssumeRole"},
		{name: "denied by its own policy", trust: []string{trusting(ci, `"sts:AssumeRole"`)}, policy: []string{mayNot}, denied: "with an explicit deny in an identity-based policy"},
		{name: "denied by the trust policy", trust: []string{trusting(ci, `"*"`), `{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}`}, denied: "with an explicit deny in a resource-based policy"},
		{name: "across accounts, no policy of its own", account: otherAccount, trust: []string{trusting(ci, `"sts:AssumeRole"`)}, denied: "sts:AssumeRole"},
		{name: "across accounts, both allow", account: otherAccount, trust: []string{trusting(ci, `"sts:AssumeRole"`)}, policy: []string{mayAssume}},
		{name: "the right external ID", trust: []string{trusting(ci, `"sts:AssumeRole"`, external)}, change: []func(*sts.AssumeRoleInput){withExternalID("lab/production")}},
		{name: "another external ID", trust: []string{trusting(ci, `"sts:AssumeRole"`, external)}, change: []func(*sts.AssumeRoleInput){withExternalID("lab/staging")}, denied: "sts:AssumeRole"},
		{name: "no external ID", trust: []string{trusting(ci, `"sts:AssumeRole"`, external)}, denied: "sts:AssumeRole"},
		{name: "tags that the trust policy does not allow", trust: []string{trusting(ci, `"sts:AssumeRole"`)}, change: []func(*sts.AssumeRoleInput){withTag("env", "lab")}, denied: "perform: sts:TagSession on resource"},
		{name: "tags that both policies allow", account: otherAccount, trust: []string{trusting(ci, both)}, policy: []string{mayAssume, mayTag}, change: []func(*sts.AssumeRoleInput){withTag("env", "lab")}},
		{name: "tags across accounts, not allowed to the caller", account: otherAccount, trust: []string{trusting(ci, both)}, policy: []string{mayAssume}, change: []func(*sts.AssumeRoleInput){withTag("env", "lab")}, denied: "sts:TagSession"},
		{name: "the tag that the condition wants", trust: []string{trusting(ci, both, `{"StringEquals": {"aws:RequestTag/env": "lab"}}`)}, change: []func(*sts.AssumeRoleInput){withTag("env", "lab")}},
		{name: "another value of that tag", trust: []string{trusting(ci, both, `{"StringEquals": {"aws:RequestTag/env": "lab"}}`)}, change: []func(*sts.AssumeRoleInput){withTag("env", "x")}, denied: "sts:AssumeRole"},
		{name: "a tag key beside those allowed", trust: []string{trusting(ci, both, `{"ForAllValues:StringEquals": {"aws:TagKeys": ["env"]}}`)}, change: []func(*sts.AssumeRoleInput){withTag("env", "x"), withTag("team", "y")}, denied: "sts:AssumeRole"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{})
			account := c.account
			if account == "" {
				account = ownAccount
			}
			user := User{Account: ownAccount, Name: "ci"}
			if c.policy != nil {
				user.Policies = append(user.Policies, statements(c.policy...))
			}
			cfg := userConfig(t, s, user)
			role := mustPutRole(t, s, Role{Account: account, Name: "deployer", TrustPolicy: statements(c.trust...)})
			_, err := assume(cfg, role.ARN, c.change...)
			if c.denied == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, "AccessDenied", "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ")
			wantCode(t, err, "AccessDenied", c.denied)
		})
	}
}

func TestARoleThatIsNotThereIsDeniedLikeOneThatIs(t *testing.T) {
	s := New(Options{})
	_, err := assume(userConfig(t, s, User{Account: ownAccount, Name: "ci", Unrestricted: true}), "arn:aws:iam::444455556666:role/none")
	wantCode(t, err, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/none")
}

func TestARootAssumesNoRole(t *testing.T) {
	s := New(Options{})
	role := mustPutRole(t, s, Role{Account: ownAccount, Name: "deployer", TrustPolicy: statements(trusting(`"*"`, `"*"`))})
	_, err := assume(rootConfig(t, s), role.ARN)
	wantCode(t, err, "AccessDenied", "Roles may not be assumed by root accounts.")
}

func TestParametersOfAssumeRoleAreValidated(t *testing.T) {
	s := New(Options{})
	cfg := userConfig(t, s, User{Account: ownAccount, Name: "ci", Unrestricted: true})
	role := mustPutRole(t, s, Role{Account: ownAccount, Name: "deployer", MaxSessionDuration: 7200, TrustPolicy: statements(trusting(`"*"`, `"*"`))})
	tags := func(pairs ...string) (list []types.Tag) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		return list
	}
	many := make([]string, 102)
	for i := range many {
		many[i] = "k" + strings.Repeat("x", i)
	}
	for _, c := range []struct {
		name   string
		change func(*sts.AssumeRoleInput)
		code   string
		text   string
	}{
		{"a session name with a blank", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError", `1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		{"a session name of one letter", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a") }, "ValidationError", "Member must have length greater than or equal to 2"},
		{"a long session name", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("a", 65)) }, "ValidationError", "Member must have length less than or equal to 64"},
		{"two mistakes", func(in *sts.AssumeRoleInput) {
			in.RoleSessionName, in.DurationSeconds = aws.String("a"), aws.Int32(60)
		}, "ValidationError", "2 validation errors detected: "},
		{"an external ID with a blank", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("a b") }, "ValidationError", "at 'externalId'"},
		{"too short", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError", "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"too long for anything", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, "ValidationError", "value less than or equal to 43200"},
		{"too long for the role", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"no ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("deployer-of-everything") }, "ValidationError", "is invalid"},
		{"a short ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("deployer") }, "ValidationError", "at 'roleArn'"},
		{"a key twice", func(in *sts.AssumeRoleInput) { in.Tags = tags("env", "a", "Env", "b") }, "InvalidParameterValue", "Duplicate tag keys found"},
		{"a key with a strange letter", func(in *sts.AssumeRoleInput) { in.Tags = tags("a!b", "") }, "ValidationError", "at 'tags.1.member.key'"},
		{"a long value", func(in *sts.AssumeRoleInput) { in.Tags = tags("a", strings.Repeat("x", 257)) }, "ValidationError", "at 'tags.1.member.value'"},
		{"many tags", func(in *sts.AssumeRoleInput) { in.Tags = tags(many...) }, "ValidationError", "at 'tags'"},
		{"a transitive key that is no tag", func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"env"} }, "InvalidParameterValue", "transitive tag key must be included in the requested tags"},
		{"more than a session carries", func(in *sts.AssumeRoleInput) {
			for _, k := range strings.Split("abcdefghijklmnopqrst", "") {
				in.Tags = append(in.Tags, tags(k, strings.Repeat("x", 256))...)
			}
		}, "PackedPolicyTooLarge", "Packed policy consumes "},
		{"a session policy that is none", func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{}") }, "MalformedPolicyDocument", "Version"},
		{"a parameter that is not implemented", func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("me") }, "ValidationError", "SourceIdentity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := assume(cfg, role.ARN, c.change)
			wantCode(t, err, c.code, c.text)
		})
	}
}

func TestAChainedSessionInheritsTransitiveTagsAndLastsAnHour(t *testing.T) {
	s := New(Options{})
	user := userConfig(t, s, User{Account: ownAccount, Name: "pod", Unrestricted: true})
	hub := mustPutRole(t, s, Role{Account: ownAccount, Name: "hub", Unrestricted: true, MaxSessionDuration: 43200, TrustPolicy: statements(trusting(`"*"`, `"*"`))})
	target := mustPutRole(t, s, Role{
		Account: otherAccount, Name: "target", MaxSessionDuration: 43200,
		TrustPolicy: statements(trusting(`{"AWS": "`+hub.ARN+`"}`, `["sts:AssumeRole", "sts:TagSession"]`, `{"StringEquals": {"aws:PrincipalTag/namespace": "production", "aws:RequestTag/namespace": "production"}}`)),
		Policies:    []json.RawMessage{statements(`{"Effect": "Allow", "Action": "ecs:ListClusters", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/namespace": "production"}, "Null": {"aws:PrincipalTag/plain": "true"}}}`)},
	})
	out, err := assume(user, hub.ARN, func(in *sts.AssumeRoleInput) {
		in.Tags = []types.Tag{{Key: aws.String("namespace"), Value: aws.String("production")}, {Key: aws.String("plain"), Value: aws.String("x")}}
		in.TransitiveTagKeys = []string{"namespace"}
		in.DurationSeconds = aws.Int32(43200)
	})
	if err != nil {
		t.Fatal(err)
	}
	session := sessionConfig(t, s, out.Credentials)
	_, err = assume(session, target.ARN, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) })
	wantCode(t, err, "ValidationError", "exceeds the 1 hour session limit for roles assumed by role chaining")
	_, err = assume(session, target.ARN, func(in *sts.AssumeRoleInput) {
		in.Tags = []types.Tag{{Key: aws.String("namespace"), Value: aws.String("staging")}}
	})
	wantCode(t, err, "InvalidParameterValue", "conflicts with a transitive tag key from the calling session")
	chained, err := assume(session, target.ARN)
	if err != nil {
		t.Fatal(err)
	}
	cfg := sessionConfig(t, s, chained.Credentials)
	if err := listClustersAs(t, cfg); err != nil {
		t.Error(err)
	}
	if !s.RemoveRole(otherAccount, "target") {
		t.Fatal("the role is gone already")
	}
	wantCode(t, listClustersAs(t, cfg), "UnrecognizedClientException", "")
}

func TestASessionPolicyRestrictsTheRole(t *testing.T) {
	s := New(Options{})
	user := userConfig(t, s, User{Account: ownAccount, Name: "ci", Unrestricted: true})
	role := mustPutRole(t, s, Role{Account: ownAccount, Name: "deployer", Unrestricted: true, TrustPolicy: statements(trusting(`"*"`, `"*"`))})
	out, err := assume(user, role.ARN, func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(string(statements(`{"Effect": "Allow", "Action": "ecs:Describe*", "Resource": "*"}`)))
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, listClustersAs(t, sessionConfig(t, s, out.Credentials)), "AccessDeniedException",
		"User: arn:aws:sts::111122223333:assumed-role/deployer/test is not authorized to perform: ecs:ListClusters on resource: *")
}
