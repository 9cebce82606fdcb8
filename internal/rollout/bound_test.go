package rollout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// fullest is the status of a release of 128 services with ten releases behind it, in which every
// service has failed with as many contents as given, has a deployment and an intent, and says as
// much as it may.
func fullest(contents int) ecsv1alpha1.EcsReleaseStatus {
	at := metav1.NewTime(now)
	long := strings.Repeat("x", maxMessage)
	images := []ecsv1alpha1.ResolvedImage{{Image: "helium-backend:v128", Digest: "sha256:" + strings.Repeat("a", 64)}}
	status := ecsv1alpha1.EcsReleaseStatus{
		ObservedGeneration: 128, Image: "helium-backend:v128", Images: images, Services: 128, Progress: "0/128 services",
		Failure: &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureDeadline, Target: "virginia", Service: "worker", Message: long},
		Handled: &ecsv1alpha1.HandledCommands{Reconcile: strings.Repeat("t", 256)},
	}
	for _, kind := range []string{"Ready", "Stalled", "ImageAvailable", "Deployed"} {
		status.Conditions = append(status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionFalse, Reason: ecsv1alpha1.ReasonRollbackInProgress, Message: long, LastTransitionTime: at,
		})
	}
	var revisions []string
	for t := range 16 {
		target := ecsv1alpha1.TargetStatus{
			Name: fmt.Sprintf("target-%02d", t), AccountID: "111122223333", Region: "ap-southeast-1", Cluster: "helium-singapore-cluster",
		}
		for s := range 8 {
			revision := fmt.Sprintf("helium-production-%02d-%d:4711", t, s)
			revisions = append(revisions, revision)
			target.Services = append(target.Services, fullestService(fmt.Sprintf("service-%02d", s), revision, contents))
		}
		status.Targets = append(status.Targets, target)
	}
	for n := range 10 {
		status.History = append(status.History, ecsv1alpha1.HistoryEntry{
			Number: int64(100 - n), Images: images, Outcome: ecsv1alpha1.OutcomeReleased, Started: at, Finished: &at, Revisions: revisions,
		})
	}
	return status
}

func fullestService(name, revision string, contents int) ecsv1alpha1.ServiceStatus {
	at := metav1.NewTime(now)
	hash := "v1-" + strings.Repeat("0", 24)
	m := ecsv1alpha1.ServiceStatus{
		Name: name, State: ecsv1alpha1.ServiceDeploying, Since: at, Reason: ecsv1alpha1.ReasonProgressing,
		Message: strings.Repeat("m", maxMessage), Revision: revision, Source: ecsv1alpha1.SourceReleased,
		Inputs: strings.Repeat("1", 16), Hash: hash, Registered: revision,
		Proven:     &ecsv1alpha1.ProvenRevision{Revision: revision, Source: ecsv1alpha1.SourceReleased, Since: at},
		Deployment: newDeployment(revision, hash, "ecs-svc/6216346761948112104", now),
	}
	m = Announce(m, Step{Action: ActionUpdate, Hash: hash, Revision: revision, PreviousPrimary: "ecs-svc/6216346761948112104"}, now)
	m.Deployment.ServiceDeployment = strings.Repeat("d", 21)
	m.Deployment.Running, m.Deployment.Old, m.Deployment.Desired = 10, 10, 10
	for i := range contents {
		m.Failed = append(m.Failed, ecsv1alpha1.FailedContent{
			Hash: fmt.Sprintf("v1-%024d", i), Class: ecsv1alpha1.FailureCircuitBreaker, Message: strings.Repeat("f", maxFailedMessage), At: at,
		})
	}
	return m
}

func TestTheFullestStatusIsBounded(t *testing.T) {
	for contents := range maxFailed + 1 {
		status := fullest(contents)
		bounded := Bound(status)
		if got, most := size(&bounded), MaxStatus; got > most {
			t.Errorf("with %d failed contents each: %d bytes, want at most %d", contents, got, most)
		}
		if len(status.History) != 10 || status.Targets[0].Services[0].Message == "" {
			t.Fatal("the status was written to")
		}
		if diff := cmp.Diff(kept(status), kept(bounded)); diff != "" {
			t.Errorf("with %d failed contents each, what must stay did not (-want +got):\n%s", contents, diff)
		}
		if len(bounded.History) < keptHistory || bounded.History[0].Number != 100 {
			t.Errorf("history kept: %d entries", len(bounded.History))
		}
	}
}

func TestABigStatusLosesMessagesBeforeHistory(t *testing.T) {
	status := fullest(1)
	for i := range status.Targets {
		status.Targets[i].Services = status.Targets[i].Services[:4]
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
	status := fullest(0)
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
	return ecsv1alpha1.EcsReleaseStatus{Targets: status.Targets, Handled: status.Handled}
}
