package simulation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// rememberedFailures is how many contents a service remembers to have failed.
const rememberedFailures = 2

// failedIsNotRetried: a content that ECS gave up or rolled back is not deployed to the service
// again without new content or a token.
func (w *world) failedIsNotRetried(l *ledger, m mutation, a *author) {
	if m.hash == "" || a.goesBack() || m.request.ForceNewDeployment {
		return
	}
	failed, others := w.failedInECS(l, m, a)
	if failed == nil || others >= rememberedFailures {
		return
	}
	since := failed.givenUp
	s := w.subject(a.key)
	if s == nil || s.asked("retry", since, m.at) || s.asked("restart", since, m.at) || s.asked("hold", since, m.at) || s.asked("release-hold", since, m.at) {
		return
	}
	if history := w.chronicle.history(a.key, m.at); len(history) == 0 || bornAfter(history, failed.created) || leftAfter(history, m, since) {
		return // it was deployed for another object, or this one let go of the service meanwhile: it can't know
	}
	w.story.violate("a failed content is not deployed again", "%s deployed %s (hash %s) again, which failed at %s, and nobody asked for it",
		a.key, lastElement(m.request.TaskDefinition), m.hash, since.Sub(w.began))
}

func bornAfter(history []version, t time.Time) bool {
	for i, v := range history {
		if v.release == nil || i == 0 {
			if v.at.After(t) {
				return true
			}
		}
	}
	return false
}

// leftAfter says that the release did not have the service of a change at some time after t.
func leftAfter(history []version, m mutation, t time.Time) bool {
	for i, v := range history {
		if i+1 < len(history) && !history[i+1].at.After(t) || v.release == nil {
			continue
		}
		if !slices.ContainsFunc(v.release.Status.Targets, func(target ecsv1alpha1.TargetStatus) bool {
			return target.AccountID == m.account && target.Region == m.region && target.Cluster == lastElement(m.request.Cluster) &&
				slices.ContainsFunc(target.Services, func(s ecsv1alpha1.ServiceStatus) bool { return s.Name == lastElement(m.request.Service) })
		}) {
			return true
		}
	}
	return false
}

// failedInECS is the last deployment of the content that failed on the service, nil where none did, and
// how many other contents failed since.
func (w *world) failedInECS(l *ledger, m mutation, a *author) (failed *deployment, others int) {
	contents := map[string]bool{}
	for _, d := range w.serviceDeployments(m.account, m.region, lastElement(m.request.Cluster), lastElement(m.request.Service)) {
		if d.outcome != types.ServiceDeploymentStatusRollbackSuccessful && d.outcome != types.ServiceDeploymentStatusRollbackFailed {
			continue
		}
		r := l.find(m.account, m.region, d.revision)
		if r == nil || !r.ours {
			continue
		}
		if l.stopped[d.id] && !w.remembered(a, m, r.hash) {
			continue // it was taken back because another service failed, and may be as good as any
		}
		if r.hash == m.hash {
			if failed == nil {
				failed = &d
			}
			continue
		}
		if failed == nil {
			contents[r.hash] = true
		}
	}
	return failed, len(contents)
}

// remembered says that a release ever had a content among those that failed in the place of a change.
func (w *world) remembered(a *author, m mutation, hash string) bool {
	for _, v := range w.chronicle.history(a.key, a.announced.at) {
		if v.release == nil || v.release.UID != a.release.UID {
			continue
		}
		for _, t := range v.release.Status.Targets {
			if t.AccountID != m.account || t.Region != m.region || t.Cluster != lastElement(m.request.Cluster) {
				continue
			}
			for _, s := range t.Services {
				if s.Name == a.service.Name && slices.ContainsFunc(s.Failed, func(f ecsv1alpha1.FailedContent) bool { return f.Hash == hash }) {
					return true
				}
			}
		}
	}
	return false
}

// deployment is a service deployment, as AWS's root sees it.
type deployment struct {
	id                string
	outcome           types.ServiceDeploymentStatus
	revision          string // family:revision that it brings
	back              string // family:revision that a rollback went back to; ""
	created, finished time.Time
	givenUp           time.Time // when ECS began to roll it back, or else when it was finished
}

// serviceDeployments are those of a service, the newest first; none if it can't be told.
func (w *world) serviceDeployments(account, region, cluster, service string) []deployment {
	ctx, client := context.Background(), w.ecs(account, region)
	listed, err := client.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: &cluster, Service: &service, MaxResults: aws.Int32(20)})
	if err != nil || len(listed.ServiceDeployments) == 0 {
		return nil
	}
	var arns []string
	for _, brief := range listed.ServiceDeployments {
		arns = append(arns, aws.ToString(brief.ServiceDeploymentArn))
	}
	described, err := client.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		return nil
	}
	revisions := map[string]bool{}
	for _, d := range described.ServiceDeployments {
		revisions[aws.ToString(d.TargetServiceRevision.Arn)] = true
		if d.Rollback != nil {
			revisions[aws.ToString(d.Rollback.ServiceRevisionArn)] = true
		}
	}
	names := w.taskDefinitionsOf(client, revisions)
	byARN := map[string]deployment{}
	for _, d := range described.ServiceDeployments {
		made := deployment{
			outcome: d.Status, revision: names[aws.ToString(d.TargetServiceRevision.Arn)],
			id:      lastElement(aws.ToString(d.ServiceDeploymentArn)),
			created: aws.ToTime(d.CreatedAt), finished: aws.ToTime(d.FinishedAt), givenUp: aws.ToTime(d.FinishedAt),
		}
		if d.Rollback != nil {
			made.givenUp = aws.ToTime(d.Rollback.StartedAt)
			made.back = names[aws.ToString(d.Rollback.ServiceRevisionArn)]
		}
		byARN[aws.ToString(d.ServiceDeploymentArn)] = made
	}
	var deployments []deployment
	for _, arn := range arns {
		deployments = append(deployments, byARN[arn])
	}
	return deployments
}

// taskDefinitionsOf are the task definitions, as family:revision, of service revisions.
func (w *world) taskDefinitionsOf(client *ecs.Client, revisions map[string]bool) map[string]string {
	names := map[string]string{}
	var arns []string
	for arn := range revisions {
		if arns = append(arns, arn); len(arns) == 20 {
			break
		}
	}
	out, err := client.DescribeServiceRevisions(context.Background(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if err != nil {
		return names
	}
	for _, r := range out.ServiceRevisions {
		definition := aws.ToString(r.TaskDefinition)
		names[aws.ToString(r.ServiceRevisionArn)] = definition[strings.LastIndex(definition, "/")+1:]
	}
	return names
}
