package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// ofCPU and ofHeap are what profiles there are, as Go serves them.
func ofCPU(lasts time.Duration) string {
	return fmt.Sprintf("profile?seconds=%d", int(lasts.Seconds()))
}

const ofHeap = "heap?gc=1"

// profile takes a profile of a manager, which serves them at an address, and keeps it in a file of the
// directory for them.
func profile(ctx context.Context, address, what, directory, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/%s", address, what), http.NoBody)
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	defer response.Body.Close() // what was read is complete, or reading failed
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for a profile: %s", response.Status)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("keeping profiles: %w", err)
	}
	path := filepath.Join(directory, name+".pprof")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("keeping a profile: %w", err)
	}
	if _, err := io.Copy(file, response.Body); err != nil {
		file.Close() // it is the first error that counts
		return fmt.Errorf("keeping a profile: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("keeping a profile: %w", err)
	}
	say("a profile is in %s: go tool pprof -top bin/manager %s", path, path)
	return nil
}
