package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
)

// superseding is a pass over a release whose service goes back from app@digestOne, which failed there,
// and whose spec has just come to ask for another image. outcome is what history says of the one before.
func superseding(asked string, outcome ecsv1alpha1.Outcome, annotations map[string]string) *pass {
	now := metav1.NewTime(time.Now().Truncate(time.Second))
	release := aRelease(func(spec *ecsv1alpha1.EcsReleaseSpec) { spec.Image = "app@" + digestOne })
	release.Annotations = annotations
	release.Status.Images = []ecsv1alpha1.ResolvedImage{{Image: "app@" + digestOne, Digest: digestOne}}
	release.Status.Failure = &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureContainerExited, Target: "mumbai", Service: "backend", Message: "exited", At: now}
	release.Status.History = []ecsv1alpha1.HistoryEntry{{Number: 1, Outcome: outcome, Started: now, Images: release.Status.Images}}
	if outcome != ecsv1alpha1.OutcomeProgressing {
		release.Status.History[0].Failure = ecsv1alpha1.FailureContainerExited
	}
	p := &pass{release: release, started: now.Time, before: *release.Status.DeepCopy(), ledger: ledgerOf(release.Status)}
	s := &service{target: release.Spec.Targets[0], spec: release.Spec.Services[0], registry: "111122223333", key: cloud.Key{
		Identity: cloud.Identity{AccountID: "111122223333"}, Region: "ap-south-1", Cluster: "helium-mumbai-cluster", Service: "backend",
	}}
	p.services = []*service{s}
	p.images, _ = wantedImages(release)
	inputs := p.inputsOf(s)
	s.memory = ecsv1alpha1.ServiceStatus{
		Name: "backend", State: ecsv1alpha1.ServiceRollingBack, Inputs: inputs, Hash: "of-one", Revision: "app:1",
		Proven: &ecsv1alpha1.ProvenRevision{Revision: "app:1"},
		Failed: []ecsv1alpha1.FailedContent{{Hash: "of-one", Inputs: inputs, Class: ecsv1alpha1.FailureContainerExited, Message: "exited", At: now}},
	}
	release.Spec.Image = asked
	return p
}

func TestWhatFailedIsNotCalledSupersededByWhatIsAskedForNext(t *testing.T) {
	for name, c := range map[string]struct {
		asked       string
		outcome     ecsv1alpha1.Outcome
		annotations map[string]string
		want        ecsv1alpha1.Outcome
	}{
		"a digest, while it is brought back":        {"app@" + digestTwo, ecsv1alpha1.OutcomeProgressing, nil, ecsv1alpha1.OutcomeFailed},
		"a tag, while it is brought back":           {"app:v2", ecsv1alpha1.OutcomeProgressing, nil, ecsv1alpha1.OutcomeFailed},
		"when it is back":                           {"app@" + digestTwo, ecsv1alpha1.OutcomeRolledBack, nil, ecsv1alpha1.OutcomeRolledBack},
		"when it is back, with a retry in one pass": {"app@" + digestTwo, ecsv1alpha1.OutcomeRolledBack, map[string]string{ecsv1alpha1.AnnotationRetry: "1"}, ecsv1alpha1.OutcomeRolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			p := superseding(c.asked, c.outcome, c.annotations)
			p.obey(nil)
			p.begin(false)
			if len(p.ledger.History) != 2 {
				t.Fatalf("history has %d releases, want 2", len(p.ledger.History))
			}
			if before := p.ledger.History[1]; before.Outcome != c.want || before.Failure != ecsv1alpha1.FailureContainerExited {
				t.Errorf("the one before is %s (%s), want %s (ContainerExited)", before.Outcome, before.Failure, c.want)
			}
			if p.ledger.Failure != nil {
				t.Errorf("the new one has failed already: %+v", p.ledger.Failure)
			}
		})
	}
}

func TestACheckThatComesLateIsNotHeldAgainstWhatIsAskedForSince(t *testing.T) {
	p := superseding("app@"+digestTwo, ecsv1alpha1.OutcomeProgressing, nil)
	s := p.services[0]
	s.memory.State, s.memory.Failed = ecsv1alpha1.ServiceInSync, nil
	p.obey(map[string]string{"mumbai": "not passed within 5m0s: it answered 503"})
	p.begin(false)
	if len(s.memory.Failed) > 0 || p.failing {
		t.Errorf("what never ran counts as failed: %+v", s.memory.Failed)
	}
}
