package awssim

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// signedRequest is a ListClusters call signed by the real SDK's signer.
func signedRequest(t *testing.T, url, body string, c aws.Credentials, service, region string, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", jsonContentType)
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	r.Header.Set("X-Odd", "  many   spaces  ")
	r.Header.Add("X-Twice", "a")
	r.Header.Add("X-Twice", "b")
	r.Header.Set("User-Agent", "signers leave this out")
	digest := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(digest[:]), service, region, at); err != nil {
		t.Fatal(err)
	}
	return r
}

func exchangeRaw(t *testing.T, client *http.Client, r *http.Request) (status int, body string) {
	t.Helper()
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("x-amzn-RequestId") == "" {
		t.Error("the answer has no request ID")
	}
	return response.StatusCode, string(data)
}

var rootKey = aws.Credentials{AccessKeyID: ownAccount, SecretAccessKey: rootSecret}

func TestASignatureOfTheSDKIsAccepted(t *testing.T) {
	s := New(Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	for _, path := range []string{"", "/", "/?b=2&a=1&a=0&empty=&sp=a+b%2Fc", "/odd%20path/a%2Fb~", "/ä"} {
		r := signedRequest(t, server.URL+path, "{}", rootKey, "ecs", mumbai, time.Now())
		if status, body := exchangeRaw(t, server.Client(), r); status != http.StatusOK {
			t.Errorf("over the network, path %q: %d %s", path, status, body)
		}
		r = signedRequest(t, "https://awssim.local"+path, "{}", rootKey, "ecs", mumbai, time.Now())
		if status, body := exchangeRaw(t, s.HTTPClient(), r); status != http.StatusOK {
			t.Errorf("in process, path %q: %d %s", path, status, body)
		}
	}
}

func TestARequestThatIsNotWhatWasSignedIsRefused(t *testing.T) {
	s := New(Options{})
	user, err := s.PutUser(User{Account: ownAccount, Name: "ci", Unrestricted: true})
	if err != nil {
		t.Fatal(err)
	}
	good := aws.Credentials{AccessKeyID: user.AccessKeyID, SecretAccessKey: user.SecretAccessKey}
	cases := []struct {
		name    string
		key     aws.Credentials
		service string
		region  string
		at      time.Duration
		change  func(*http.Request)
		code    string
		text    string
	}{
		{name: "another secret", key: aws.Credentials{AccessKeyID: user.AccessKeyID, SecretAccessKey: "x"}, code: "InvalidSignatureException", text: "does not match the signature you provided"},
		{name: "the root's key with another secret", key: aws.Credentials{AccessKeyID: ownAccount, SecretAccessKey: "x"}, code: "InvalidSignatureException"},
		{name: "an unknown key", key: aws.Credentials{AccessKeyID: "AKIAAAAAAAAAAAAAAAAA", SecretAccessKey: "x"}, code: "UnrecognizedClientException", text: "security token included in the request is invalid"},
		{name: "a token with a key that has none", key: aws.Credentials{AccessKeyID: user.AccessKeyID, SecretAccessKey: user.SecretAccessKey, SessionToken: "x"}, code: "UnrecognizedClientException"},
		{name: "another service in the scope", service: "ecr", code: "InvalidSignatureException", text: "correct service: 'ecs'"},
		{name: "no such region", region: "nowhere", code: "InvalidSignatureException", text: "valid region"},
		{name: "signed six minutes ago", at: -6 * time.Minute, code: "InvalidSignatureException", text: "Signature expired: "},
		{name: "signed six minutes from now", at: 6 * time.Minute, code: "InvalidSignatureException", text: "Signature not yet current: "},
		{name: "another body", change: func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{ }")), 3
		}, code: "InvalidSignatureException"},
		{name: "another operation", change: func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeClusters")
		}, code: "InvalidSignatureException"},
		{name: "another host", change: func(r *http.Request) { r.Host = "elsewhere" }, code: "InvalidSignatureException"},
		{name: "another query", change: func(r *http.Request) { r.URL.RawQuery = "a=b" }, code: "InvalidSignatureException"},
		{name: "a steering header that is not signed", change: func(r *http.Request) { r.Header.Set("X-Amz-Extra", "1") }, code: "InvalidSignatureException", text: "must be a 'SignedHeader'"},
		{name: "no signature at all", change: func(r *http.Request) { r.Header.Del("Authorization") }, code: "MissingAuthenticationTokenException"},
		{name: "no time", change: func(r *http.Request) { r.Header.Del("X-Amz-Date") }, code: "IncompleteSignatureException", text: "X-Amz-Date"},
		{name: "half a signature", change: func(r *http.Request) {
			r.Header.Set("Authorization", signingAlgorithm+" Credential=a/b/c/d/e")
		}, code: "IncompleteSignatureException", text: "requires 'Signature' parameter"},
		{name: "a credential without its scope", change: func(r *http.Request) {
			r.Header.Set("Authorization", signingAlgorithm+" Credential=a, SignedHeaders=host, Signature=0")
		}, code: "IncompleteSignatureException", text: "exactly 5"},
		{name: "basic authentication", change: func(r *http.Request) { r.SetBasicAuth("a", "b") }, code: "IncompleteSignatureException"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			key, service, region := good, "ecs", mumbai
			if c.key.AccessKeyID != "" {
				key = c.key
			}
			if c.service != "" {
				service = c.service
			}
			if c.region != "" {
				region = c.region
			}
			r := signedRequest(t, "http://awssim.local/", "{}", key, service, region, time.Now().Add(c.at))
			if c.change != nil {
				c.change(r)
			}
			status, body := exchangeRaw(t, s.HTTPClient(), r)
			if status != http.StatusBadRequest || !strings.Contains(body, "#"+c.code+`"`) || !strings.Contains(body, c.text) {
				t.Errorf("got %d %s, want 400 %s %q", status, body, c.code, c.text)
			}
		})
	}
}

