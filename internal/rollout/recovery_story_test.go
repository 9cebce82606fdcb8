package rollout

import (
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func TestEveryServiceThatWasTouchedGoesBack(t *testing.T) {
	stories(t, "rollback-of-all-touched", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"mumbai": 0, "virginia": 1, "tokyo": 2}
		s.run(4)
		s.then("virginia cannot run v2", func() { s.world.broken["app:v2"] = true })
		s.settle()
	}, "mumbai/backend", "virginia/backend", "tokyo/backend")
}

func TestOurDeploymentsInFlightAreStoppedWhenAnotherFails(t *testing.T) {
	stories(t, "rollback-in-flight", func(_ *testing.T, s *teller) {
		s.world.service("mumbai/backend").grow(9)
		s.world.service("virginia/backend").grow(9)
		s.run(3)
		s.then("virginia's tasks crash", func() {
			virginia := s.world.service("virginia/backend")
			record := virginia.records[len(virginia.records)-1]
			record.BreakerTriggered, record.FailedTasks, record.Threshold = true, 3, 3
			s.world.rollBack(virginia, record, "Service deployment rolled back because the circuit breaker threshold was exceeded.")
		})
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestAStopThatDoesNothingIsFollowedByAnUpdate(t *testing.T) {
	stories(t, "rollback-deaf", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.breaker, svc.deaf = false, true
		s.world.broken["app:v2"] = true
		s.run(60)
		s.settle()
	}, "mumbai/backend")
}

func TestWhereECSWentToAnotherRevisionTheProvenOneIsBroughtBack(t *testing.T) {
	stories(t, "rollback-elsewhere", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.backTo = s.world.register(svc, taskDefinition{image: "app:v0", env: "env0"})
		s.world.broken["app:v2"] = true
		s.settle()
	}, "mumbai/backend")
}

func TestAProvenRevisionThatIsInactiveIsRegisteredOnceMore(t *testing.T) {
	stories(t, "rollback-inactive", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.breaker, svc.deaf = false, true
		s.world.broken["app:v2"], s.world.inactive["mumbai-backend:1"] = true, true
		s.run(60)
		s.settle()
	}, "mumbai/backend")
}

func TestLostAnswersOfARollbackAreFoundByLooking(t *testing.T) {
	stories(t, "rollback-lost-answers", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.breaker, svc.backTo = false, s.world.register(svc, taskDefinition{image: "app:v0", env: "env0"})
		s.world.broken["app:v2"], s.world.inactive["mumbai-backend:1"], s.lose = true, true, true
		s.run(60)
		s.settle()
	}, "mumbai/backend")
}

func TestARollbackThatNeverEndsHasFailed(t *testing.T) {
	stories(t, "rollback-stuck", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.stuck, s.world.broken["app:v2"] = true, true
		s.run(60)
		s.then("ECS gets there after all", func() { svc.stuck = false })
		s.settle()
	}, "mumbai/backend")
}

