package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestWavesOpenOneAfterTheOther(t *testing.T) {
	stories(t, "waves", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"mumbai": 1, "virginia": 1}
		s.bake = time.Minute
		s.settle()
	}, "singapore/backend", "mumbai/backend", "virginia/backend")
}

func TestAWaveThatFailsNeverOpensTheNext(t *testing.T) {
	stories(t, "wave-fails", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"mumbai": 1, "virginia": 2}
		s.world.service("mumbai/backend").breaker = true
		s.settle()
		s.then("v3 is asked for, which breaks in mumbai", func() {
			s.image = "app:v3"
			s.world.broken["app:v3"] = true
			s.wave = map[string]int32{"singapore": 1, "virginia": 2}
		})
		s.settle()
		s.then("v4 is asked for", func() { s.image = "app:v4" })
		s.settle()
	}, "singapore/backend", "mumbai/backend", "virginia/backend")
}

// approve approves all that waits.
func (s *teller) approve() {
	var ids []string
	for _, a := range s.ledger.Awaiting {
		ids = append(ids, a.ID)
	}
	s.command("approve", strings.Join(ids, ","))
}

func TestEachWaveWaitsForItsOwnApproval(t *testing.T) {
	stories(t, "approval", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"mumbai": 1}
		s.approval = ecsv1alpha1.ApprovalEveryWave
		s.settle()
		s.command("approve", "r1-wave-1-0000")
		s.settle()
		s.approve()
		s.settle()
		old := s.ledger.Awaiting[0].ID
		s.then("v3 is asked for before the second wave is approved", func() { s.image = "app:v3" })
		s.settle()
		s.command("approve", old)
		s.settle()
		s.approve()
		s.settle()
		s.approve()
		s.settle()
	}, "singapore/backend", "mumbai/backend")
}

func TestATargetDownKeepsItsWaveFromClosing(t *testing.T) {
	stories(t, "wave-down", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"virginia": 1}
		s.run(1)
		s.then("mumbai is down", func() {
			s.blind["mumbai/backend"] = &Problem{Class: ProblemTransient, Message: "DescribeServices: timed out"}
		})
		s.settle()
		s.then("mumbai is back", func() { clear(s.blind) })
		s.settle()
	}, "singapore/backend", "mumbai/backend", "virginia/backend")
}

func TestChecksHoldUpTheNextWave(t *testing.T) {
	stories(t, "verification", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"mumbai": 1}
		s.checks = map[string]Check{"singapore": {Message: "https://heliumai.space/healthz answered 503, wanted 200"}}
		s.settle()
		s.then("it answers in singapore", func() {
			at := metav1.NewTime(s.world.now)
			s.checks["singapore"] = Check{Passed: &at}
		})
		s.settle()
		s.then("it answers in mumbai", func() {
			at := metav1.NewTime(s.world.now)
			s.checks["mumbai"] = Check{Passed: &at}
		})
		s.settle()
	}, "singapore/backend", "mumbai/backend")
}

func TestTakingATargetThatFailedOutDoesNotOpenTheNextWave(t *testing.T) {
	stories(t, "failed-target-removed", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"mumbai": 1}
		s.world.broken["app:v2"] = true
		s.settle()
		s.then("singapore is taken out of the release", func() {
			s.world.services = slices.DeleteFunc(s.world.services, func(svc *service) bool { return svc.target == "singapore" })
		})
		s.settle()
		s.then("v2 would run", func() { delete(s.world.broken, "app:v2") })
		s.command("retry", "1")
		s.settle()
	}, "singapore/backend", "mumbai/backend")
}
