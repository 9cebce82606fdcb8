package rollout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// plights are what services may be in at worst, beside what all of them remember.
var plights = map[string]func(*ecsv1alpha1.ServiceStatus){
	"deploying": func(m *ecsv1alpha1.ServiceStatus) {
		*m = Announce(*m, Step{Action: ActionUpdate, Hash: m.Hash, Revision: m.Revision, PreviousPrimary: "ecs-svc/6216346761948112104"}, now)
	},
	"rolling back": func(m *ecsv1alpha1.ServiceStatus) {
		*m = Announce(*m, Step{
			Action: ActionUpdate, Hash: m.Hash, Revision: m.Revision, PreviousPrimary: "ecs-svc/6216346761948112104",
			Purpose: ecsv1alpha1.PurposeRollback,
		}, now)
		m.Rollback = &ecsv1alpha1.RollbackStatus{To: m.Revision, Since: seconds(now), Stopped: true, Updated: true}
		m.Deployment.Purpose = ecsv1alpha1.PurposeRollback
	},
	"drifted": func(m *ecsv1alpha1.ServiceStatus) {
		at := seconds(now)
		m.Drift = &ecsv1alpha1.DriftStatus{
			Deployment: "ecs-svc/6216346761948112104", Revision: m.Revision, At: at, Corrected: &at, Standing: true,
			RegisteredBy: "arn:aws:sts::111122223333:assumed-role/" + strings.Repeat("r", 200),
		}
		m.Base = m.Revision
	},
	"paused": func(m *ecsv1alpha1.ServiceStatus) {
		weight := int32(5)
		d := m.Deployment
		d.Stage, d.Weight, d.MaxWeight = "POST_PRODUCTION_TRAFFIC_SHIFT", &weight, 5
		for i := range 10 {
			d.Stages = append(d.Stages, fmt.Sprintf("PRODUCTION_TRAFFIC_SHIFT_%d", i))
		}
		*m = Announce(*m, Step{Action: ActionContinue, ServiceDeployment: d.ServiceDeployment, Hook: strings.Repeat("h", 36)}, now)
		m.Hook = &ecsv1alpha1.HookDecision{ID: strings.Repeat("h", 36)}
	},
}

// fullest is the status of a release of 128 services with ten releases behind it, in which every
// service is in a plight, has failed with as many contents as given, has a deployment, and says as
// much as it may.
func fullest(contents int, plight string) ecsv1alpha1.EcsReleaseStatus {
	at := metav1.NewTime(now)
	long := strings.Repeat("x", maxMessage)
	images := []ecsv1alpha1.ResolvedImage{{Image: "helium-backend:v128", Digest: "sha256:" + strings.Repeat("a", 64)}}
	status := ecsv1alpha1.EcsReleaseStatus{
		ObservedGeneration: 128, Image: "helium-backend:v128", Images: images, Services: 128, Progress: "0/128 services",
		Failure: &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureDeadline, Target: "virginia", Service: "worker", Message: long},
		Handled: &ecsv1alpha1.HandledCommands{
			Reconcile: strings.Repeat("t", maxToken), Retry: strings.Repeat("t", maxToken), Restart: strings.Repeat("t", maxToken),
			Abort: strings.Repeat("t", maxToken), Approve: strings.Repeat("t", maxApprove), Hold: strings.Repeat("t", maxToken),
			ReleaseHold: strings.Repeat("t", maxToken), Unknown: strings.Repeat("t", maxToken),
		},
	}
	for i := range 3 {
		status.Failure.Tasks = append(status.Failure.Tasks, ecsv1alpha1.StoppedTask{
			ID: strings.Repeat("0", 32), StopCode: "EssentialContainerExited", Reason: strings.Repeat("r", 512), StoppedAt: at,
			Results: []ecsv1alpha1.ContainerResult{{Container: "app", Reason: strings.Repeat("r", 512)}, {Container: "log", Reason: strings.Repeat("r", 512)}},
		})
		status.Failure.Events = append(status.Failure.Events, ecsv1alpha1.ServiceEvent{At: at, Message: strings.Repeat("e", 512)})
		status.Failure.UnhealthyTargets = append(status.Failure.UnhealthyTargets, ecsv1alpha1.UnhealthyTarget{
			TargetGroup: "group", Target: fmt.Sprintf("10.0.0.%d:80", i), State: "unhealthy", Description: strings.Repeat("d", 256),
		})
	}
	for _, kind := range []string{"Ready", "Stalled", "ImageAvailable", "Deployed", "Verified", "Held", "Drifted"} {
		status.Conditions = append(status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionFalse, Reason: ecsv1alpha1.ReasonRollbackInProgress, Message: long, LastTransitionTime: at,
		})
	}
	var revisions []string
	for t := range 16 {
		target := ecsv1alpha1.TargetStatus{
			Wave: int32(t), Verified: &at, Verification: strings.Repeat("v", 512),
			Name: fmt.Sprintf("target-%02d", t), AccountID: "111122223333", Region: "ap-southeast-1", Cluster: "helium-singapore-cluster",
		}
		for s := range 8 {
			revision := fmt.Sprintf("helium-production-%02d-%d:4711", t, s)
			revisions = append(revisions, revision)
			target.Services = append(target.Services, fullestService(fmt.Sprintf("service-%02d", s), revision, contents, plight))
		}
		status.Waves = append(status.Waves, ecsv1alpha1.WaveStatus{Wave: int32(t), Approved: &at, Opened: &at, Synced: &at, Verified: &at, Finished: &at})
		status.Targets = append(status.Targets, target)
	}
	if plight == "paused" {
		for i := range 128 {
			status.Awaiting = append(status.Awaiting, ecsv1alpha1.Awaiting{
				ID: fmt.Sprintf("hook-%036d", i), Target: "target-00", Service: "service-00", Stage: "POST_PRODUCTION_TRAFFIC_SHIFT", Since: at, Expires: &at,
			})
		}
	}
	status.Hold = &ecsv1alpha1.Hold{Number: 99, Images: images, Against: images, Revisions: revisions, Since: at}
	for n := range 10 {
		status.History = append(status.History, ecsv1alpha1.HistoryEntry{
			Number: int64(100 - n), Images: images, Outcome: ecsv1alpha1.OutcomeReleased, Started: at, Finished: &at, Revisions: revisions,
		})
	}
	return status
}