func TestARollbackWhoseDeploymentFailsHasFailed(t *testing.T) {
	stories(t, "rollback-failed", func(_ *testing.T, s *teller) {
		s.settle()
		s.then("v3 does not run, and neither does what it goes back to", func() {
			s.image = "app:v3"
			s.world.broken["app:v2"], s.world.broken["app:v3"] = true, true
			s.world.service("mumbai/backend").backTo = "mumbai-backend:1"
		})
		s.settle()
		s.then("somebody fixes v2 and asks once more", func() { delete(s.world.broken, "app:v2"); delete(s.world.broken, "app:v3") })
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestWithNothingProvenThereIsNoWayBack(t *testing.T) {
	stories(t, "rollback-unproven", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.deployments[0].Running, s.world.broken["app:v2"] = 0, true
		s.settle()
	}, "mumbai/backend")
}

func TestASuspendedReleaseRollsBackWhenItIsResumed(t *testing.T) {
	stories(t, "rollback-suspended", func(_ *testing.T, s *teller) {
		s.world.service("mumbai/backend").breaker = false
		s.world.broken["app:v2"] = true
		s.run(43)
		s.then("it is suspended just before its deadline", func() { s.policy.Suspended = true })
		s.run(80)
		s.then("it is resumed", func() { s.policy.Suspended = false })
		s.run(38)
		s.then("it is suspended right after it failed", func() { s.policy.Suspended = true })
		s.run(80)
		s.then("it is resumed", func() { s.policy.Suspended = false })
		s.settle()
	}, "mumbai/backend")
}

func TestABarredReleaseDoesNotEvenRollBack(t *testing.T) {
	stories(t, "rollback-barred", func(_ *testing.T, s *teller) {
		s.world.service("mumbai/backend").breaker = false
		s.world.broken["app:v2"] = true
		s.run(43)
		s.then("its environment is deleted", func() {
			s.barred = &Problem{Class: ProblemRefused, Reason: ecsv1alpha1.ReasonNoEnvironment, Message: "no EcsEnvironment selects the namespace"}
		})
		s.settle()
		s.then("its environment is back", func() { s.barred = nil })
		s.settle()
	}, "mumbai/backend")
}

func TestWithHoldAFailureLeavesThingsAsTheyAre(t *testing.T) {
	stories(t, "failure-hold", func(_ *testing.T, s *teller) {
		s.onFailure = ecsv1alpha1.FailureHold
		s.wave = map[string]int32{"virginia": 1}
		s.world.service("mumbai/backend").breaker = false
		s.world.broken["app:v2"] = true
		s.run(60)
		s.then("the image is fixed where it is", func() { delete(s.world.broken, "app:v2") })
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestADeploymentOnAServiceThatFailedIsLeftStanding(t *testing.T) {
	stories(t, "drift-after-failure", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		s.world.broken["app:v2"] = true
		s.settle()
		s.then("somebody deploys app:v1 with other settings", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: "env2"}))
		})
		s.settle()
		s.then("with these settings v2 runs", func() { delete(s.world.broken, "app:v2") })
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestAnAbortedDeploymentIsRolledBack(t *testing.T) {
	stories(t, "abort", func(_ *testing.T, s *teller) {
		s.world.service("mumbai/backend").grow(9)
		s.run(4)
		s.command("abort", "1")
		s.settle()
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestAnAbortedDeploymentIsLeftAsItIsWithHold(t *testing.T) {
	stories(t, "abort-hold", func(_ *testing.T, s *teller) {
		s.onFailure = ecsv1alpha1.FailureHold
		s.world.service("mumbai/backend").grow(9)
		s.run(4)
		s.command("abort", "1")
		s.run(2)
		s.command("retry", "0")
		s.run(2)
		s.command("abort", "2")
		s.settle()
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestANewImageWaitsUntilAStopHasTakenEffect(t *testing.T) {
	stories(t, "abort-then-new-image", func(_ *testing.T, s *teller) {
		s.world.service("mumbai/backend").grow(9)
		s.run(4)
		s.command("abort", "1")
		s.run(2)
		s.then("v3 is asked for while ECS rolls v2 back", func() { s.image = "app:v3" })
		s.settle()
	}, "mumbai/backend")
}

func TestGoingBackMidFlightTakesTheKnownRevision(t *testing.T) {
	stories(t, "back-mid-flight", func(_ *testing.T, s *teller) {
		s.run(3)
		s.then("v1 is asked for again", func() { s.image = "app:v1" })
		s.settle()
	}, "mumbai/backend")
}

// canary are the stages of a service whose deployments shift traffic twice.
var canary = []stage{
	{"PRE_SCALE_UP", 0},
	{"SCALE_UP", 0},
	{"POST_SCALE_UP", 0},
	{"PRODUCTION_TRAFFIC_SHIFT", 5},
	{"PRODUCTION_TRAFFIC_SHIFT", 100},
	{"POST_PRODUCTION_TRAFFIC_SHIFT", 100},
	{"BAKE_TIME", 100},
	{"CLEAN_UP", 100},
}

func TestACanaryIsFollowedThroughItsStages(t *testing.T) {
	stories(t, "canary", func(t *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.stages = canary
		s.run(6)
		d := s.memory["mumbai/backend"].Deployment
		if d.Stage != "PRODUCTION_TRAFFIC_SHIFT" || d.Weight == nil || *d.Weight != 5 {
			t.Errorf("stage %s, weight %v, want PRODUCTION_TRAFFIC_SHIFT with 5", d.Stage, d.Weight)
		}
		s.settle()
		if d := s.memory["mumbai/backend"].Deployment; len(d.Stages) != 7 || d.MaxWeight != 100 {
			t.Errorf("stages %q up to %d%%, want all seven up to 100%%", d.Stages, d.MaxWeight)
		}
	}, "mumbai/backend")
}

func TestAPausedDeploymentWaitsForAPerson(t *testing.T) {
	stories(t, "hook-approved", func(t *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.stages, svc.pauses = canary, map[string]bool{"POST_SCALE_UP": true}
		s.settle()
		s.then("two hours pass", func() { s.run(480) })
		s.command("approve", "hook-pause1")
		s.run(1)
		s.command("approve", "hook-pause2")
		s.settle()
		if m := s.memory["mumbai/backend"]; m.Hook != nil || len(s.ledger.Awaiting) > 0 {
			t.Errorf("hook %+v, awaiting %+v, want none", m.Hook, s.ledger.Awaiting)
		}
	}, "mumbai/backend")
}

func TestAPausedDeploymentIsRolledBackByAnAbort(t *testing.T) {
	stories(t, "hook-aborted", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.stages, svc.pauses = canary, map[string]bool{"POST_SCALE_UP": true}
		s.settle()
		s.command("abort", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestAnApprovalWhoseAnswerIsLostIsGivenOnce(t *testing.T) {
	stories(t, "hook-lost-answers", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		svc.stages, svc.pauses = canary, map[string]bool{"POST_SCALE_UP": true}
		s.settle()
		s.then("calls never arrive", func() { s.drop = true })
		s.command("approve", "hook-pause2")
		s.run(1)
		s.then("calls arrive again, without answers", func() { s.drop, s.lose = false, true })
		s.settle()
	}, "mumbai/backend")
}

func TestWhoeverTakesTheImageAwayTwiceIsLeftToAPerson(t *testing.T) {
	stories(t, "drift-twice", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		deploy := func(env string) {
			s.then("somebody deploys app:v1 with "+env, func() {
				s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: env}))
			})
		}
		s.settle()
		deploy("env2")
		s.settle()
		s.then("two hours pass", func() { s.run(480) })
		deploy("env3")
		s.settle()
		deploy("env4")
		s.settle()
		s.then("two hours pass", func() { s.run(480) })
		deploy("env5")
		s.settle()
		s.command("retry", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestDriftIsOnlyReportedWhereThePolicySaysSo(t *testing.T) {
	stories(t, "drift-report", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		s.policy.Report = true
		s.settle()
		s.then("somebody deploys app:v1 with other settings", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: "env2"}))
		})
		s.settle()
		s.then("drift is to be reverted", func() { s.policy.Report = false })
		s.settle()
	}, "mumbai/backend")
}

func TestANewBaseStartsARollout(t *testing.T) {
	stories(t, "base-family", func(_ *testing.T, s *teller) {
		s.family = true
		svc := s.world.service("mumbai/backend")
		s.settle()
		s.then("terraform registers a revision", func() { s.world.register(svc, taskDefinition{image: "app:v0", env: "env2"}) })
		s.settle()
		s.then("v3 is broken", func() { s.image, s.world.broken["app:v3"] = "app:v3", true })
		s.settle()
		s.then("terraform registers one with which it runs", func() {
			delete(s.world.broken, "app:v3")
			s.world.register(svc, taskDefinition{image: "app:v0", env: "env3"})
		})
		s.settle()
	}, "mumbai/backend")
}

func TestARestartIsStartedOnce(t *testing.T) {
	stories(t, "restart", func(_ *testing.T, s *teller) {
		s.settle()
		s.command("restart", "1")
		s.settle()
		s.then("answers get lost", func() { s.lose = true })
		s.command("restart", "2")
		s.settle()
		s.then("the tasks crash after the restart", func() { s.lose, s.world.broken["app:v2"] = false, true })
		s.command("restart", "3")
		s.settle()
		s.then("they would run again", func() { delete(s.world.broken, "app:v2") })
		s.settle()
		s.command("retry", "4")
		s.settle()
	}, "mumbai/backend")
}

func TestARestartThatFailsIsTakenBackAndGoesNoFurther(t *testing.T) {
	stories(t, "restart-fails", func(_ *testing.T, s *teller) {
		s.wave = map[string]int32{"virginia": 1}
		s.settle()
		s.then("tasks that start crash, and there is no breaker", func() {
			s.world.broken["app:v2"] = true
			s.world.service("mumbai/backend").breaker = false
		})
		s.command("restart", "1")
		s.run(60)
		s.settle()
		s.then("they do not crash any more", func() { delete(s.world.broken, "app:v2") })
		s.command("retry", "2")
		s.settle()
	}, "mumbai/backend", "virginia/backend")
}

func TestARestartWaitsWhileSuspended(t *testing.T) {
	stories(t, "restart-suspended", func(_ *testing.T, s *teller) {
		s.settle()
		s.then("it is suspended", func() { s.policy.Suspended = true })
		s.command("restart", "1")
		s.settle()
		s.then("it is resumed", func() { s.policy.Suspended = false })
		s.settle()
	}, "mumbai/backend")
}

func TestAHoldGoesBackToTheVeryRevisions(t *testing.T) {
	stories(t, "hold", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		s.settle()
		s.then("v3 is asked for", func() { s.image = "app:v3" })
		s.settle()
		s.command("hold", "1/previous")
		s.settle()
		s.then("somebody deploys app:v1", func() {
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: "env2"}))
		})
		s.settle()
		s.command("release-hold", "1")
		s.settle()
	}, "mumbai/backend")
}

func TestEvidenceIsWaitedForAsLongAsItMay(t *testing.T) {
	in := steadyInput()
	flyingSince(&in, 10*time.Minute)
	recordedAs(&in, "ROLLBACK_SUCCESSFUL").Finished = now.Add(-time.Minute)
	in.Facts.EvidenceAt, in.Facts.Evidence = time.Time{}, nil
	in.Facts.Problem = &Problem{Class: ProblemThrottled, Message: "Rate exceeded"}
	if d := Decide(in); d.Memory.State != ecsv1alpha1.ServiceDeploying || d.Failure != nil {
		t.Errorf("a minute after the failure: %s, %+v, want it to wait", d.Memory.State, d.Failure)
	}
	for name, change := range map[string]func(*Input){
		"three minutes after the failure": func(in *Input) { in.Facts.Ours.Finished = now.Add(-3 * time.Minute) },
		"denied":                          func(in *Input) { in.Facts.Problem.Class = ProblemDenied },
		"out of reach":                    func(in *Input) { in.Facts.Problem.Class = ProblemTransient },
	} {
		in := in
		problem, ours := *in.Facts.Problem, *in.Facts.Ours
		in.Facts.Problem, in.Facts.Ours = &problem, &ours
		change(&in)
		d := Decide(in)
		if d.Memory.State != ecsv1alpha1.ServiceFailed || d.Failure == nil || !foundIn(d.Failure.Message, "could not be read: Rate exceeded") {
			t.Errorf("%s: %s, %+v, want a failure that says what could not be read", name, d.Memory.State, d.Failure)
		}
	}
}

func TestAnImageThatFailedIsTriedAgainWithAnotherTaskDefinition(t *testing.T) {
	stories(t, "failed-then-another-base", func(_ *testing.T, s *teller) {
		svc := s.world.service("mumbai/backend")
		s.world.broken["app:v2"] = true
		s.settle()
		s.then("v1 is asked for", func() { s.image = "app:v1" })
		s.settle()
		s.then("v2 is asked for again", func() { s.image = "app:v2" })
		s.settle()
		s.then("v1 is asked for, and somebody deploys it with other settings", func() {
			s.image = "app:v1"
			s.world.update(svc, s.world.register(svc, taskDefinition{image: "app:v1", env: "env2"}))
		})
		s.settle()
		s.then("v2 is asked for once more", func() {
			s.image = "app:v2"
			delete(s.world.broken, "app:v2")
		})
		s.settle()
	}, "mumbai/backend")
}

func TestEventsThatComeLateBelongToTheFailureOnRecordOnly(t *testing.T) {
	recorded := seconds(now.Add(-5 * time.Second))
	for name, c := range map[string]struct {
		change func(*ecsv1alpha1.Failure, *ecsv1alpha1.ServiceStatus)
		want   bool
	}{
		"a failure a moment ago": {func(*ecsv1alpha1.Failure, *ecsv1alpha1.ServiceStatus) {}, true},
		"it has events":          {func(f *ecsv1alpha1.Failure, _ *ecsv1alpha1.ServiceStatus) { f.Events = []ecsv1alpha1.ServiceEvent{{}} }, false},
		"it was some time ago": {func(f *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) {
			f.At, m.Failed[0].At = seconds(now.Add(-eventsLag)), seconds(now.Add(-eventsLag))
		}, false},
		"by another clock": {func(f *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) {
			f.At, m.Failed[0].At = seconds(now.Add(time.Minute)), seconds(now.Add(time.Minute))
		}, false},
		"of another service":            {func(f *ecsv1alpha1.Failure, _ *ecsv1alpha1.ServiceStatus) { f.Service = "worker" }, false},
		"somebody aborted the next one": {func(f *ecsv1alpha1.Failure, _ *ecsv1alpha1.ServiceStatus) { f.Class = ecsv1alpha1.FailureAborted }, false},
		"somebody aborted it": {func(f *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) {
			f.Class, m.Failed[0].Class = ecsv1alpha1.FailureAborted, ecsv1alpha1.FailureAborted
		}, false},
		"an older one of the same class": {func(_ *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) {
			m.Failed[0].At = seconds(now.Add(-time.Hour))
		}, false},
		"another deployment is under way": {func(_ *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) { m.Deployment.Outcome = "" }, false},
		"it was the way back": {func(_ *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) {
			m.Deployment.Purpose = ecsv1alpha1.PurposeRollback
		}, false},
		"we stopped it": {func(_ *ecsv1alpha1.Failure, m *ecsv1alpha1.ServiceStatus) {
			m.Rollback = &ecsv1alpha1.RollbackStatus{Stopped: true}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureContainerExited, Service: "backend", At: recorded}
			m := &ecsv1alpha1.ServiceStatus{
				Name:       "backend",
				Deployment: &ecsv1alpha1.DeploymentStatus{Hash: "v1-x", Outcome: ecsv1alpha1.DeploymentFailed},
				Failed:     []ecsv1alpha1.FailedContent{{Hash: "v1-x", Class: f.Class, At: recorded}},
			}
			c.change(f, m)
			if got := LacksEvents(f, m, now); got != c.want {
				t.Errorf("it may lack events: %t, wanted %t", got, c.want)
			}
		})
	}
}