func TestTheQueryProtocolHasItsOwnNamesForBadSignatures(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct{ key, secret, code string }{
		{"AKIAAAAAAAAAAAAAAAAA", "x", "InvalidClientTokenId"},
		{ownAccount, "x", "SignatureDoesNotMatch"},
	} {
		_, err := sts.NewFromConfig(sdkConfig(t, s, mumbai, c.key, c.secret, "")).GetCallerIdentity(t.Context(), nil)
		wantCode(t, err, c.code, "")
	}
	for body, code := range map[string]string{
		"Action=GetCallerIdentity&Version=2011-06-15":  "<Code>MissingAuthenticationToken</Code>",
		"Action=GetCallerIdentity":                     "<Code>InvalidAction</Code>",
		"Action=GetFederationToken&Version=2011-06-15": "Could not find operation GetFederationToken for version 2011-06-15",
		"Version=2011-06-15":                           "<Code>MissingAction</Code>",
		"Action=%zz":                                   "<Code>MalformedQueryString</Code>",
	} {
		response, err := s.HTTPClient().Post("http://awssim.local/", formContentType, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode < 400 || !strings.Contains(string(data), code) {
			t.Errorf("%s: %d %s (%v), want %s", body, response.StatusCode, data, err, code)
		}
	}
}

func TestWhatIsNoOperationOrNoDocumentIsRefusedByName(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		name   string
		target string
		body   string
		code   string
		status int
	}{
		{"an operation that does not exist", "AmazonEC2ContainerServiceV20141113.FlyToTheMoon", "{}", "UnknownOperationException", 400},
		{"a service that does not exist", "Moon_20200101.Fly", "{}", "UnknownOperationException", 400},
		{"an operation without its service", "ListClusters", "{}", "UnknownOperationException", 400},
		{"an empty body", "AmazonEC2ContainerServiceV20141113.ListClusters", "", "SerializationException", 400},
		{"half a document", "AmazonEC2ContainerServiceV20141113.ListClusters", `{"maxResults"`, "SerializationException", 400},
		{"a list", "AmazonEC2ContainerServiceV20141113.ListClusters", `[]`, "SerializationException", 400},
		{"a value of the wrong type", "AmazonEC2ContainerServiceV20141113.ListClusters", `{"maxResults": "1"}`, "STRING_VALUE cannot be converted to Integer", 400},
		{"a body without end", "AmazonEC2ContainerServiceV20141113.ListClusters", "{" + strings.Repeat(" ", maxBody) + "}", "RequestEntityTooLarge", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://awssim.local/", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", jsonContentType)
			r.Header.Set("X-Amz-Target", c.target)
			digest := sha256.Sum256([]byte(c.body))
			if err := v4.NewSigner().SignHTTP(t.Context(), rootKey, r, hex.EncodeToString(digest[:]), "ecs", mumbai, time.Now()); err != nil {
				t.Fatal(err)
			}
			if status, body := exchangeRaw(t, s.HTTPClient(), r); status != c.status || !strings.Contains(body, c.code) {
				t.Errorf("got %d %s, want %d %s", status, body, c.status, c.code)
			}
		})
	}
}

func TestASessionExpiresOnTheWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Speed: 100})
		role := mustPutRole(t, s, Role{
			Account: ownAccount, Name: "deployer", Unrestricted: true,
			TrustPolicy: statements(`{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "` + ownAccount + `"}}`),
		})
		user := userConfig(t, s, User{Account: ownAccount, Name: "ci", Unrestricted: true})
		out, err := assume(user, role.ARN, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) })
		if err != nil {
			t.Fatal(err)
		}
		session := sessionConfig(t, s, out.Credentials)
		time.Sleep(14 * time.Minute)
		if err := listClustersAs(t, session); err != nil {
			t.Errorf("a minute before its end: %v", err)
		}
		time.Sleep(2 * time.Minute)
		wantCode(t, listClustersAs(t, session), "ExpiredTokenException", "The security token included in the request is expired")
		_, err = sts.NewFromConfig(session).GetCallerIdentity(t.Context(), nil)
		wantCode(t, err, "ExpiredToken", "expired")
		wrong := sdkConfig(t, s, mumbai, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, "another token")
		wantCode(t, listClustersAs(t, wrong), "UnrecognizedClientException", "")
	})
}

func TestLeftOverSessionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		for range 30 {
			for range 100 {
				s.mu.Lock()
				s.openSession(principal{}, 15*time.Minute)
				s.mu.Unlock()
			}
			time.Sleep(time.Hour)
		}
		if n := len(s.keys); n > 700 {
			t.Errorf("%d sessions are kept of 3000", n)
		}
	})
}
