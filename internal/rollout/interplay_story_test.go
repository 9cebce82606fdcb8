package rollout

import (
	"slices"
	"testing"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// Stories in which one thing comes amid another.

// scaleToZero has somebody want no tasks of a service any more.
func (s *teller) scaleToZero(at string) {
	s.then(at+" is scaled to zero", func() {
		svc := s.world.service(at)
		svc.desired = 0
		svc.deployments[0].Running, svc.deployments[0].Desired = 0, 0
	})
}

// giveUp has ECS give up what it deploys to a service, and roll it back.
func (s *teller) giveUp(at string) {
	s.then(at+" crashes", func() {
		svc := s.world.service(at)
		record := svc.records[len(svc.records)-1]
		record.BreakerTriggered, record.FailedTasks, record.Threshold = true, 3, 3
		s.world.rollBack(svc, record, "Service deployment rolled back because the circuit breaker threshold was exceeded.")
	})
}

// runUntil goes on until what is remembered of a service is so.
func (s *teller) runUntil(at string, is func(ecsv1alpha1.ServiceStatus) bool) {
	for range 100 {
		if s.run(1); is(*s.memory[at]) {
			return
		}
	}
	s.t.Fatalf("%s never gets there: %+v", at, s.memory[at])
}

// deploys says that a deployment of ours is in flight, and known to ECS.
func deploys(m ecsv1alpha1.ServiceStatus) bool {
	return m.Deployment != nil && m.Deployment.Outcome == "" && m.Deployment.Primary != ""
}

// broughtBack says that an update of ours brings the service back.
func broughtBack(m ecsv1alpha1.ServiceStatus) bool {
	return m.Deployment != nil && m.Deployment.Purpose == ecsv1alpha1.PurposeRollback
}

func TestWhatAReleaseBeforeBroughtToAServiceWithoutTasksStays(t *testing.T) {
	stories(t, "rollback-scaled-to-zero", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"virginia": 1}
		s.image = "app:v1"
		s.settle()
		s.scaleToZero("virginia/worker")
		s.settle()
		s.then("v2", func() { s.image = "app:v2" })
		s.settle()
		s.command("abort", "1")
		s.settle()
		s.then("v3 is broken", func() { s.image, s.world.broken["app:v3"] = "app:v3", true })
		s.settle()
	}, "mumbai/backend", "virginia/worker")
}

func TestAReleaseThatCannotGoBackEverywhereIsNotRolledBack(t *testing.T) {
	stories(t, "rollback-nothing-proven", func(_ *testing.T, s *teller) {
		s.scaleToZero("virginia/worker")
		s.wave = map[string]int32{"mumbai": 1}
		s.run(4)
		s.then("v2 crashes where it has tasks", func() { s.world.broken["app:v2"] = true })
		s.settle()
	}, "mumbai/backend", "virginia/worker")
}

func TestAnAbortDoesNotMeanTheWayBack(t *testing.T) {
	stories(t, "abort-while-going-back", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"virginia": 1}
		s.image = "app:v1"
		s.settle()
		for _, svc := range s.world.services {
			svc.grow(9)
		}
		s.then("v2", func() { s.image = "app:v2" })
		s.runUntil("virginia/backend", deploys)
		s.run(2)
		s.giveUp("virginia/backend")
		s.runUntil("mumbai/backend", broughtBack)
		s.then("v3, which has to be approved", func() { s.image, s.approval = "app:v3", ecsv1alpha1.ApprovalFirstWave })
		s.run(2)
		s.command("abort", "1")
		s.settle()
		s.then("v1, which runs", func() { s.image, s.approval = "app:v1", "" })
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestTheWayBackToWhatFailedACheckOnceEndsAsECSSays(t *testing.T) {
	stories(t, "rollback-to-condemned", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"virginia": 1}
		s.image = "app:v1"
		s.settle()
		s.world.service("mumbai/backend").grow(9)
		s.then("v1 fails its check, some time later", func() {
			Condemn(s.memory["mumbai/backend"], s.inputs(), ecsv1alpha1.FailureVerification, "it answered 503", s.world.now)
		})
		s.settle()
		s.then("v2", func() { s.image = "app:v2" })
		s.runUntil("virginia/backend", deploys)
		s.giveUp("virginia/backend")
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestPreviousIsWhatBroughtSomethingElse(t *testing.T) {
	stories(t, "hold-previous-of-one-image", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		s.settle()
		s.then("v3", func() { s.image = "app:v3" })
		s.settle()
		s.then("somebody deploys other settings", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v2", env: "env2"}))
		})
		s.settle()
		s.then("v4 is broken", func() { s.image, s.world.broken["app:v4"] = "app:v4", true })
		s.settle()
		s.then("back to v3 by the spec", func() { s.image = "app:v3" })
		s.settle()
		s.command("hold", "1/previous")
		s.settle()
	}, "mumbai/backend")
}

func TestAHeldReleaseGoesToItsOwnRevisionsWhateverTheImageIs(t *testing.T) {
	stories(t, "hold-of-the-same-image", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		s.approval = ecsv1alpha1.ApprovalEveryWave
		s.settle()
		s.approve()
		s.settle()
		s.then("v3", func() { s.image = "app:v3" })
		s.settle()
		s.approve()
		s.settle()
		s.then("v2 again, in other settings", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v3", env: "env2"}))
			s.image = "app:v2"
		})
		s.settle()
		s.approve()
		s.settle()
		s.command("hold", "1/1")
		s.settle()
		s.command("release-hold", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestTakingATargetThatFailedOutStartsNothingInItsOwnWave(t *testing.T) {
	stories(t, "failed-target-removed-from-its-wave", func(_ *testing.T, s *teller) {
		s.world.service("virginia/backend").grow(9)
		s.run(3)
		s.giveUp("mumbai/backend")
		s.settle()
		s.then("mumbai is taken out of the release", func() {
			s.world.services = slices.DeleteFunc(s.world.services, func(svc *service) bool { return svc.target == "mumbai" })
		})
		s.settle()
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestNothingIsStartedBeforeAStopThatIsNotSeenYetHasEnded(t *testing.T) {
	stories(t, "abort-and-a-new-image", func(_ *testing.T, s *teller) {
		s.world.service("mumbai/backend").grow(9)
		s.run(2)
		s.command("abort", "1")
		s.run(1)
		s.then("v3, while looks lag behind", func() { s.image, s.lag = "app:v3", 2 })
		s.run(3)
		s.lag = 0
		s.settle()
	}, "mumbai/backend")
}

func TestAnAbortGoesBeforeAnApprovalOfTheSamePass(t *testing.T) {
	stories(t, "abort-before-approve", func(_ *testing.T, s *teller) {
		s.onFailure = ecsv1alpha1.FailureHold
		svc := s.world.service("mumbai/backend")
		svc.stages, svc.pauses = canary, map[string]bool{"POST_SCALE_UP": true}
		s.settle()
		s.command("approve", "hook-pause2")
		s.command("abort", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestARetryWithAnotherImageLeavesHistoryAsItWas(t *testing.T) {
	stories(t, "retry-and-a-new-image", func(_ *testing.T, s *teller) {
		s.world.broken["app:v2"] = true
		s.settle()
		s.then("v3", func() { s.image = "app:v3" })
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestARetryPutsNothingBackWhereDriftIsOnlyReported(t *testing.T) {
	stories(t, "retry-drift-report", func(_ *testing.T, s *teller) {
		s.policy.Report = true
		s.settle()
		s.then("somebody deploys other settings", func() {
			svc := s.world.service("mumbai/backend")
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: "env2"}))
		})
		s.settle()
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}
