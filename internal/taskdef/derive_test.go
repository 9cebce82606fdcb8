package taskdef

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

const pinned = "111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

func derive(t *testing.T, base *Document, images map[string]string) Derived {
	t.Helper()
	derived, err := Derive(base, images)
	if err != nil {
		t.Fatal(err)
	}
	return derived
}

// The golden file also pins the hash: it is in the tags of people's task
// definitions, and a change that moves it needs a new hashVersion.
func TestTheRequestForARealBackend(t *testing.T) {
	derived := derive(t, backend(t), map[string]string{"backend": pinned})
	var got bytes.Buffer
	if err := json.Indent(&got, derived.Request, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	const golden = "testdata/backend.register.json"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if derived.Family != "helium-backend" || derived.Base != "helium-backend:41" {
		t.Errorf("derived %s from %s", derived.Family, derived.Base)
	}
}

func TestNothingButImagesAndTagsChanges(t *testing.T) {
	base := backend(t)
	derived := derive(t, base, map[string]string{"backend": pinned})
	got := differences(t, rawDefinition(t, base), derived.Request)
	want := []string{
		"compatibilities removed", "registeredAt removed", "registeredBy removed", "requiresAttributes removed",
		"revision removed", "status removed", "taskDefinitionArn removed",
		"containerDefinitions[0].image changed", "tags added",
	}
	if diff := cmp.Diff(sorted(want), got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

func TestEveryByteThatIsNotOursComesBack(t *testing.T) {
	derived := derive(t, backend(t), map[string]string{"backend": pinned})
	for _, text := range []string{
		`"futureMember":{"empty":"","none":null,"list":[],"object":{},"float":1.0,"big":9007199254740993,"no":false}`,
		`"futureTask":{"numbers":[1e3,1.0,9007199254740993,-0.10]}`,
		`{"name":"FEATURE_FLAGS","value":""}`,
		`"value":"caf\u00e9 \ud83c\udf88 \u2028 </script>"`,
		`"--banner=<Helium & friends>"`,
		`"futureSecret":1e3`,
		`"entryPoint":[]`,
		`"maxSwap":0`,
		`{"name":"scratch","host":{}}`,
	} {
		if !bytes.Contains(derived.Request, []byte(text)) {
			t.Errorf("the request lacks %s", text)
		}
	}
}

func TestOnlyTheChosenContainersGetTheirImages(t *testing.T) {
	base := parse(t, []byte(described(`"containerDefinitions":[{"name":"a","image":"x:1"},{"name":"b"},{"name":"c","image":"x:1"}]`)))
	derived := derive(t, base, map[string]string{"b": "x:2", "c": "y:<&>3"})
	const want = `"containerDefinitions":[{"name":"a","image":"x:1"},{"name":"b","image":"x:2"},{"name":"c","image":"y:<&>3"}]`
	if !bytes.Contains(derived.Request, []byte(want)) {
		t.Errorf("request = %s", derived.Request)
	}
}

func TestNoImagesRegisterTheContentAgain(t *testing.T) {
	base := backend(t)
	if derived := derive(t, base, nil); derived.Hash != base.ContentHash() {
		t.Errorf("hash = %s, want the base's %s", derived.Hash, base.ContentHash())
	}
}

func TestDeriveRefuses(t *testing.T) {
	base := backend(t)
	_, err := Derive(base, map[string]string{"web": pinned, "backend": pinned, "app": pinned})
	var unknown *UnknownContainerError
	if !errors.As(err, &unknown) {
		t.Fatalf("error = %v, want an UnknownContainerError", err)
	}
	if want := "task definition helium-backend:41 has no container app, web; it has backend, log-router"; err.Error() != want {
		t.Errorf("message = %q, want %q", err, want)
	}
	_, err = Derive(base, map[string]string{"backend": ""})
	if want := `deriving from helium-backend:41: container backend would run the image "", wanted a repository with tag or digest`; err == nil || err.Error() != want {
		t.Errorf("message = %v, want %q", err, want)
	}
}

func tagged(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf(`{"key":"k%d","value":"v"}`, i)
	}
	return `{"tags":[{"key":"AWS:reserved","value":"x"},` + strings.Join(tags, ",") + `],` + described("")[1:]
}

func TestTagsStayWithinWhatAWSAllows(t *testing.T) {
	derived := derive(t, parse(t, []byte(tagged(48))), nil)
	if bytes.Contains(derived.Request, []byte("AWS:reserved")) {
		t.Error("a reserved tag is sent")
	}
	_, err := Derive(parse(t, []byte(tagged(49))), nil)
	if want := "deriving from web:7: it has 49 tags and would get 2 more, AWS allows 50"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %q", err, want)
	}
}

func TestAFamilyTooLongForATagIsLeftOutOfTheBase(t *testing.T) {
	family := strings.Repeat("f", 255)
	raw := strings.Replace(described(""), `"family":"web"`, `"family":"`+family+`"`, 1)
	derived := derive(t, parse(t, []byte(raw)), nil)
	if !bytes.Contains(derived.Request, []byte(`{"key":"`+TagBase+`","value":"7"}`)) {
		t.Errorf("request = %s", derived.Request)
	}
	if got := parse(t, describe(t, derived.Request, 8, nil)).OursBase(); got != family+":7" {
		t.Errorf("OursBase() = %q", got)
	}
}

func TestTagsWithinTheDefinitionAreSentOnce(t *testing.T) {
	base := parse(t, []byte(described(`"tags":[{"key":"team","value":"a"}]`)))
	request := string(derive(t, base, nil).Request)
	if strings.Count(request, `"tags":`) != 1 || !strings.Contains(request, `{"key":"team","value":"a"}`) {
		t.Errorf("request = %s", request)
	}
}
