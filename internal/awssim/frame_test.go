package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

const otherAccount = "444455556666"

// sdkConfig is the SDK's configuration for a key, with a single attempt for each call.
func sdkConfig(t *testing.T, s *Simulator, region, key, secret, token string) aws.Config {
	t.Helper()
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String("http://awssim.local"),
		Credentials:  credentials.NewStaticCredentialsProvider(key, secret, token),
		HTTPClient:   &http.Client{Transport: Conforming(t, s.HTTPClient().Transport)},
		Retryer:      func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) },
	}
}

func rootConfig(t *testing.T, s *Simulator) aws.Config {
	t.Helper()
	return sdkConfig(t, s, mumbai, ownAccount, rootSecret, "")
}

func sessionConfig(t *testing.T, s *Simulator, c *types.Credentials) aws.Config {
	t.Helper()
	return sdkConfig(t, s, mumbai, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// userConfig creates a user and returns the configuration to call as it.
func userConfig(t *testing.T, s *Simulator, u User) aws.Config {
	t.Helper()
	u, err := s.PutUser(u)
	if err != nil {
		t.Fatal(err)
	}
	return sdkConfig(t, s, mumbai, u.AccessKeyID, u.SecretAccessKey, "")
}

func mustPutRole(t *testing.T, s *Simulator, r Role) Role {
	t.Helper()
	r, err := s.PutRole(r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// statements is a policy document of these statements.
func statements(list ...string) json.RawMessage {
	document := `{"Version": "2012-10-17", "Statement": [`
	for i, s := range list {
		if i > 0 {
			document += ","
		}
		document += s
	}
	return json.RawMessage(document + "]}")
}

func assume(cfg aws.Config, role string, change ...func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("test")}
	for _, c := range change {
		c(in)
	}
	return sts.NewFromConfig(cfg).AssumeRole(context.Background(), in)
}

func listClustersAs(t *testing.T, cfg aws.Config) error {
	t.Helper()
	_, err := ecs.NewFromConfig(cfg).ListClusters(t.Context(), &ecs.ListClustersInput{})
	return err
}

// sdkError is an error of a handler as the SDK would return it.
func sdkError(err error) error {
	var failure *apiError
	if errors.As(err, &failure) {
		return &smithy.GenericAPIError{Code: failure.code, Message: failure.message}
	}
	return err
}

// policies is one policy document of these statements.
func policies(list ...string) []json.RawMessage { return []json.RawMessage{statements(list...)} }
