package simulation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// registeredOnce: no content is registered while an ACTIVE equal revision of ours exists in that
// account, region and family.
func (w *world) registeredOnce(l *ledger, m mutation) {
	for i, r := range l.families[familyKey{m.account, m.region, m.request.Family}] {
		if r.ours && r.active && r.hash == m.hash {
			w.story.violate("no content is registered twice", "%s was registered again in %s: %s:%d has hash %s and is ACTIVE",
				m.request.Family, m.region, m.request.Family, i+1, m.hash)
		}
	}
}

// outputOnly are the members of a described task definition that can't be registered.
var outputOnly = []string{
	"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
	"registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
}

// onlyTheImageDiffers: what we register equals its base but for images and our two tags.
func (w *world) onlyTheImageDiffers(m mutation) {
	var sent map[string]any
	if err := unmarshal(m.document, &sent); err != nil {
		w.story.violate("a revision differs from its base in images only", "the registration of %s can't be read: %v", m.request.Family, err)
		return
	}
	base := ""
	for _, tag := range m.request.Tags {
		if tag.Key == baseTag {
			base = tag.Value
		}
	}
	described, err := w.describe(m.account, m.region, base)
	if err != nil {
		w.story.violate("a revision differs from its base in images only", "base %q of a registration of %s can't be read: %v", base, m.request.Family, err)
		return
	}
	want, _ := described["taskDefinition"].(map[string]any)
	for _, member := range outputOnly {
		delete(want, member)
	}
	tags := []any{}
	for _, tag := range list(described["tags"]) {
		if key := member(tag, "key"); key != hashTag && key != baseTag {
			tags = append(tags, tag)
		}
	}
	if len(list(sent["tags"])) != len(tags)+2 || !reflect.DeepEqual(append([]any{}, without(list(sent["tags"]), hashTag, baseTag)...), tags) {
		w.story.violate("a revision differs from its base in images only", "the tags of %s became %v, wanted %v and ours", base, sent["tags"], tags)
	}
	delete(sent, "tags")
	ours, theirs := list(sent["containerDefinitions"]), list(want["containerDefinitions"])
	if len(ours) == len(theirs) {
		for i := range ours {
			if o, ok := ours[i].(map[string]any); ok && member(theirs[i], "name") == "app" {
				o["image"] = member(theirs[i], "image")
			}
		}
	}
	if !reflect.DeepEqual(sent, want) {
		was, _ := json.Marshal(want) //nolint:errchkjson // it came from JSON
		is, _ := json.Marshal(sent)  //nolint:errchkjson // it came from JSON
		w.story.violate("a revision differs from its base in images only", "of %s became %s, wanted %s", base, is, was)
	}
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

func member(value any, name string) string {
	m, _ := value.(map[string]any)
	text, _ := m[name].(string)
	return text
}

func without(tags []any, keys ...string) []any {
	var rest []any
	for _, tag := range tags {
		if key := member(tag, "key"); key != keys[0] && key != keys[1] {
			rest = append(rest, tag)
		}
	}
	return rest
}

// describe reads a revision as AWS sends it, member by member.
func (w *world) describe(account, region, name string) (map[string]any, error) {
	body, err := json.Marshal(map[string]any{"taskDefinition": name, "include": []string{"TAGS"}})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://ecs."+region+".amazonaws.com/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition")
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: account, SecretAccessKey: "awssim"}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "ecs", region, time.Now()); err != nil {
		return nil, err
	}
	response, err := w.aws.HTTPClient().Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("AWS answers %s: %s", response.Status, strings.TrimSpace(text.String()))
	}
	var answer map[string]any
	if err := unmarshal(text.Bytes(), &answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// unmarshal keeps numbers as they are spelled.
func unmarshal(document []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	return decoder.Decode(into)
}
