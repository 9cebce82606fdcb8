package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/lab"
)

// outcome is what came of a world. In worlds in which the same came about it is equal.
type outcome struct {
	// Services are what ECS runs.
	Services map[string]serviceOutcome
	// Revisions are all there are of the services' families, with their images.
	Revisions map[string]string
	// Changes counts what AWS carried out for the managers, by operation and subject.
	Changes map[string]int
	// Conditions are those of the release: type, status, reason and message.
	Conditions []string
	// Remembered is what status keeps of the services.
	Remembered map[string]memoryOutcome
}

type serviceOutcome struct {
	Revision                  string
	Desired, Running, Pending int32
	Deployments               []string // status, revision, rollout state
}

type memoryOutcome struct {
	State                        ecsv1alpha1.ServiceState
	Reason, Message              string
	Revision, Registered, Proven string
	Source                       ecsv1alpha1.RevisionSource
	Intent                       bool
	Deployment                   ecsv1alpha1.DeploymentOutcome
	Failed                       int
}

// outcome takes stock of a world that has come to its end.
func (w *world) outcome(ctx context.Context) (outcome, error) {
	o := outcome{
		Services: map[string]serviceOutcome{}, Revisions: map[string]string{},
		Changes: w.changes(), Remembered: map[string]memoryOutcome{},
	}
	services, err := w.services(ctx)
	if err != nil {
		return o, err
	}
	for _, service := range services {
		seen := serviceOutcome{
			Revision: name(service.TaskDefinition),
			Desired:  service.DesiredCount, Running: service.RunningCount, Pending: service.PendingCount,
		}
		for _, d := range service.Deployments {
			seen.Deployments = append(seen.Deployments, strings.Join([]string{aws.ToString(d.Status), name(d.TaskDefinition), string(d.RolloutState)}, " "))
		}
		o.Services[aws.ToString(service.ServiceName)] = seen
		if err := w.revisions(ctx, prefix+aws.ToString(service.ServiceName), o.Revisions); err != nil {
			return o, err
		}
	}
	for _, c := range w.status.Conditions {
		o.Conditions = append(o.Conditions, fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	for _, target := range w.status.Targets {
		for i := range target.Services {
			o.Remembered[target.Services[i].Name] = remembered(&target.Services[i])
		}
	}
	return o, nil
}

func remembered(s *ecsv1alpha1.ServiceStatus) memoryOutcome {
	m := memoryOutcome{
		State: s.State, Reason: s.Reason, Message: s.Message, Revision: s.Revision, Registered: s.Registered,
		Source: s.Source, Intent: s.Intent != nil, Failed: len(s.Failed),
	}
	if s.Deployment != nil {
		m.Deployment = s.Deployment.Outcome
	}
	if s.Proven != nil {
		m.Proven = s.Proven.Revision
	}
	return m
}

// revisions adds all revisions that a family has or ever had. They are described one by one:
// only the list lags behind.
func (w *world) revisions(ctx context.Context, family string, into map[string]string) error {
	client := ecs.NewFromConfig(w.account.AWS.Root(lab.AccountID, region))
	for n := 1; ; n++ {
		revision := fmt.Sprintf("%s:%d", family, n)
		out, err := client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &revision})
		var missing *ecstypes.ClientException
		switch {
		case errors.As(err, &missing):
			return nil
		case err != nil:
			return err
		}
		into[revision] = string(out.TaskDefinition.Status) + " " + aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)
	}
}

// changes counts the calls of the managers that AWS carried out and that are no reads.
func (w *world) changes() map[string]int {
	counts := map[string]int{}
	for _, entry := range w.sim.Journal(awssim.JournalFilter{Principal: "*assumed-role/ecsrelease-*", Service: "ecs"}) {
		if !entry.Executed || entry.Code != "" || strings.HasPrefix(entry.Operation, "Describe") || strings.HasPrefix(entry.Operation, "List") {
			continue
		}
		var request struct{ Family, Service string }
		if err := json.Unmarshal(entry.Request, &request); err != nil {
			request.Service = err.Error()
		}
		counts[entry.Operation+" "+request.Family+request.Service]++
	}
	return counts
}

// name is the last element of an ARN.
func name(arn *string) string {
	return aws.ToString(arn)[strings.LastIndexByte(aws.ToString(arn), '/')+1:]
}

func asYAML(value any) string {
	text, err := yaml.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
