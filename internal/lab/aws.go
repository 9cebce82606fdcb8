package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// RootSecret is the secret of every account's root user in the local AWS; the account's ID is
// its access key.
const RootSecret = "awssim"

// AWS is a local AWS: a process of its own, or a simulator in this one.
type AWS struct {
	// Endpoint is its URL.
	Endpoint string
	// Client reaches it; absent: http.DefaultClient.
	Client *http.Client
}

// Root is the configuration of an account's root user in a region.
func (a AWS) Root(account, region string) aws.Config {
	config := aws.Config{
		Region:       region,
		BaseEndpoint: &a.Endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(account, RootSecret, ""),
	}
	if a.Client != nil {
		config.HTTPClient = a.Client
	}
	return config
}

// Journal reads the calls to ECS that the controller's roles made after one of the journal into answer, the
// first one first. Zero stands for all.
func (a AWS) Journal(ctx context.Context, after uint64, answer any) error {
	return a.Admin(ctx, http.MethodGet, fmt.Sprintf("journal?service=ecs&principal=*assumed-role/ecsrelease-*&after=%d", after), nil, answer)
}

// Admin calls the admin API. body goes out as JSON unless it is nil, and the answer is read
// into answer unless that is nil.
func (a AWS) Admin(ctx context.Context, method, path string, body, answer any) error {
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", path, err)
		}
		payload = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.Endpoint+"/_sim/"+path, payload)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", path, err)
	}
	response, err := cmp.Or(a.Client, http.DefaultClient).Do(request)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", path, err)
	}
	defer response.Body.Close() // only read
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, content)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}
