package awssim

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPoliciesDecideAsIAMDoes(t *testing.T) {
	const service = "arn:aws:ecs:ap-south-1:111122223333:service/mumbai/backend"
	context := conditionContext{
		"ecs:cluster":            {"arn:aws:ecs:ap-south-1:111122223333:cluster/mumbai"},
		"iam:passedtoservice":    {"ecs-tasks.amazonaws.com"},
		"aws:principaltag/team":  {"core"},
		"aws:principaltag/stars": {"*"},
		"aws:securetransport":    {"true"},
		"aws:tagkeys":            {"env", "team"},
	}
	allow := func(rest string) string { return `{"Effect": "Allow", ` + rest + `}` }
	update := func(condition string) []string {
		return []string{allow(`"Action": "ecs:UpdateService", "Resource": "*", "Condition": {` + condition + `}`)}
	}
	for _, c := range []struct {
		name     string
		policy   []string
		resource string
		want     decision
	}{
		{name: "nothing is said", policy: []string{allow(`"Action": "ecs:DescribeServices", "Resource": "*"`)}},
		{name: "exact", policy: []string{allow(`"Action": "ecs:UpdateService", "Resource": "` + service + `"`)}, want: allowed},
		{name: "lists", policy: []string{allow(`"Action": ["ecs:DescribeServices", "ecs:UpdateService"], "Resource": ["x:x:x:x:x:x", "` + service + `"]`)}, want: allowed},
		{name: "actions in any case, with wildcards", policy: []string{allow(`"Action": "ECS:update*", "Resource": "*"`)}, want: allowed},
		{name: "a question mark is one letter", policy: []string{allow(`"Action": "ecs:UpdateServic??", "Resource": "*"`)}},
		{name: "resources in their case", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:111122223333:service/Mumbai/*"`)}},
		{name: "wildcards in a resource", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:111122223333:service/*/back?nd"`)}, want: allowed},
		{name: "another account's resource", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:444455556666:service/*"`)}},
		{name: "an explicit deny wins", policy: []string{allow(`"Action": "*", "Resource": "*"`), `{"Effect": "Deny", "Action": "ecs:Update*", "Resource": "*"}`}, want: explicitlyDenied},
		{name: "an explicit deny wins in any order", policy: []string{`{"Effect": "Deny", "Action": "ecs:Update*", "Resource": "*"}`, allow(`"Action": "*", "Resource": "*"`)}, want: explicitlyDenied},
		{name: "a deny of something else", policy: []string{allow(`"Action": "*", "Resource": "*"`), `{"Effect": "Deny", "Action": "ecs:Delete*", "Resource": "*"}`}, want: allowed},
		{name: "all actions but", policy: []string{allow(`"NotAction": "ecs:Delete*", "Resource": "*"`)}, want: allowed},
		{name: "all actions but this", policy: []string{allow(`"NotAction": ["iam:*", "ecs:Update*"], "Resource": "*"`)}},
		{name: "all resources but this", policy: []string{allow(`"Action": "*", "NotResource": "arn:aws:ecs:*:*:service/mumbai/*"`)}},
		{name: "all resources but another", policy: []string{allow(`"Action": "*", "NotResource": "arn:aws:ecs:*:*:service/delhi/*"`)}, want: allowed},

		{name: "StringEquals", policy: update(`"StringEquals": {"iam:PassedToService": ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]}`), want: allowed},
		{name: "StringEquals knows no wildcards", policy: update(`"StringEquals": {"iam:PassedToService": "ecs-*"}`)},
		{name: "keys in any case", policy: update(`"StringEquals": {"IAM:passedToService": "ecs-tasks.amazonaws.com"}`), want: allowed},
		{name: "StringEquals without the key", policy: update(`"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}`)},
		{name: "StringEqualsIfExists without the key", policy: update(`"StringEqualsIfExists": {"ecs:CreateAction": "RegisterTaskDefinition"}`), want: allowed},
		{name: "StringEqualsIfExists with another value", policy: update(`"StringEqualsIfExists": {"iam:PassedToService": "x"}`)},
		{name: "StringEqualsIgnoreCase", policy: update(`"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "CORE"}`), want: allowed},
		{name: "StringNotEquals", policy: update(`"StringNotEquals": {"iam:PassedToService": ["a", "b"]}`), want: allowed},
		{name: "StringNotEquals with that value among others", policy: update(`"StringNotEquals": {"iam:PassedToService": ["a", "ecs-tasks.amazonaws.com"]}`)},
		{name: "StringNotEquals without the key", policy: update(`"StringNotEquals": {"ecs:CreateAction": "x"}`), want: allowed},
		{name: "StringLike", policy: update(`"StringLike": {"iam:PassedToService": "ecs-*.amazonaws.???"}`), want: allowed},
		{name: "StringNotLike", policy: update(`"StringNotLike": {"iam:PassedToService": "ecs-*"}`)},
		{name: "ArnLike", policy: update(`"ArnLike": {"ecs:cluster": "arn:aws:ecs:*:111122223333:cluster/*"}`), want: allowed},
		{name: "ArnEquals takes wildcards too", policy: update(`"ArnEquals": {"ecs:cluster": "arn:aws:ecs:*:111122223333:cluster/mum*"}`), want: allowed},
		{name: "an ARN's wildcard ends at its colon", policy: update(`"ArnLike": {"ecs:cluster": "arn:aws:*:cluster/mumbai"}`)},
		{name: "ArnNotEquals", policy: update(`"ArnNotEquals": {"ecs:cluster": "arn:aws:ecs:*:*:cluster/mumbai"}`)},
		{name: "Bool", policy: update(`"Bool": {"aws:SecureTransport": true}`), want: allowed},
		{name: "Bool as a string", policy: update(`"Bool": {"aws:SecureTransport": "false"}`)},
		{name: "Null: the key must be absent", policy: update(`"Null": {"aws:RequestTag/env": true}`), want: allowed},
		{name: "Null: the key must be present", policy: update(`"Null": {"aws:RequestTag/env": "false"}`)},
		{name: "ForAllValues", policy: update(`"ForAllValues:StringEquals": {"aws:TagKeys": ["env", "team", "x"]}`), want: allowed},
		{name: "ForAllValues with one too many", policy: update(`"ForAllValues:StringEquals": {"aws:TagKeys": ["env"]}`)},
		{name: "ForAllValues of none", policy: update(`"ForAllValues:StringEquals": {"ecs:none": ["env"]}`), want: allowed},
		{name: "ForAnyValue", policy: update(`"ForAnyValue:StringLike": {"aws:TagKeys": "te*"}`), want: allowed},
		{name: "ForAnyValue of none", policy: update(`"ForAnyValue:StringLike": {"ecs:none": "*"}`)},
		{name: "all conditions must hold", policy: update(`"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalTag/team": "x"}`)},

		{name: "a variable in a resource", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/team}/*"`)}, resource: "arn:aws:ecs:a:1:service/core/x", want: allowed},
		{name: "a variable without a value matches nothing", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/none}*"`)}},
		{name: "a tag's star is no wildcard", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/stars}/*"`)}},
		{name: "a tag's star is itself", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/stars}/*"`)}, resource: "arn:aws:ecs:a:1:service/*/x", want: allowed},
		{name: "an escaped star", policy: []string{allow(`"Action": "*", "Resource": "arn:aws:ecs:*:*:service/${*}/*"`)}},
		{name: "a variable in a condition", policy: update(`"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}`), want: allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := parsePolicy(statements(c.policy...))
			if err != nil {
				t.Fatal(err)
			}
			resource := c.resource
			if resource == "" {
				resource = service
			}
			if got := decide([]*policy{p}, "ecs:UpdateService", resource, context); got != c.want {
				t.Errorf("decision %d, want %d", got, c.want)
			}
		})
	}
}

func TestWhatCannotBeEvaluatedIsRefused(t *testing.T) {
	plain := func(statement string) json.RawMessage { return statements(statement) }
	for _, c := range []struct {
		name   string
		policy json.RawMessage
		text   string
	}{
		{"no document", nil, "empty"},
		{"an old version", json.RawMessage(`{"Version": "2008-10-17", "Statement": []}`), "2012-10-17"},
		{"no statement", json.RawMessage(`{"Version": "2012-10-17"}`), "no Statement"},
		{"a misspelt member", plain(`{"Effect": "Allow", "Actions": "*", "Resource": "*"}`), "Actions"},
		{"an effect in lower case", plain(`{"Effect": "allow", "Action": "*", "Resource": "*"}`), "effect"},
		{"no action", plain(`{"Effect": "Allow", "Resource": "*"}`), "Action"},
		{"an action without its service", plain(`{"Effect": "Allow", "Action": "UpdateService", "Resource": "*"}`), "UpdateService"},
		{"no resource", plain(`{"Effect": "Allow", "Action": "*"}`), "Resource"},
		{"a resource that is no ARN", plain(`{"Effect": "Allow", "Action": "*", "Resource": "backend"}`), "backend"},
		{"a principal", plain(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}`), "Principal"},
		{"an operator that is not implemented", plain(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}`), `"IpAddress" is not supported`},
		{"a key without its service", plain(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"cluster": "x"}}}`), "cluster"},
		{"a Null that is neither", plain(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"ecs:cluster": "x"}}}`), "true or false"},
		{"a value that is an object", plain(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"ecs:cluster": {}}}}`), "no value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Options{}).PutUser(User{Account: ownAccount, Name: "ci", Policies: []json.RawMessage{c.policy}})
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want one about %s", err, c.text)
			}
		})
	}
	for _, c := range []struct{ name, policy, text string }{
		{"no principal", `{"Effect": "Allow", "Action": "sts:AssumeRole"}`, "needs a Principal"},
		{"a resource", `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Resource": "*"}`, "Resource"},
		{"a wildcard in a principal", `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}`, "wildcards"},
		{"NotPrincipal", `{"Effect": "Deny", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "111122223333"}}`, "NotPrincipal"},
		{"an unknown kind of principal", `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"GCP": "x"}}`, "GCP"},
	} {
		t.Run("a trust policy with "+c.name, func(t *testing.T) {
			_, err := New(Options{}).PutRole(Role{Account: ownAccount, Name: "r", TrustPolicy: statements(c.policy)})
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want one about %s", err, c.text)
			}
		})
	}
}

