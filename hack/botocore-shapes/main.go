// Command botocore-shapes reduces botocore's service models to the operations that
// internal/awssim implements.
//
//	go run ./hack/botocore-shapes BOTOCORE internal/awssim/testdata/botocore
//
// BOTOCORE is the directory of an installed botocore (it holds data/ and __init__.py); the
// second directory holds operations.json, the names to keep by service, and receives one file
// per service in botocore's own format: the operations, the shapes they reach, no prose.
package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: botocore-shapes BOTOCORE-DIRECTORY TESTDATA-DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "botocore-shapes:", err)
		os.Exit(1)
	}
}

func run(botocore, testdata string) error {
	version, err := versionOf(botocore)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(testdata, "operations.json"))
	if err != nil {
		return err
	}
	var wanted map[string][]string
	if err := json.Unmarshal(raw, &wanted); err != nil {
		return fmt.Errorf("reading operations.json: %w", err)
	}
	for _, service := range slices.Sorted(maps.Keys(wanted)) {
		m, err := load(botocore, service)
		if err != nil {
			return fmt.Errorf("loading the model of %s: %w", service, err)
		}
		reduced, err := m.reduce(wanted[service])
		if err != nil {
			return fmt.Errorf("reducing the model of %s: %w", service, err)
		}
		reduced.Metadata = map[string]any{
			"apiVersion": m.Metadata["apiVersion"], "protocol": m.Metadata["protocol"], "botocore": version,
		}
		out, err := json.MarshalIndent(reduced, "", " ")
		if err != nil {
			return err
		}
		path := filepath.Join(testdata, service+".json")
		if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d operations, %d shapes of botocore %s\n", path, len(reduced.Operations), len(reduced.Shapes), version)
	}
	return nil
}

var versionLine = regexp.MustCompile(`(?m)^__version__ = ['"]([^'"]+)['"]`)

func versionOf(botocore string) (string, error) {
	init, err := os.ReadFile(filepath.Join(botocore, "__init__.py"))
	if err != nil {
		return "", err
	}
	found := versionLine.FindSubmatch(init)
	if found == nil {
		return "", fmt.Errorf("%s states no __version__", filepath.Join(botocore, "__init__.py"))
	}
	return string(found[1]), nil
}

// model is a service-2.json. Operations and shapes stay untyped: what is not prose is kept.
type model struct {
	Metadata   map[string]any            `json:"metadata"`
	Operations map[string]map[string]any `json:"operations"`
	Shapes     map[string]map[string]any `json:"shapes"`
}

// load reads the newest model of a service, compressed (as pip installs it) or not.
func load(botocore, service string) (*model, error) {
	found, err := filepath.Glob(filepath.Join(botocore, "data", service, "*", "service-2.json*"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no data/%s/*/service-2.json: %w", service, fs.ErrNotExist)
	}
	slices.Sort(found) // the directories are dates
	path := found[len(found)-1]
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var reader io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		reader = unpacked
	}
	m := new(model)
	return m, errors.Join(json.NewDecoder(reader).Decode(m), file.Close())
}

// reduce keeps the named operations and every shape that they reach.
func (m *model) reduce(names []string) (*model, error) {
	out := &model{Operations: map[string]map[string]any{}, Shapes: map[string]map[string]any{}}
	for _, name := range names {
		operation, ok := m.Operations[name]
		if !ok {
			return nil, fmt.Errorf("botocore has no operation %s", name)
		}
		kept := map[string]any{}
		for _, member := range []string{"input", "output", "errors", "http"} {
			// Where a request goes says what it asks for in the REST protocols only.
			if value, ok := operation[member]; ok && (member != "http" || m.Metadata["protocol"] == "rest-xml") {
				kept[member] = withoutProse(value)
			}
		}
		out.Operations[name] = kept
		m.follow(kept, out)
	}
	return out, nil
}

// follow copies the shapes that a part of the model refers to, and what they refer to.
func (m *model) follow(part any, out *model) {
	switch part := part.(type) {
	case []any:
		for _, item := range part {
			m.follow(item, out)
		}
	case map[string]any:
		for key, value := range part {
			name, ok := value.(string)
			if key != "shape" || !ok {
				m.follow(value, out)
				continue
			}
			if _, done := out.Shapes[name]; !done {
				shape, _ := withoutProse(m.Shapes[name]).(map[string]any)
				out.Shapes[name] = shape
				m.follow(shape, out)
			}
		}
	}
}

// withoutProse copies a part of the model without its documentation. The key is prose only
// where its value is text: a member may be called so too.
func withoutProse(part any) any {
	switch part := part.(type) {
	case []any:
		out := make([]any, len(part))
		for i, item := range part {
			out[i] = withoutProse(item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, value := range part {
			if _, text := value.(string); key == "documentation" && text {
				continue
			}
			out[key] = withoutProse(value)
		}
		return out
	}
	return part
}
