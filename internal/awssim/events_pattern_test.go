package awssim

import (
	"encoding/json"
	"strings"
	"testing"
)

const patternedEvent = `{
	"source": "aws.ecs", "detail-type": "ECS Task State Change", "region": "ap-south-1", "account": "111122223333",
	"resources": ["arn:aws:ecs:ap-south-1:111122223333:service/live/backend", "arn:aws:ecs:ap-south-1:111122223333:task/live/1"],
	"detail": {
		"group": "service:Backend", "count": 300, "essential": true, "reason": null, "empty": [], "path": "a*b",
		"containers": [{"name": "app", "status": "STOPPED"}, {"name": "proxy", "status": "RUNNING"}]
	}
}`

func TestPatternsMatchAsEventBridgeDoes(t *testing.T) {
	var event map[string]any
	decoder := json.NewDecoder(strings.NewReader(patternedEvent))
	decoder.UseNumber()
	if err := decoder.Decode(&event); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pattern string
		want    bool
	}{
		"a value":                        {`{"source": ["aws.ecs"]}`, true},
		"one of two values":              {`{"source": ["aws.ecr", "aws.ecs"]}`, true},
		"another value":                  {`{"source": ["aws.ecr"]}`, false},
		"a value in another case":        {`{"source": ["AWS.ECS"]}`, false},
		"every field has to match":       {`{"source": ["aws.ecs"], "account": ["444455556666"]}`, false},
		"a field that is not there":      {`{"version": ["0"]}`, false},
		"an element of an array":         {`{"resources": ["arn:aws:ecs:ap-south-1:111122223333:task/live/1"]}`, true},
		"a nested value":                 {`{"detail": {"group": ["service:Backend"]}}`, true},
		"a number":                       {`{"detail": {"count": [300]}}`, true},
		"a number written otherwise":     {`{"detail": {"count": [300.0]}}`, false},
		"a number in quotes":             {`{"detail": {"count": ["300"]}}`, false},
		"a boolean":                      {`{"detail": {"essential": [true]}}`, true},
		"a null":                         {`{"detail": {"reason": [null]}}`, true},
		"no null for what is not there":  {`{"detail": {"absent": [null]}}`, false},
		"a prefix":                       {`{"detail": {"group": [{"prefix": "service:"}]}}`, true},
		"another prefix":                 {`{"detail": {"group": [{"prefix": "family:"}]}}`, false},
		"a prefix in any case":           {`{"detail": {"group": [{"prefix": {"equals-ignore-case": "SERVICE:b"}}]}}`, true},
		"a suffix":                       {`{"resources": [{"suffix": "service/live/backend"}]}`, true},
		"another suffix":                 {`{"resources": [{"suffix": "/live"}]}`, false},
		"any case":                       {`{"detail": {"group": [{"equals-ignore-case": "SERVICE:backend"}]}}`, true},
		"a wildcard":                     {`{"resources": [{"wildcard": "arn:aws:ecs:*:service/live/*"}]}`, true},
		"a wildcard of one character":    {`{"detail": {"group": [{"wildcard": "service:Backen?"}]}}`, false},
		"an escaped star":                {`{"detail": {"path": [{"wildcard": "a\\*b"}]}}`, true},
		"an escaped star elsewhere":      {`{"detail": {"group": [{"wildcard": "service\\*"}]}}`, false},
		"anything but":                   {`{"source": [{"anything-but": "aws.ecr"}]}`, true},
		"anything but this":              {`{"source": [{"anything-but": ["aws.ecr", "aws.ecs"]}]}`, false},
		"anything but a prefix":          {`{"detail": {"group": [{"anything-but": {"prefix": "family:"}}]}}`, true},
		"anything but this prefix":       {`{"detail": {"group": [{"anything-but": {"prefix": ["family:", "service:"]}}]}}`, false},
		"anything but this suffix":       {`{"detail": {"group": [{"anything-but": {"suffix": "Backend"}}]}}`, false},
		"anything but this in any case":  {`{"detail": {"group": [{"anything-but": {"equals-ignore-case": "service:backend"}}]}}`, false},
		"anything but this wildcard":     {`{"detail": {"group": [{"anything-but": {"wildcard": "*:*"}}]}}`, false},
		"anything but, of nothing":       {`{"version": [{"anything-but": "1"}]}`, false},
		"something":                      {`{"detail": {"group": [{"exists": true}]}}`, true},
		"a null is something":            {`{"detail": {"reason": [{"exists": true}]}}`, true},
		"an empty array is nothing":      {`{"detail": {"empty": [{"exists": true}]}}`, false},
		"an object is no leaf":           {`{"detail": [{"exists": true}]}`, false},
		"nothing":                        {`{"detail": {"deep": {"deeper": [{"exists": false}]}}}`, true},
		"not nothing":                    {`{"detail": {"group": [{"exists": false}]}}`, false},
		"one of the array's objects":     {`{"detail": {"containers": {"name": ["app"], "status": ["STOPPED"]}}}`, true},
		"not a bit of each":              {`{"detail": {"containers": {"name": ["app"], "status": ["RUNNING"]}}}`, false},
		"one of two structures":          {`{"$or": [{"source": ["aws.ecr"]}, {"detail": {"count": [300]}}]}`, true},
		"neither of two structures":      {`{"$or": [{"source": ["aws.ecr"]}, {"detail": {"count": [1]}}]}`, false},
		"either, and what is beside it":  {`{"region": ["us-east-1"], "$or": [{"source": ["aws.ecs"]}, {"source": ["aws.ecr"]}]}`, false},
		"either, below":                  {`{"detail": {"$or": [{"count": [1]}, {"group": [{"prefix": "service"}]}]}}`, true},
		"values and operators, together": {`{"source": ["aws.ecr", {"suffix": ".ecs"}]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parseEventPattern(c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.matches(event); got != c.want {
				t.Errorf("%s: %t, want %t", c.pattern, got, c.want)
			}
			if c.want && !p.mayMatch("aws.ecs", "ECS Task State Change") {
				t.Errorf("%s: it matches although a glance says that it can't", c.pattern)
			}
		})
	}
}

func TestPatternsThatAreNoneAreRefused(t *testing.T) {
	for name, pattern := range map[string]string{
		"no JSON":                     `{"source": `,
		"no object":                   `["aws.ecs"]`,
		"two objects":                 `{"source": ["aws.ecs"]} {}`,
		"an empty object":             `{}`,
		"an empty object below":       `{"detail": {}}`,
		"an empty array":              `{"source": []}`,
		"a value without its array":   `{"source": "aws.ecs"}`,
		"an array in an array":        `{"source": [["aws.ecs"]]}`,
		"an operator that is not one": `{"source": [{"like": "aws.ecs"}]}`,
		"one that is not implemented": `{"detail": {"count": [{"numeric": [">", 1]}]}}`,
		"two operators at once":       `{"source": [{"prefix": "aws", "suffix": "ecs"}]}`,
		"no operator":                 `{"source": [{}]}`,
		"exists with a text":          `{"source": [{"exists": "true"}]}`,
		"a prefix of a number":        `{"source": [{"prefix": 1}]}`,
		"a prefix of a wildcard":      `{"source": [{"prefix": {"wildcard": "a*"}}]}`,
		"two stars in a row":          `{"source": [{"wildcard": "a**"}]}`,
		"anything but nothing":        `{"source": [{"anything-but": []}]}`,
		"anything but an array":       `{"source": [{"anything-but": [["a"]]}]}`,
		"anything but what exists":    `{"source": [{"anything-but": {"exists": true}}]}`,
		"a choice of one":             `{"$or": [{"source": ["aws.ecs"]}]}`,
		"a choice of values":          `{"$or": ["a", "b"]}`,
		"a choice of nothing":         `{"$or": [{"source": []}, {"source": ["a"]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseEventPattern(pattern); !isCode(err, "InvalidEventPatternException") {
				t.Errorf("%s: %v", pattern, err)
			}
		})
	}
}
