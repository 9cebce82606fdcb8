package awssim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The service models, and the check of one value against one of their shapes.

type serviceModel struct {
	Metadata   struct{ Protocol string }
	Operations map[string]operationModel
	Shapes     map[string]shapeModel
}

type operationModel struct {
	Input, Output *shapeRef
	Errors        []shapeRef
	HTTP          struct{ Method, RequestURI string } // of the REST protocol
}

type shapeRef struct {
	Shape         string
	ResultWrapper string
	LocationName  string
	Location      string // of members: "uri", "querystring", "header" or in the document
}

type shapeModel struct {
	Type       string
	Members    map[string]shapeRef
	Required   []string
	Enum       []string
	Format     string // a regular expression, of texts in events
	Member     *shapeRef
	Key, Value *shapeRef
	Min, Max   *float64
	Exception  bool
	Error      struct{ Code string }
}

func loadModels() (map[string]*serviceModel, error) {
	models := map[string]*serviceModel{}
	for _, service := range []string{"acm", "cloudwatch", "ecr", "ecs", "elbv2", "events", "globalaccelerator", "route53", "sqs", "sts"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "botocore", service+".json"))
		if err != nil {
			return nil, err
		}
		m := new(serviceModel)
		if err := json.Unmarshal(raw, m); err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
		models[service] = m
	}
	return models, nil
}

// modelOf is what botocore, and so the command line, calls a service.
func modelOf(service string) string {
	if service == "elasticloadbalancing" {
		return "elbv2"
	}
	return service
}

// futureMembers are members that no model knows and that still go round: a task definition
// keeps what was registered with it, so that clients older than AWS can be tested. Members of
// the answer in a registration are ignored.
var futureMembers = map[string][]string{
	"RegisterTaskDefinitionRequest": {"futureMember", "taskDefinitionArn", "revision", "status"},
	"TaskDefinition":                {"futureMember"},
	"ContainerDefinition":           {"newKnob"},
	"PortMapping":                   {"later"},
}

// unsentMembers are members that the model requires and AWS leaves out.
var unsentMembers = map[string]string{
	"ListHostedZonesResponse": "Marker", // of a request that has none
}

// documentedValues are values that the service's pages list and its model does not.
var documentedValues = map[string][]string{
	"ServiceDeploymentLifecycleStage": {"PRE_PRODUCTION_TRAFFIC_SHIFT"},
	"KeyAlgorithm":                    {"RSA-2048", "EC-prime256v1", "EC-secp384r1"}, // of answers
}

// shapeCheck walks a value beside its shape and collects what does not fit.
type shapeCheck struct {
	model    *serviceModel
	request  bool // limits of length and range count too
	xml      bool // scalars are text
	problems []string
}

func (c *shapeCheck) problem(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

func (c *shapeCheck) value(path, shape string, value any) {
	s, ok := c.model.Shapes[shape]
	if !ok {
		c.problem(path, "shape %s is not in the model", shape)
		return
	}
	switch s.Type {
	case "structure":
		c.structure(path, shape, s, value)
	case "list":
		items, ok := value.([]any)
		if !ok && !(c.xml && value == "") { // the query protocol's list without members
			c.problem(path, "%s instead of a list", kindOf(value))
			return
		}
		c.limits(path, s, float64(len(items)))
		for i, item := range items {
			c.value(fmt.Sprintf("%s[%d]", path, i), s.Member.Shape, item)
		}
	case "map":
		entries, ok := value.(map[string]any)
		if !ok {
			c.problem(path, "%s instead of a map", kindOf(value))
			return
		}
		for key, item := range entries {
			c.value(path+"."+key, s.Key.Shape, key)
			c.value(path+"."+key, s.Value.Shape, item)
		}
	default:
		if s.Enum != nil {
			s.Enum = slices.Concat(s.Enum, documentedValues[shape])
		}
		c.scalar(path, s, value)
	}
}

func (c *shapeCheck) structure(path, shape string, s shapeModel, value any) {
	members, ok := value.(map[string]any)
	if !ok {
		c.problem(path, "%s instead of a structure", kindOf(value))
		return
	}
	for _, name := range s.Required {
		if _, ok := members[name]; !ok && (c.request || unsentMembers[shape] != name) {
			c.problem(path, "required member %s of %s is missing", name, shape)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		member, known := s.Members[name]
		switch {
		case known:
			c.value(path+"."+name, member.Shape, members[name])
		case !slices.Contains(futureMembers[shape], name):
			c.problem(path, "%s has no member %s", shape, name)
		}
	}
}

func (c *shapeCheck) scalar(path string, s shapeModel, value any) {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	if c.xml && isText {
		number, isNumber = json.Number(text), true
	}
	switch s.Type {
	case "string":
		if !isText {
			c.problem(path, "%s instead of a string", kindOf(value))
			return
		}
		if s.Enum != nil && !slices.Contains(s.Enum, text) {
			c.problem(path, "%q is none of %v", text, s.Enum)
		}
		if s.Format != "" && !regexp.MustCompile(s.Format).MatchString(text) {
			c.problem(path, "%q is not of the form %s", text, s.Format)
		}
		c.limits(path, s, float64(len(text)))
	case "integer", "long":
		n, err := strconv.ParseInt(number.String(), 10, 64)
		if !isNumber || err != nil {
			c.problem(path, "%s %v instead of an integer", kindOf(value), value)
			return
		}
		c.limits(path, s, float64(n))
	case "double", "float":
		if _, err := number.Float64(); !isNumber || err != nil {
			c.problem(path, "%s instead of a number", kindOf(value))
		}
	case "boolean":
		if _, ok := value.(bool); !ok && !(c.xml && (text == "true" || text == "false")) {
			c.problem(path, "%s instead of a boolean", kindOf(value))
		}
	case "timestamp":
		c.timestamp(path, value)
	case "blob":
		if _, err := base64.StdEncoding.DecodeString(text); !isText || err != nil {
			c.problem(path, "%s instead of base64", kindOf(value))
		}
	default:
		c.problem(path, "the check does not know type %s", s.Type)
	}
}

// timestamp: seconds since 1970 in JSON (a synctest bubble starts in the year 2000), ISO 8601 in XML.
func (c *shapeCheck) timestamp(path string, value any) {
	if c.xml {
		text, _ := value.(string)
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			c.problem(path, "%q is no ISO 8601 timestamp", text)
		}
		return
	}
	number, ok := value.(json.Number)
	if seconds, err := number.Float64(); !ok || err != nil || seconds < 9e8 || seconds > 1e10 {
		c.problem(path, "%s %v instead of seconds since 1970", kindOf(value), value)
	}
}

func (c *shapeCheck) limits(path string, s shapeModel, n float64) {
	if c.request && (s.Min != nil && n < *s.Min || s.Max != nil && n > *s.Max) {
		c.problem(path, "length or value %v is out of bounds", n)
	}
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	}
	return "a structure"
}

