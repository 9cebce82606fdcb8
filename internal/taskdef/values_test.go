package taskdef

import (
	"strings"
	"testing"
)

func TestTextsLoseTheValuesOfEnvironmentVariables(t *testing.T) {
	d, err := Parse([]byte(`{"taskDefinition": {
		"taskDefinitionArn": "arn:aws:ecs:ap-south-1:111122223333:task-definition/helium-backend:7", "family": "helium-backend", "revision": 7,
		"containerDefinitions": [
			{"name": "backend", "image": "111122223333.dkr.ecr.ap-south-1.amazonaws.com/helium:v1", "environment": [
				{"name": "PASSWORD", "value": "hunter2"}, {"name": "LONGER", "value": "hunter2-and-more"},
				{"name": "REGION", "value": "ap-south-1"}, {"name": "SHORT", "value": "debug"}, {"name": "EMPTY", "value": ""}, {"name": "NONE"}
			]},
			{"name": "sidecar", "image": "nginx", "environment": [{"name": "TOKEN", "value": "tok<en>\n1"}]}
		]
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"login with hunter2 failed":                     "login with … failed",
		"hunter2-and-more is too long, hunter2 is not":  "… is too long, … is not",
		"the token tok<en>\n1 is wrong":                 "the token … is wrong",
		"pulling from ap-south-1 failed at level debug": "pulling from ap-south-1 failed at level debug",
		"Essential container in task exited":            "Essential container in task exited",
		strings.Repeat("hunter2", 3):                    "………",
		"":                                              "",
	} {
		if got := d.WithoutValues(text); got != want {
			t.Errorf("%q became %q, wanted %q", text, got, want)
		}
	}
}
