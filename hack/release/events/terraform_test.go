// Package events_test holds config/events/terraform against the template of CloudFormation beside it: who
// sets events up either way gets the same.
package events_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"sigs.k8s.io/yaml"
)

const directory = "../../../config/events/"

// The ARNs that both are resolved with.
const queueARN, ruleARN = "arn:aws:sqs:ap-south-1:111122223333:ecsrelease-events", "arn:aws:events:ap-south-1:111122223333:rule/ecsrelease-events"

func TestTerraformSetsUpWhatCloudFormationDoes(t *testing.T) {
	module := evaluated(t)
	content, err := os.ReadFile(directory + "cloudformation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var stack struct {
		Resources map[string]struct{ Properties map[string]any }
	}
	resolved := strings.NewReplacer("!GetAtt Queue.Arn", queueARN, "!GetAtt Rule.Arn", ruleARN).Replace(string(content))
	if err := yaml.Unmarshal([]byte(resolved), &stack); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		terraform      string
		cloudFormation any
	}{
		"the pattern of the rule": {module["aws_cloudwatch_event_rule.events.event_pattern"], stack.Resources["Rule"].Properties["EventPattern"]},
		"the policy of the queue": {module["aws_sqs_queue_policy.events.policy"], stack.Resources["QueuePolicy"].Properties["PolicyDocument"]},
		"the target":              {`"` + module["aws_cloudwatch_event_target.queue.arn"] + `"`, queueARN},
		"how long a message stays": {
			module["aws_sqs_queue.events.message_retention_seconds"], stack.Resources["Queue"].Properties["MessageRetentionPeriod"],
		},
		"encryption": {module["aws_sqs_queue.events.sqs_managed_sse_enabled"], stack.Resources["Queue"].Properties["SqsManagedSseEnabled"]},
	} {
		t.Run(name, func(t *testing.T) {
			var got any
			if err := json.Unmarshal([]byte(c.terraform), &got); err != nil {
				t.Fatalf("%q: %v", c.terraform, err)
			}
			if diff := cmp.Diff(c.cloudFormation, got); diff != "" {
				t.Errorf("-CloudFormation +Terraform:\n%s", diff)
			}
		})
	}
}

// evaluated are the attributes of the module's resources, by type.name.attribute, as text.
func evaluated(t *testing.T) map[string]string {
	t.Helper()
	source, err := os.ReadFile(directory + "terraform/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	file, problems := hclsyntax.ParseConfig(source, "main.tf", hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	context := &hcl.EvalContext{
		Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc},
		Variables: map[string]cty.Value{
			"var":           cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("ecsrelease-events")}),
			"aws_sqs_queue": cty.ObjectVal(map[string]cty.Value{"events": cty.ObjectVal(map[string]cty.Value{"arn": cty.StringVal(queueARN), "id": cty.StringVal("url"), "url": cty.StringVal("url")})}),
			"aws_cloudwatch_event_rule": cty.ObjectVal(map[string]cty.Value{
				"events": cty.ObjectVal(map[string]cty.Value{"arn": cty.StringVal(ruleARN), "name": cty.StringVal("ecsrelease-events")}),
			}),
		},
	}
	values := map[string]string{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if block.Type != "resource" {
			continue
		}
		for name, attribute := range block.Body.Attributes {
			value, problems := attribute.Expr.Value(context)
			if problems.HasErrors() {
				t.Fatalf("%s of %v: %v", name, block.Labels, problems)
			}
			text, err := stdlib.JSONEncodeFunc.Call([]cty.Value{value})
			if err != nil {
				t.Fatal(err)
			}
			said := text.AsString()
			if value.Type() == cty.String {
				said = value.AsString()
			}
			values[strings.Join(block.Labels, ".")+"."+name] = said
		}
	}
	return values
}
