package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// start runs the command until the test ends, and returns its URL.
func start(t *testing.T, args ...string) (url string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	reader, writer := io.Pipe()
	go func() {
		err := run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), writer, io.Discard)
		writer.CloseWithError(io.EOF)
		done <- err
	}()
	line := make([]byte, 256)
	n, err := reader.Read(line)
	if err != nil {
		t.Fatalf("it did not listen: %v", <-done)
	}
	url, found := strings.CutPrefix(strings.TrimSpace(string(line[:n])), "listening on ")
	if !found {
		t.Fatalf("it said %q", line[:n])
	}
	stop = func() error {
		cancel()
		return <-done
	}
	t.Cleanup(cancel)
	return url, stop
}

func TestItServesTheSDKAndStopsWhenAsked(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "url")
	url, stop := start(t, "--speed", "50", "--quotas", "--seed", "1", "--ready-file", ready)
	client := sts.New(sts.Options{
		Region: "ap-south-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("111122223333", "awssim", ""),
	})
	who, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Arn) != "arn:aws:iam::111122223333:root" {
		t.Errorf("caller %v, %v", who, err)
	}
	for written := ""; strings.TrimSpace(written) != url; {
		data, err := os.ReadFile(ready)
		if err != nil && !errors.Is(err, os.ErrNotExist) || t.Context().Err() != nil {
			t.Fatal(err)
		}
		written = string(data)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestLoadBalancersAnswerAtTheirAddresses(t *testing.T) {
	url, stop := start(t, "--load-balancers", "--speed", "1000")
	client := elb.New(elb.Options{
		Region: "ap-south-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("111122223333", "awssim", ""),
	})
	created, err := client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"}})
	if err != nil {
		t.Fatal(err)
	}
	b := created.LoadBalancers[0]
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", *b.DNSName+":0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancerArn, Port: aws.Int32(int32(free.Addr().(*net.TCPAddr).Port)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("418")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for {
		response, err := http.Get("http://" + address + "/")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode != http.StatusTeapot {
				t.Errorf("the load balancer answers %d", response.StatusCode)
			}
			break
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + address + "/"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end the load balancer answers %v", err)
	}
}

func TestACallThatHangsDoesNotHoldTheShutdown(t *testing.T) {
	url, stop := start(t)
	response, err := http.Post(url+"/_sim/faults", "application/json", strings.NewReader(`{"hang": true}`))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	_ = response.Body.Close()
	client := sts.New(sts.Options{
		Region: "ap-south-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("111122223333", "awssim", ""),
	})
	hung := make(chan error, 1)
	go func() {
		_, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		hung <- err
	}()
	for {
		response, err := http.Get(url + "/_sim/journal")
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(`"lost": true`)) {
			break
		}
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took >= shutdownGrace {
		t.Errorf("it took %s to stop", took)
	}
	if err := <-hung; err == nil {
		t.Error("the hanging call got an answer")
	}
}

func TestMistakesInTheFlagsAreTold(t *testing.T) {
	for _, c := range []struct {
		args []string
		text string
	}{
		{[]string{"--listen", "0.0.0.0:0"}, "--allow-remote"},
		{[]string{"--listen", ":0"}, "--allow-remote"},
		{[]string{"--listen", "example.com:0"}, "--allow-remote"},
		{[]string{"--listen", "nonsense"}, "missing port"},
		{[]string{"--speed", "0"}, "--speed must be positive"},
		{[]string{"--latency-read", "-1s"}, "negative"},
		{[]string{"--journal", "-1"}, "negative"},
		{[]string{"extra"}, "unexpected argument"},
		{[]string{"--nope"}, "-nope"},
		{[]string{"--ready-file", "/no/such/directory/url", "--listen", "127.0.0.1:0"}, "ready file"},
	} {
		var stderr strings.Builder
		err := run(t.Context(), c.args, io.Discard, &stderr)
		if err == nil || !strings.Contains(err.Error()+stderr.String(), c.text) {
			t.Errorf("%v: %v, %s; want %q", c.args, err, stderr.String(), c.text)
		}
	}
}

func TestHelpSaysHowToPointTheCommandLineAtIt(t *testing.T) {
	var stderr strings.Builder
	if err := run(t.Context(), []string{"--help"}, io.Discard, &stderr); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	for _, text := range []string{"AWS_ENDPOINT_URL", "aws sts get-caller-identity", "-allow-remote", "/_sim/", "-load-balancers"} {
		if !strings.Contains(stderr.String(), text) {
			t.Errorf("the help does not mention %s", text)
		}
	}
}
