package taskdef

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func backend(t *testing.T) *Document {
	t.Helper()
	raw, err := os.ReadFile("testdata/backend.describe.json")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw)
}

func parse(t interface {
	Helper()
	Fatal(...any)
}, raw []byte,
) *Document {
	t.Helper()
	d, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// described is a small answer of DescribeTaskDefinition with these members in
// the task definition, beside those that it can't do without.
func described(members string) string {
	if !strings.Contains(members, `"containerDefinitions"`) {
		members += `,"containerDefinitions":[{"name":"app","image":"app:v1"}]`
	}
	return `{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:ap-south-1:111122223333:task-definition/web:7","family":"web","revision":7,` +
		strings.TrimPrefix(members, ",") + `}}`
}

func TestADocumentTellsWhatItIs(t *testing.T) {
	d := backend(t)
	for what, pair := range map[string][2]any{
		"ARN":              {d.ARN(), "arn:aws:ecs:ap-south-1:111122223333:task-definition/helium-backend:41"},
		"Family":           {d.Family(), "helium-backend"},
		"Revision":         {d.Revision(), 41},
		"Name":             {d.Name(), "helium-backend:41"},
		"Status":           {d.Status(), "ACTIVE"},
		"RegisteredBy":     {d.RegisteredBy(), "arn:aws:sts::111122223333:assumed-role/terraform/apply"},
		"Architecture":     {d.Architecture(), ArchitectureARM},
		"TaskRoleARN":      {d.TaskRoleARN(), "arn:aws:iam::111122223333:role/helium-backend-task"},
		"ExecutionRoleARN": {d.ExecutionRoleARN(), "arn:aws:iam::111122223333:role/helium-backend-execution"},
		"OursBase":         {d.OursBase(), "helium-backend:39"},
		"Containers": {d.Containers(), []Container{
			{Name: "backend", Image: "111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium-backend:v127", Essential: true},
			{Name: "log-router", Image: "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"},
		}},
		"Tags": {d.Tags(), []Tag{
			{"team", "platform"},
			{"aws:cloudformation:stack-name", "helium"},
			{"note", ""},
			{TagHash, "v1-0000000000000000000000000000000000000000000000000000000000000000"},
			{TagBase, "helium-backend:39"},
		}},
	} {
		if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func TestWhatIsAbsentHasItsDocumentedMeaning(t *testing.T) {
	d := parse(t, []byte(described(`"runtimePlatform":{"operatingSystemFamily":"LINUX"}`)))
	if d.Architecture() != ArchitectureX86 {
		t.Errorf("Architecture() = %q, want %q", d.Architecture(), ArchitectureX86)
	}
	if !d.Containers()[0].Essential {
		t.Error("a container without essential is not essential")
	}
	if hash, ours := d.OursHash(); hash != "" || ours || d.OursBase() != "" {
		t.Errorf("without tags it is ours: %q, %v, %q", hash, ours, d.OursBase())
	}
	if d.TaskRoleARN()+d.ExecutionRoleARN()+d.Status()+d.RegisteredBy() != "" || d.Tags() != nil {
		t.Error("absent members are not empty")
	}
}

func TestATagThatWasCopiedToAnEditedRevisionIsNotOurs(t *testing.T) {
	d := backend(t)
	if hash, ours := d.OursHash(); hash == "" || ours {
		t.Errorf("OursHash() = %q, %v: the tag's hash is not that of the content", hash, ours)
	}
	claim := func(hash string) *Document {
		raw := described(`"cpu":"256"`)
		return parse(t, []byte(strings.TrimSuffix(raw, "}")+`,"tags":[{"key":"`+TagHash+`","value":"`+hash+`"}]}`))
	}
	right := claim("").ContentHash()
	for hash, want := range map[string]bool{right: true, hashVersion + "00": false, "v0-1234": true, "": false} {
		if _, ours := claim(hash).OursHash(); ours != want {
			t.Errorf("a revision that claims %q is ours: %v, want %v", hash, ours, want)
		}
	}
}

func TestParseRefusesWhatItCouldNotGiveBack(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"nothing":               {``, "unexpected end of JSON input"},
		"no object":             {`[]`, "the answer has no object taskDefinition"},
		"another answer":        {`{"services":[]}`, "the answer has no object taskDefinition"},
		"a null":                {`{"taskDefinition":null}`, "the answer has no object taskDefinition"},
		"a half":                {`{"taskDefinition":{`, "unexpected end of JSON input"},
		"more than one":         {described("") + `{}`, "invalid character '{' after top-level value"},
		"an empty one":          {`{"taskDefinition":{}}`, "taskDefinitionArn is missing\nfamily is missing\nrevision is not a positive number\ncontainerDefinitions is not a list of containers"},
		"a revision in words":   {strings.Replace(described(""), `:7,`, `:"7",`, 1), "revision is not a positive number"},
		"a fraction":            {strings.Replace(described(""), `:7,`, `:7.5,`, 1), "revision is not a positive number"},
		"a family of numbers":   {strings.Replace(described(""), `"web",`, `12,`, 1), "family is a number, wanted a string"},
		"no container":          {described(`"containerDefinitions":[]`), "containerDefinitions is not a list of containers"},
		"a container in words":  {described(`"containerDefinitions":["app"]`), "containerDefinitions[0]: it is a string, wanted an object"},
		"no name":               {described(`"containerDefinitions":[{"image":"a:b"}]`), "containerDefinitions[0]: name is missing"},
		"an image list":         {described(`"containerDefinitions":[{"name":"a","image":[]}]`), "containerDefinitions[0]: image is a list, wanted a string"},
		"one name twice":        {described(`"containerDefinitions":[{"name":"a"},{"name":"a"}]`), `two containers have the name "a"`},
		"one member twice":      {described(`"cpu":"1","cpu":"2"`), "member taskDefinition.cpu appears twice"},
		"twice in disguise":     {described(`"containerDefinitions":[{"name":"a","c\u0070u":1,"cpu":2}]`), "member taskDefinition.containerDefinitions[0].cpu appears twice"},
		"half a surrogate":      {described(`"x":"\ud800"`), "it has a string that is not Unicode"},
		"bytes that aren't":     {described("\"x\":\"\xff\""), "it is not valid UTF-8"},
		"too deep":              {described(`"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200)), "it is nested more than 100 levels deep"},
		"too large":             {strings.Repeat(" ", MaxSize+1), "it has 1048577 bytes, at most 1048576 are read"},
		"tags as an object":     {`{"tags":{},` + described("")[1:], "tags is an object, wanted a list"},
		"a tag in words":        {`{"tags":["a"],` + described("")[1:], "tags[0] is a string, wanted an object"},
		"a tag without key":     {`{"tags":[{"value":"a"}],` + described("")[1:], "tags[0]: key is missing"},
		"a tag without a value": {`{"tags":[{"key":"a","value":1}],` + described("")[1:], "tags[0]: value is a number, wanted a string"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(c.raw))
			if err == nil || d != nil {
				t.Fatalf("Parse = %v, %v, want an error", d, err)
			}
			if diff := cmp.Diff("reading a task definition: "+c.want, err.Error()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsDoNotQuoteSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, raw := range []string{
		described(`"x":"` + secret + `\ud800"`),
		described(`"x":"` + secret + "\xff\""),
		described(`"x":"` + secret + `" "`),
		described(`"containerDefinitions":["` + secret + `"]`),
		described(`"containerDefinitions":[{"name":"a","environment":[{"name":"P","value":"` + secret + `","name":"P"}]}]`),
	} {
		if _, err := Parse([]byte(raw)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("Parse(%s): %v", raw, err)
		}
	}
}