func TestAUserMayDoWhatItsPoliciesSay(t *testing.T) {
	s := New(Options{})
	user := User{Account: ownAccount, Name: "ci"}
	cfg := userConfig(t, s, user)
	wantCode(t, listClustersAs(t, cfg), "AccessDeniedException",
		"User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ecs:ListClusters on resource: * because no identity-based policy allows the ecs:ListClusters action")
	user.Unrestricted = true
	userConfig(t, s, user) // the same key: the client goes on
	if err := listClustersAs(t, cfg); err != nil {
		t.Error(err)
	}
	user.Policies = []json.RawMessage{statements(`{"Effect": "Deny", "Action": "ecs:List*", "Resource": "*"}`)}
	userConfig(t, s, user)
	wantCode(t, listClustersAs(t, cfg), "AccessDeniedException", "perform: ecs:ListClusters on resource: * with an explicit deny in an identity-based policy")
	if !s.RemoveUser(ownAccount, "ci") || s.RemoveUser(ownAccount, "ci") {
		t.Error("a user is removed once")
	}
	wantCode(t, listClustersAs(t, cfg), "UnrecognizedClientException", "")
}

func TestDecodingIsAsStrictAsAWS(t *testing.T) {
	var into struct {
		Name  string
		Tags  []struct{ Key string } `json:"tags"`
		Count int                    `json:"count"`
		Map   map[string]struct {
			Deep bool `json:"deep"`
		} `json:"map"`
	}
	if err := decode(json.RawMessage(`{"NAME": 1, "Count": "x", "count": 9007199254740993, "unknown": {}, "tags": [{"key": "no", "Key": "yes"}], "map": {"a": {"Deep": "x"}}}`), &into); err != nil {
		t.Fatal(err)
	}
	if into.Name != "" || into.Count != 9007199254740993 || len(into.Tags) != 1 || into.Tags[0].Key != "yes" {
		t.Errorf("decoded %+v", into)
	}
	for document, text := range map[string]string{
		`{"count": true}`:  "BOOLEAN_VALUE cannot be converted to Integer",
		`{"count": 1.5}`:   "NUMBER_VALUE cannot be converted to Integer",
		`{"tags": {}}`:     "START_OBJECT cannot be converted to List",
		`{"tags": ["x"]}`:  "STRING_VALUE cannot be converted to Structure",
		`{"Name": ["x"]}`:  "START_ARRAY cannot be converted to String",
		`{"map": {"a": 1`:  "",
		`{"map": {"a":1}}`: "NUMBER_VALUE cannot be converted to Structure",
	} {
		wantCode(t, sdkError(decode(json.RawMessage(document), &into)), "SerializationException", text)
	}
}
