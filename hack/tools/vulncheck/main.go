// Command vulncheck is govulncheck with a verdict: it fails on a known vulnerability that the
// packages call and that a later version of its module has mended. Of the standard library's it
// says which Go to compile with, since that is not for the repository to choose.
//
// It asks https://vuln.go.dev. Where that cannot be reached it asks the copy of a pinned day, which
// comes through the Go module proxy, and says of which day.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/vuln/scan"
)

const (
	live = "https://vuln.go.dev"
	// pinned is the module that the database is made from, with its reports in copiedReports.
	pinned        = "golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018"
	copiedReports = "data/osv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := check(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func check(ctx context.Context, packages []string) error {
	if len(packages) == 0 {
		return errors.New("no packages are named; try ./...")
	}
	database, err := reachable(ctx)
	if err != nil {
		return err
	}
	var findings, complaints bytes.Buffer
	c := scan.Command(ctx, append([]string{"-format", "json", "-db", database}, packages...)...)
	c.Stdout, c.Stderr = &findings, &complaints
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting govulncheck: %w", err)
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("govulncheck: %w\n%s", err, complaints.String())
	}
	r, err := read(&findings)
	if err != nil {
		return fmt.Errorf("reading what govulncheck found: %w", err)
	}
	fmt.Print(r.text())
	if n := len(r.modules); n > 0 {
		return fmt.Errorf("known vulnerabilities that are called and mended elsewhere: %d", n)
	}
	return nil
}

// reachable is the address of the database: the live one's, or else that of the copy.
func reachable(ctx context.Context) (string, error) {
	cause := answers(ctx, live+"/index/db.json")
	if cause == nil {
		fmt.Println("vulncheck: asking", live)
		return live, nil
	}
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", pinned)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("no database: %s: %w; and downloading %s: %w", live, cause, pinned, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil || module.Dir == "" {
		return "", fmt.Errorf("downloading %s: there is no directory in %s", pinned, out)
	}
	fmt.Printf("vulncheck: %s does not answer (%v); asking its copy %s\n", live, cause, pinned)
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(module.Dir, copiedReports))}).String(), nil
}

// answers says what is wrong with an address, if anything is.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
