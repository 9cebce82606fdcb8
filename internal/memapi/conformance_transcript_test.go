package memapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// transcript writes down the calls that go through it and their answers, apart from what differs
// between any two servers: for each uid and resourceVersion it has a name, the first it sees is
// "uid 1"; times are only there or not; managedFields, which memapi has not, it leaves out.
type transcript struct {
	through http.RoundTripper

	mu    sync.Mutex
	text  strings.Builder
	deaf  bool
	names map[string]string
	count map[string]int
}

func newTranscript(through http.RoundTripper) *transcript {
	return &transcript{through: through, names: map[string]string{}, count: map[string]int{}}
}

// RoundTrip implements [http.RoundTripper].
func (s *transcript) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.through.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	call := r.Method + " " + r.URL.Path
	if r.URL.Query().Has("watch") && response.StatusCode == http.StatusOK {
		s.note("watch", call, nil)
		return response, nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	s.note(fmt.Sprint(response.StatusCode), call, body)
	return response, nil
}

// note adds a line and a document to the transcript.
func (s *transcript) note(result, what string, document []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.text, "%s: %s\n", what, result)
	if len(document) == 0 || s.deaf {
		return
	}
	var content map[string]any
	if err := json.Unmarshal(document, &content); err != nil {
		fmt.Fprintf(&s.text, "%s\n", document)
		return
	}
	s.plain(content)
	plain, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		panic(err) // it was JSON before
	}
	s.text.Write(plain)
	s.text.WriteByte('\n')
}

// apart leaves the documents out of what is heard during a call.
func (s *transcript) apart(call func()) {
	set := func(deaf bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deaf = deaf
	}
	set(true)
	defer set(false)
	call()
}

// hide says what to write in place of a text that differs.
func (s *transcript) hide(text, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[text] = name
}

// String is what was heard so far.
func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text.String()
	for hidden, name := range s.names {
		if len(hidden) > 20 || strings.HasPrefix(name, "<") { // a uid, or what was hidden; not a number
			text = strings.ReplaceAll(text, hidden, name)
		}
	}
	return text
}

var versionInWords = regexp.MustCompile(`(?i)(resource ?version[^:"(]*[:(] ?)\d+( \(\d+\))?`)

// plain takes out of a document what differs, in place; mu is held.
func (s *transcript) plain(content map[string]any) {
	if message, ok := content["message"].(string); ok {
		content["message"] = versionInWords.ReplaceAllString(message, "${1}some")
	}
	if details, ok := content["details"].(map[string]any); ok {
		s.name(details, "uid")
		// A server finds several causes in any order.
		if causes, ok := details["causes"].([]any); ok && len(causes) > 1 {
			slices.SortFunc(causes, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			message, _ := content["message"].(string)
			content["message"], _, _ = strings.Cut(message, ": [")
		}
	}
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		return
	}
	items, isList := content["items"].([]any)
	if isList {
		// The list is of a server on which others write too.
		delete(metadata, "resourceVersion")
		for _, item := range items {
			if document, ok := item.(map[string]any); ok {
				s.plain(document)
			}
		}
		return
	}
	delete(metadata, "managedFields")
	s.name(metadata, "uid")
	s.name(metadata, "resourceVersion")
	for _, at := range []string{"creationTimestamp", "deletionTimestamp"} {
		if metadata[at] != nil {
			metadata[at] = "some time"
		}
	}
}

// name puts the name of a value in place of it; mu is held.
func (s *transcript) name(in map[string]any, field string) {
	value, ok := in[field].(string)
	if !ok || value == "" {
		return
	}
	key := value
	if field == "resourceVersion" {
		key = "version:" + value
	}
	if s.names[key] == "" {
		s.count[field]++
		s.names[key] = fmt.Sprintf("%s %d", field, s.count[field])
	}
	in[field] = s.names[key]
}

// marked is an object of an event, for the transcript.
func marked(object any) []byte {
	if status, ok := object.(*metav1.Status); ok {
		status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	}
	document, err := json.Marshal(object)
	if err != nil {
		panic(err) // it came as JSON
	}
	return document
}
