package taskdef

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answer is what ECS says of revision 7 of a family with these members, and tags.
func answer(t *testing.T, members, tags string) *Document {
	t.Helper()
	document, err := Parse([]byte(`{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:ap-south-1:111122223333:task-definition/app:7",` +
		`"family":"app","revision":7,"status":"ACTIVE",` + members + `},"tags":[` + tags + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// told are changes, a line each.
func told(t *testing.T, from *Document, to Derived) []string {
	t.Helper()
	changes, err := Changes(from, to)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("%s: %s -> %s", c.Path, c.Before, c.After))
	}
	return lines
}

func TestAReleaseChangesImagesAndOurTags(t *testing.T) {
	from := answer(t, `"containerDefinitions":[{"name":"proxy","image":"proxy:1"},{"name":"app","image":"app:1","environment":[{"name":"PASSWORD","value":"canary-1"}]}]`,
		`{"key":"team","value":"canary-2"},{"key":"AWS:cloudformation:stack","value":"canary-3"}`)
	derived := derive(t, from, map[string]string{"app": "app:2"})
	want := []string{
		"containerDefinitions[app].image: app:1 -> app:2",
		"tags[ecs.heliumai.space/hash].key:  -> ecs.heliumai.space/hash",
		"tags[ecs.heliumai.space/hash].value:  -> " + derived.Hash,
		"tags[ecs.heliumai.space/base].key:  -> ecs.heliumai.space/base",
		"tags[ecs.heliumai.space/base].value:  -> app:7",
	}
	if diff := cmp.Diff(want, told(t, from, derived)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestWhatIsRegisteredOnceMoreChangesNothingButTheTags(t *testing.T) {
	for _, line := range told(t, backend(t), derive(t, backend(t), nil)) {
		if !strings.HasPrefix(line, "tags[ecs.heliumai.space/") {
			t.Errorf("nothing was to change, and it says %s", line)
		}
	}
}

// With a base from elsewhere anything may differ. That it does is told, and no value that may be secret:
// nor of a member that AWS adds one day.
func TestNoValueThatMayBeSecretIsTold(t *testing.T) {
	definition := func(n, secret string) string {
		return fmt.Sprintf(`"cpu":"%[1]s","memory":"512","pleaseKeep":{"some":"%[2]s","number":%[1]s},"containerDefinitions":[{"name":"app","image":"app:%[1]s","essential":true,
			"cpu":%[1]s,"command":["--password","%[2]s"],"entryPoint":["%[2]s"],"dockerLabels":{"l":"%[2]s"},
			"environment":[{"name":"PASSWORD","value":"%[2]s"},{"name":"SAME","value":"canary-same"},{"name":"ONLY%[1]s","value":"%[2]s"}],
			"environmentFiles":[{"type":"s3","value":"%[2]s"}],
			"secrets":[{"name":"KEY","valueFrom":"%[2]s"}],"healthCheck":{"command":["CMD","%[2]s"],"interval":%[1]s},
			"logConfiguration":{"logDriver":"splunk","options":{"splunk-token":"%[2]s"},"secretOptions":[{"name":"o","valueFrom":"%[2]s"}]},
			"repositoryCredentials":{"credentialsParameter":"%[2]s"},"firelensConfiguration":{"type":"fluentbit","options":{"o":"%[2]s"}}}],
			"volumes":[{"name":"data","dockerVolumeConfiguration":{"driverOpts":{"password":"%[2]s"}}}],
			"proxyConfiguration":{"properties":[{"name":"p","value":"%[2]s"}]}`, n, secret)
	}
	from := answer(t, definition("1", "canary-before"), `{"key":"t","value":"canary-before"}`)
	base := answer(t, definition("2", "canary-after"), `{"key":"t","value":"canary-after"}`)
	lines := told(t, from, derive(t, base, map[string]string{"app": "app:3"}))
	said := strings.Join(lines, "\n")
	if strings.Contains(said, "canary") {
		t.Errorf("a value is told:\n%s", said)
	}
	for _, want := range []string{
		"cpu: 1 -> 2", "containerDefinitions[app].cpu: 1 -> 2", "containerDefinitions[app].image: app:1 -> app:3",
		"containerDefinitions[app].command[1]: (hidden) -> (hidden, another)",
		"containerDefinitions[app].environment[PASSWORD].value: (hidden) -> (hidden, another)",
		"containerDefinitions[app].environment[ONLY1].name: ONLY1 -> ", "containerDefinitions[app].environment[ONLY1].value: (hidden) -> ",
		"containerDefinitions[app].environment[ONLY2].name:  -> ONLY2", "containerDefinitions[app].environment[ONLY2].value:  -> (hidden)",
		"containerDefinitions[app].secrets[KEY].valueFrom: (hidden) -> (hidden, another)",
		"pleaseKeep.some: (hidden) -> (hidden, another)", "pleaseKeep.number: 1 -> 2",
		"volumes[data].dockerVolumeConfiguration.driverOpts.password: (hidden) -> (hidden, another)",
		"tags[t].value: (hidden) -> (hidden, another)",
	} {
		if !strings.Contains("\n"+said+"\n", "\n"+want+"\n") {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "SAME") {
		t.Errorf("it tells of what is the same:\n%s", said)
	}
}

func TestWhatIsThereTwiceIsComparedTwice(t *testing.T) {
	from := answer(t, `"containerDefinitions":[{"name":"app","image":"app:1","environment":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}]`, "")
	base := answer(t, `"containerDefinitions":[{"name":"app","image":"app:1","environment":[{"name":"A","value":"1"},{"name":"A","value":"3"}]}]`, "")
	lines := told(t, from, derive(t, base, nil))
	if len(lines) == 0 || lines[0] != "containerDefinitions[app].environment[A 1].value: (hidden) -> (hidden, another)" {
		t.Errorf("changes are %q", lines)
	}
}

func TestChangesAreReadFromARequestOnly(t *testing.T) {
	if _, err := Changes(backend(t), Derived{Request: json.RawMessage("{")}); err == nil || !strings.Contains(err.Error(), "helium-backend:41") {
		t.Errorf("half a request gives %v", err)
	}
}
