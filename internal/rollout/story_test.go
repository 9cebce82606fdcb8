package rollout

import (
	"math/rand/v2"
	"testing"
)

// stories are told in several orders of the services, and are always the same.
func stories(t *testing.T, name string, story func(*testing.T, *teller), services ...string) {
	t.Helper()
	for seed := range uint64(3) {
		s := tell(t, newWorld("app:v1", services...), "app:v2")
		s.order = rand.New(rand.NewPCG(seed, 7))
		story(t, s)
		s.end(name)
	}
}

func TestTwoServicesInTwoRegionsAreReleased(t *testing.T) {
	stories(t, "release", func(_ *testing.T, s *teller) {
		s.settle()
		s.then("autoscaling and churn", func() {
			svc := s.world.service("mumbai/worker")
			svc.desired, svc.deployments[0].Running = 5, 1
		})
		s.settle()
	}, "mumbai/backend", "mumbai/worker", "virginia/backend", "virginia/worker")
}

func TestABrokenImageIsRolledBackAndNotTriedAgain(t *testing.T) {
	stories(t, "rollback", func(_ *testing.T, s *teller) {
		s.world.broken["app:v2"] = true
		s.settle()
		s.then("the image is fixed", func() { s.image = "app:v3" })
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestANewImageWaitsUntilTheRollbackHasEnded(t *testing.T) {
	stories(t, "rollback-then-new-image", func(_ *testing.T, s *teller) {
		s.world.broken["app:v2"] = true
		s.run(5)
		s.then("the image is fixed while ECS rolls back", func() { s.image = "app:v3" })
		s.settle()
	}, "mumbai/backend")
}

func TestWithoutABreakerTheDeadlineEndsIt(t *testing.T) {
	stories(t, "deadline", func(_ *testing.T, s *teller) {
		s.world.broken["app:v2"] = true
		s.world.service("mumbai/backend").breaker = false
		s.run(60)
		s.then("the image is fixed", func() { s.image = "app:v3" })
		s.settle()
	}, "mumbai/backend")
}

func TestADeploymentOfOthersThatNeverEndsIsFollowed(t *testing.T) {
	stories(t, "followed", func(_ *testing.T, s *teller) {
		s.world.broken["app:v2"] = true
		s.world.service("mumbai/backend").breaker = false
		s.image = "app:v1"
		s.settle()
		svc := s.world.service("mumbai/backend")
		s.then("v2 is asked for, and somebody deploys it with other settings", func() {
			s.image = "app:v2"
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v2", env: "env2"}))
		})
		s.run(120)
		s.then("the image is fixed", func() { s.image = "app:v3" })
		s.settle()
	}, "mumbai/backend")
}

func TestLostAnswersAreFoundByLooking(t *testing.T) {
	stories(t, "lost-answers", func(_ *testing.T, s *teller) {
		s.lose = true
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestCallsThatNeverArrivedAreMadeAgain(t *testing.T) {
	stories(t, "dropped-calls", func(_ *testing.T, s *teller) {
		s.drop = true
		s.run(2)
		s.then("calls arrive again", func() { s.drop = false })
		s.run(2)
		s.then("calls never arrive", func() { s.drop = true })
		s.run(1)
		s.then("calls arrive again", func() { s.drop = false })
		s.settle()
	}, "mumbai/backend")
}

func TestLooksThatLagBehindChangeNothing(t *testing.T) {
	stories(t, "lagging-looks", func(_ *testing.T, s *teller) {
		s.lag = 2
		s.settle()
		s.then("looks show the world as it is", func() { s.lag = 0 })
		s.settle()
	}, "mumbai/backend")
}

func TestAForeignImageIsReverted(t *testing.T) {
	stories(t, "drift", func(_ *testing.T, s *teller) {
		s.settle()
		svc := s.world.service("mumbai/backend")
		s.then("somebody deploys app:v1 with other settings", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: "env2"}))
		})
		s.settle()
		s.then("somebody deploys app:v2 with yet other settings", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v2", env: "env3"}))
		})
		s.settle()
		s.then("somebody deploys the first revision again", func() { s.world.update(svc, "mumbai-backend:1") })
		s.settle()
	}, "mumbai/backend")
}

func TestASuspendedReleaseStartsNothing(t *testing.T) {
	stories(t, "suspended", func(_ *testing.T, s *teller) {
		s.policy.Suspended = true
		s.settle()
		s.then("it is resumed", func() { s.policy.Suspended = false })
		s.run(2)
		s.then("it is suspended while it is under way", func() { s.policy.Suspended = true })
		s.settle()
	}, "mumbai/backend")
}

func TestAMissingServiceHoldsTheReleaseUpAndAnInvisibleOneItselfOnly(t *testing.T) {
	stories(t, "preflight", func(_ *testing.T, s *teller) {
		s.world.service("virginia/backend").gone = true
		s.settle()
		s.then("the service is created", func() { s.world.service("virginia/backend").gone = false })
		s.then("virginia throttles", func() {
			s.blind["virginia/backend"] = &Problem{Class: ProblemThrottled, Message: "DescribeServices: Rate exceeded"}
		})
		s.settle()
		s.then("virginia answers", func() { clear(s.blind) })
		s.settle()
		s.then("virginia throttles again", func() {
			s.blind["virginia/backend"] = &Problem{Class: ProblemThrottled, Message: "DescribeServices: Rate exceeded"}
		})
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestANewerImageSupersedesOneThatIsUnderWay(t *testing.T) {
	stories(t, "superseded", func(_ *testing.T, s *teller) {
		s.run(3)
		s.then("v3 is asked for", func() { s.image = "app:v3" })
		s.settle()
		s.then("v2 is asked for again", func() { s.image = "app:v2" })
		s.settle()
	}, "mumbai/backend")
}

func TestServicesThatRunTheImageAreAdopted(t *testing.T) {
	stories(t, "adoption", func(_ *testing.T, s *teller) {
		s.image = "app:v1"
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}
