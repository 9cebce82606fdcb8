package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	probeInterval = 50 * time.Millisecond
	probeTimeout  = 5 * time.Second
)

// A probe asks kube-apiserver whether it serves, over the network and with the
// administrator's credentials, as every client will.
type probe struct {
	url    string
	token  string
	client *http.Client
}

func newProbe(url string, creds *credentials) (*probe, error) {
	ca, err := os.ReadFile(creds.caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &probe{url: url, token: creds.adminToken, client: &http.Client{
		Timeout: probeTimeout,
		// Without a proxy from the environment: the server is on this machine.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
	}}, nil
}

// await asks for path until the answer is 200. If ctx ends before, the error
// says why and what the last answer was.
func (p *probe) await(ctx context.Context, path string) error {
	last := "no answer"
	for {
		status, body, err := p.get(ctx, path)
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case ctx.Err() != nil:
		case err != nil:
			last = err.Error()
		default:
			last = fmt.Sprintf("status %d: %s", status, strings.TrimSpace(body))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s%s: %w; last: %s", p.url, path, context.Cause(ctx), last)
		case <-time.After(probeInterval):
		}
	}
}

func (p *probe) get(ctx context.Context, path string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := p.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return response.StatusCode, string(b), err
}