func fullestService(name, revision string, contents int, plight string) ecsv1alpha1.ServiceStatus {
	at := metav1.NewTime(now)
	hash := "v1-" + strings.Repeat("0", 24)
	m := ecsv1alpha1.ServiceStatus{
		Name: name, State: ecsv1alpha1.ServiceDeploying, Since: at, Reason: ecsv1alpha1.ReasonProgressing,
		Message: strings.Repeat("m", maxMessage), Revision: revision, Source: ecsv1alpha1.SourceReleased,
		Inputs: strings.Repeat("1", 16), Hash: hash, Registered: revision,
		Proven:     &ecsv1alpha1.ProvenRevision{Revision: revision, Source: ecsv1alpha1.SourceReleased, Since: at},
		Deployment: newDeployment(revision, hash, "ecs-svc/6216346761948112104", now),
	}
	m.Deployment.ServiceDeployment = strings.Repeat("d", 21)
	m.Deployment.Running, m.Deployment.Old, m.Deployment.Desired = 10, 10, 10
	for i := range contents {
		m.Failed = append(m.Failed, ecsv1alpha1.FailedContent{
			Hash: fmt.Sprintf("v1-%024d", i), Class: ecsv1alpha1.FailureCircuitBreaker, Message: strings.Repeat("f", maxFailedMessage), At: at,
			Inputs: strings.Repeat("1", 16),
		})
	}
	plights[plight](&m)
	return m
}

func TestTheFullestStatusIsBounded(t *testing.T) {
	for plight := range plights {
		for contents := range maxFailed + 1 {
			status := fullest(contents, plight)
			bounded := Bound(status)
			if got, most := size(&bounded), MaxStatus; got > most {
				t.Errorf("%s, with %d failed contents each: %d bytes, want at most %d", plight, contents, got, most)
			}
			if len(status.History) != 10 || status.Targets[0].Services[0].Message == "" {
				t.Fatal("the status was written to")
			}
			if diff := cmp.Diff(kept(status), kept(bounded)); diff != "" {
				t.Errorf("%s, with %d failed contents each, what must stay did not (-want +got):\n%s", plight, contents, diff)
			}
			if len(bounded.History) < keptHistory || bounded.History[0].Number != 100 {
				t.Errorf("%s: history kept: %d entries", plight, len(bounded.History))
			}
		}
	}
}

func TestABigStatusLosesMessagesBeforeHistory(t *testing.T) {
	status := fullest(1, "deploying")
	for i := range status.Targets {
		status.Targets[i].Services = status.Targets[i].Services[:2]
	}
	bounded := Bound(status)
	if got := size(&bounded); got > MaxStatus {
		t.Errorf("%d bytes, want at most %d", got, MaxStatus)
	}
	if len(bounded.History) != 10 || len(bounded.Targets[0].Services[0].Message) == maxMessage || bounded.Targets[0].Services[0].Message == "" {
		t.Errorf("%d entries of history and a message of %d bytes, want all of history and shorter messages",
			len(bounded.History), len(bounded.Targets[0].Services[0].Message))
	}
}

func TestASmallStatusIsLeftAlone(t *testing.T) {
	status := fullest(0, "deploying")
	status.Targets = status.Targets[:2]
	if diff := cmp.Diff(status, Bound(status)); diff != "" {
		t.Errorf("it was changed:\n%s", diff)
	}
}

// kept is what of status must never be dropped.
func kept(status ecsv1alpha1.EcsReleaseStatus) ecsv1alpha1.EcsReleaseStatus {
	status = *status.DeepCopy()
	serviceMessages(0)(&status)
	serviceFacts(&status)
	conditionMessages(&status)
	trifles(&status)
	return ecsv1alpha1.EcsReleaseStatus{Targets: status.Targets, Handled: status.Handled}
}