func TestEveryOperationIsInTheModelsAndNoOther(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "botocore", "operations.json"))
	if err != nil {
		t.Fatal(err)
	}
	var listed map[string][]string
	if err := json.Unmarshal(raw, &listed); err != nil {
		t.Fatal(err)
	}
	models, err := loadModels()
	if err != nil {
		t.Fatal(err)
	}
	for service, table := range New(Options{}).tables {
		service = modelOf(service)
		names := slices.Sorted(maps.Keys(table))
		if !slices.Equal(names, listed[service]) {
			t.Errorf("operations.json of testdata/botocore has for %s\n%v\nthe simulator has\n%v\nchange it and run hack/botocore-shapes", service, listed[service], names)
		}
		if modelled := slices.Sorted(maps.Keys(models[service].Operations)); !slices.Equal(modelled, names) {
			t.Errorf("testdata/botocore/%s.json has %v, the simulator %v: run hack/botocore-shapes", service, modelled, names)
		}
	}
}

func TestTheShapeCheckSeesWhatDoesNotFit(t *testing.T) {
	models, err := loadModels()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		service, shape, document string
		request                  bool
		want                     string // part of the only problem; "" for none
	}{
		"a fitting answer":              {"ecr", "DescribeImageReplicationStatusResponse", `{"repositoryName":"app","replicationStatuses":[{"status":"COMPLETE"}]}`, false, ""},
		"an unknown member":             {"ecr", "DescribeImageReplicationStatusResponse", `{"repository":"app"}`, false, "has no member repository"},
		"a member in the wrong case":    {"ecr", "Repository", `{"RepositoryName":"app"}`, false, "has no member RepositoryName"},
		"a wrong type":                  {"ecr", "Repository", `{"repositoryName":7}`, false, "a number instead of a string"},
		"a null":                        {"ecr", "Repository", `{"repositoryName":null}`, false, "null instead of a string"},
		"a value outside of the enum":   {"ecr", "Repository", `{"imageTagMutability":"SOFT"}`, false, `"SOFT" is none of`},
		"a documented value":            {"ecs", "ServiceDeployment", `{"lifecycleStage":"PRE_PRODUCTION_TRAFFIC_SHIFT"}`, false, ""},
		"an undocumented one":           {"ecs", "ServiceDeployment", `{"lifecycleStage":"PRE_CLEAN_UP"}`, false, "is none of"},
		"a timestamp as text":           {"ecr", "Repository", `{"createdAt":"2026-01-01T00:00:00Z"}`, false, "instead of seconds since 1970"},
		"a fraction for an integer":     {"ecr", "ImageDetail", `{"imageSizeInBytes":1.5}`, false, "instead of an integer"},
		"a missing required member":     {"ecr", "Tag", `{"Key":"team"}`, false, "required member Value of Tag is missing"},
		"a request beyond its bounds":   {"ecr", "DescribeRepositoriesRequest", `{"maxResults":5000}`, true, "out of bounds"},
		"a request with a list for map": {"ecr", "PutImageRequest", `[]`, true, "a list instead of a structure"},
		"a member of the future":        {"ecs", "TaskDefinition", `{"family":"web","futureMember":{}}`, false, ""},
		"an unknown member beside it":   {"ecs", "TaskDefinition", `{"family":"web","futureMembers":{}}`, false, "has no member futureMembers"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			decoder := json.NewDecoder(strings.NewReader(c.document))
			decoder.UseNumber()
			var value any
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			check := &shapeCheck{model: models[c.service], request: c.request}
			check.value("$", c.shape, value)
			switch {
			case c.want == "" && len(check.problems) > 0,
				c.want != "" && (len(check.problems) != 1 || !strings.Contains(check.problems[0], c.want)):
				t.Errorf("problems %q, want one with %q", check.problems, c.want)
			}
		})
	}
}
