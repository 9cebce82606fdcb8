package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutation is a safety line that is taken out, and the tests of which one must notice.
type mutation struct {
	name string
	// file has old in it, exactly once; new takes its place. The result compiles.
	file     string
	old, new string
	catchers []catcher
	// why is what the line is for.
	why string
}

// check finds every line of the table that does not fit the sources below root any more: one that
// is gone would make a mutation that changes nothing, and one that is there twice a doubtful one.
func check(root string, mutations []mutation) error {
	var errs []error
	names := map[string]bool{}
	for _, m := range mutations {
		source, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			errs = append(errs, fmt.Errorf("mutation %q: %w", m.name, err))
			continue
		}
		if n := strings.Count(string(source), m.old); n != 1 {
			errs = append(errs, fmt.Errorf("mutation %q: %s has this %d times, wanted once; adapt the table:\n%s", m.name, m.file, n, m.old))
		}
		if m.old == m.new || names[m.name] || len(m.catchers) == 0 || m.why == "" {
			errs = append(errs, fmt.Errorf("mutation %q: it changes nothing, has the name of another, or lacks tests or its why", m.name))
		}
		names[m.name] = true
	}
	return errors.Join(errs...)
}

// The packages whose tests catch mutations.
const (
	rolloutTests = "./internal/rollout"
	cloudTests   = "./internal/cloud"
	leaderTests  = "./internal/leader"
	safetyTests  = "./controllers/safety"
	managerTests = "./cmd/manager"
	wayInTests   = "./internal/wayin"
)

var table = []mutation{
	{
		name:     "no intent before a registration",
		file:     "controllers/act.go",
		old:      "		s.memory = rollout.Announce(s.memory, s.decision.Step, time.Now())\n",
		new:      "		if s.decision.Step.Action != rollout.ActionRegister {\n			s.memory = rollout.Announce(s.memory, s.decision.Step, time.Now())\n		}\n",
		catchers: []catcher{{safetyTests, "TestNothingIsChangedInAWSWithoutAnIntentInStatus"}},
		why:      "a registration whose answer is lost is found by its intent, or made twice",
	},
	{
		name:     "no intent before an update",
		file:     "controllers/act.go",
		old:      "		s.memory = rollout.Announce(s.memory, s.decision.Step, time.Now())\n",
		new:      "		if s.decision.Step.Action != rollout.ActionUpdate {\n			s.memory = rollout.Announce(s.memory, s.decision.Step, time.Now())\n		}\n",
		catchers: []catcher{{safetyTests, "TestNothingIsChangedInAWSWithoutAnIntentInStatus"}},
		why:      "an update whose answer is lost is found by its intent, or made twice",
	},
	{
		name:     "intents are not written before the calls",
		file:     "controllers/act.go",
		old:      "	if err := r.announce(ctx, p); err != nil {\n",
		new:      "	if err := error(nil); err != nil {\n",
		catchers: []catcher{{safetyTests, "TestNothingIsChangedInAWSWithoutAnIntentInStatus"}},
		why:      "an intent that is only in memory dies with the process",
	},
	{
		name:     "no resourceVersion on the intent",
		file:     "controllers/report.go",
		old:      "	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})\n",
		new:      "	patch := client.MergeFrom(base)\n",
		catchers: []catcher{{safetyTests, "TestAReleaseThatChangesUnderAPassHasNothingDoneForIt"}},
		why:      "a pass over a release that has changed, or that another leader wrote, must make no call",
	},
	{
		name:     "failed content is tried again",
		file:     "internal/rollout/decide.go",
		old:      "	failedBefore,\n",
		new:      "",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "a broken image is not deployed again by itself",
	},
	{
		name:     "old observations are acted on",
		file:     "controllers/decide.go",
		old:      "!p.fresh(s, r.Freshness)",
		new:      "!p.fresh(s, 24*time.Hour)",
		catchers: []catcher{{safetyTests, "TestAStepIsBasedOnAYoungObservation"}},
		why:      "a revision derived from what ran minutes ago takes back what somebody changed since",
	},
	{
		name:     "an early look proves that a registration was not made",
		file:     "internal/rollout/intent.go",
		old:      "	case looked && !s.Facts.EqualAt.Before(s.provenBy(i)):\n",
		new:      "	case looked:\n",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "the list of revisions lags: a look soon after a lost answer finds nothing of what was made",
	},
	{
		name:     "an early look proves that an update was not made",
		file:     "internal/rollout/intent.go",
		old:      "	if looked && !s.Facts.OursAt.Before(proven) && !s.View.At.Before(proven) {\n",
		new:      "	if looked && !proven.IsZero() {\n",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "ECS shows an update late: a look soon after a lost answer finds nothing of what was made",
	},
	{
		name:     "the write gate is not asked",
		file:     "internal/cloud/call.go",
		old:      "		if err := e.fleet.options.Gate(e.environment, time.Until(e.deadline)); err != nil {\n",
		new:      "		if err := error(nil); err != nil {\n",
		catchers: []catcher{{cloudTests, "TestNothingIsSentWhileTheWriteGateIsShut"}},
		why:      "who has lost the lease, or is about to, must change nothing",
	},
	{
		name:     "the write gate does not count how long a call may take",
		file:     "internal/leader/lock.go",
		old:      "	if left < needed {\n",
		new:      "	if left <= 0 {\n",
		catchers: []catcher{{leaderTests, "Test"}},
		why:      "a call must end before the lease does",
	},
	{
		name:     "the gate stays open when the lease is lost",
		file:     "internal/leader/lock.go",
		old:      "	if record.HolderIdentity != l.Identity() {\n		l.renewed = time.Time{}\n",
		new:      "	if record.HolderIdentity != l.Identity() {\n",
		catchers: []catcher{{leaderTests, "Test"}},
		why:      "who released the lease must change nothing",
	},
	{
		name:     "who has lost the lease writes its status",
		file:     "controllers/ownership.go",
		old:      "		if err := o.Lead.Held(); err != nil {\n",
		new:      "		if err := error(nil); err != nil {\n",
		catchers: []catcher{{safetyTests, "TestWhoHasLostTheLeaseWritesNoStatus"}},
		why:      "a leader that was paused would write what it saw before over what its successor has seen since",
	},
	{
		name:     "a new leader acts at once",
		file:     "internal/leader/lock.go",
		old:      "		l.opens = time.Now().Add(closed)\n",
		new:      "		l.opens = time.Now()\n",
		catchers: []catcher{{leaderTests, "Test"}},
		why:      "a call of the last leader may still be under way",
	},
	{
		name:     "the new leader's wait is not the length of a call",
		file:     "cmd/manager/election.go",
		old:      "o.leaseDuration, o.margin(), o.retryPeriod+o.callTimeout)",
		new:      "o.leaseDuration, o.margin(), 0)",
		catchers: []catcher{{managerTests, "TestANewLeaderWaitsForTheCallsOfTheLastOne"}},
		why:      "a call of the last leader may take as long as any",
	},
	{
		name:     "an environment is given back under a pass",
		file:     "internal/leader/claims.go",
		old:      "	if c.wanted || c.inside > 0 {\n",
		new:      "	if c.wanted {\n",
		catchers: []catcher{{leaderTests, "TestAClaimIsGivenBackWhenNothingIsDoneUnderIt"}},
		why:      "the next owner would act beside what is under way",
	},
	{
		name:     "who leads no more gives environments back",
		file:     "internal/leader/claims.go",
		old:      "NewLock(&led{lock, c.leading, known.vacant},",
		new:      "NewLock(lock,",
		catchers: []catcher{{leaderTests, "TestTheNextLeaderOfAManagerGoesOnWithItsClaims"}},
		why:      "it would give away what its successor holds in the same name",
	},
	{
		name:     "the write gate does not ask whose the environment is",
		file:     "controllers/ownership.go",
		old:      "	return o.Claims.Gate(environment, needed)\n",
		new:      "	return nil\n",
		catchers: []catcher{{safetyTests, "TestTheGateOfAnEnvironmentIsItsOwnersAlone"}},
		why:      "a pass that outlasts the lease of its environment must change nothing",
	},
	{
		name:     "a pass does not ask whose the environment is",
		file:     "controllers/ownership.go",
		old:      "	return o.Claims.Enter(environment.Name)\n",
		new:      "	return func() {}, true\n",
		catchers: []catcher{{safetyTests, "TestTheReleasesOfAnotherManagersEnvironmentAreLeftAlone"}},
		why:      "two managers would act on one environment",
	},
	{
		name:     "any namespace is in the environment",
		file:     "controllers/environment.go",
		old:      "	if slices.Contains(selector.Names, namespace.Name) {\n",
		new:      "	if len(selector.Names) > 0 {\n",
		catchers: []catcher{{safetyTests, "TestAReleaseWithoutAnEnvironmentTouchesNothing"}},
		why:      "who may deploy is the environment's to say",
	},
	{
		name:     "any destination covers a target",
		file:     "controllers/environment.go",
		old:      "		if !covers(destination, target.Region, target.Cluster, service) {\n",
		new:      "		if destination.Region == \"\" {\n",
		catchers: []catcher{{safetyTests, "TestATargetOutsideOfTheEnvironmentHoldsTheWholeReleaseUp"}},
		why:      "where may be deployed is the environment's to say",
	},
	{
		name:     "a target that is not allowed does not hold up the others",
		file:     "controllers/resolve.go",
		old:      "		p.barred = p.admit()\n",
		new:      "		_ = p.admit()\n",
		catchers: []catcher{{safetyTests, "TestATargetOutsideOfTheEnvironmentHoldsTheWholeReleaseUp"}},
		why:      "a release that is refused somewhere must not end half way",
	},
	{
		name:     "a permission is taken from the watches",
		file:     "controllers/act.go",
		old:      "	if err := r.stillPermitted(ctx, p); err != nil {\n		return err\n	}\n	for _, s := range steps {\n",
		new:      "	for _, s := range steps {\n",
		catchers: []catcher{{safetyTests, "TestAPermissionThatIsWithdrawnIsMissedByNoStep"}},
		why:      "a permission that is withdrawn takes effect before the next call, however late the watches are",
	},
	{
		name:     "a closed environment is open",
		file:     "controllers/campaign.go",
		old:      "		campaign.Closed = p.closed()\n",
		new:      "		_ = p.closed()\n",
		catchers: []catcher{{safetyTests, "TestAnEnvironmentThatIsClosedStartsNothing"}, {safetyTests, "TestAnImageThatRanNowhereIsNotPromoted"}},
		why:      "when is released, and what has run elsewhere first, is the environment's to say",
	},
	{
		name:     "a hold goes to what never ran",
		file:     "internal/rollout/command.go",
		old:      "		case !CameToAGoodEnd(*entry):\n",
		new:      "		case len(entry.Images) == 0:\n",
		catchers: []catcher{{safetyTests, "TestAHoldIsNoWayRoundAGate"}},
		why:      "a hold is not gated: it must not bring what the gates hold up",
	},
	{
		name:     "services that are added to a started release are not gated",
		file:     "controllers/orders.go",
		old:      "	if p.grown() {\n",
		new:      "	if p.grown() && p.environment == nil {\n",
		catchers: []catcher{{safetyTests, "TestServicesThatAreAddedToAStartedReleaseAreGatedToo"}},
		why:      "what has started goes on, but only with what it started with",
	},
	{
		name:     "a failure elsewhere leaves what an image has soaked",
		file:     "internal/rollout/promotion.go",
		old:      "		p.Failed, p.Seconds = &at, 0\n",
		new:      "		p.Failed = &at\n",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "what failed where it was tried has to prove itself anew",
	},
	{
		name:     "an image of any repository is taken",
		file:     "controllers/orders.go",
		old:      "	p.permitImages()\n",
		new:      "",
		catchers: []catcher{{safetyTests, "TestAnImageThatTheEnvironmentDoesNotTakeIsNotReleased"}},
		why:      "from where images come is the environment's to say",
	},
	{
		name:     "an image's labels are not looked at",
		file:     "controllers/image_checks.go",
		old:      "	if problem := p.judgeLabels(wanted, found, architecture); problem != nil {\n",
		new:      "	if problem := p.judgeLabels(wanted, found, architecture); problem != nil && found.Digest == \"\" {\n",
		catchers: []catcher{{safetyTests, "TestAnImageThatTheEnvironmentDoesNotTakeIsNotReleased"}},
		why:      "what was built from another branch stays out of the environment",
	},
	{
		name:     "calls are signed before it is known for which account",
		file:     "internal/cloud/session.go",
		old:      "	cfg.Credentials = s\n",
		new:      "	cfg.Credentials = s.wallet.provider\n",
		catchers: []catcher{{cloudTests, "TestNothingIsSignedWithCredentialsThatWereNotVerified"}},
		why:      "credentials are renewed between the check of their account and the call",
	},
	{
		name:     "credentials of another account are used",
		file:     "internal/cloud/session.go",
		old:      "account != s.identity.AccountID {\n",
		new:      "account == \"\" {\n",
		catchers: []catcher{{cloudTests, "TestAnIdentityOfAnotherAccountReadsAndChangesNothing"}},
		why:      "an environment is of one account, whatever the credentials are of",
	},
	{
		name:     "the younger of two releases acts too",
		file:     "controllers/resolve.go",
		old:      "		p.barred = problem\n",
		new:      "		_ = problem\n",
		catchers: []catcher{{safetyTests, "TestAServiceBelongsToTheOlderOfTwoReleases"}},
		why:      "two releases that both name a service would push it to and fro",
	},
	{
		name:     "something is started while ECS rolls back",
		file:     "internal/rollout/decide.go",
		old:      "	rollbackInProgress,\n",
		new:      "",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "a deployment started during a rollback leaves the service without one to go back to",
	},
	{
		name:     "a suspended release starts something",
		file:     "internal/rollout/decide.go",
		old:      "	startSuspended,\n",
		new:      "",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "suspend stops all changes",
	},
	{
		name:     "a refused release starts something",
		file:     "internal/rollout/decide.go",
		old:      "	startBlocked,\n",
		new:      "",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "a definite no anywhere holds up the whole release",
	},
	{
		name:     "deployments from before the update are listed",
		file:     "internal/cloud/deployment.go",
		old:      "					CreatedAt:  &types.CreatedAt{After: aws.Time(after)},\n",
		new:      "",
		catchers: []catcher{{cloudTests, "TestADeploymentThatWasUnderWayBeforeTheUpdateIsNotTakenForIt"}},
		why:      "an earlier deployment of the same revision says nothing about this update",
	},
	{
		name:     "an earlier deployment is taken for the update",
		file:     "internal/rollout/intent.go",
		old:      "	return sd.Revision == i.Revision && !sd.Created.Before(i.Since.Add(-skew))\n",
		new:      "	return sd.Revision == i.Revision\n",
		catchers: []catcher{{rolloutTests, "Test"}},
		why:      "an update whose answer was lost was made only if a deployment came after its intent",
	},
	{
		name:     "a registration is sent again without an answer",
		file:     "internal/cloud/change.go",
		old:      "input, sentOnce, ecs.WithAPIOptions(sendBody(d.Request), gate))\n",
		new:      "input, ecs.WithAPIOptions(sendBody(d.Request), gate))\n",
		catchers: []catcher{{cloudTests, "TestAChangeIsSentOnceAndItsErrorSaysWhetherItMayHaveBeenMade"}},
		why:      "RegisterTaskDefinition is not idempotent: the SDK's retry would make a second revision",
	},
	{
		name:     "an update is sent again without an answer",
		file:     "internal/cloud/change.go",
		old:      "			}, sentOnce, ecs.WithAPIOptions(gate))\n		})\n	f.end(k.Identity.AccountID",
		new:      "			}, ecs.WithAPIOptions(gate))\n		})\n	f.end(k.Identity.AccountID",
		catchers: []catcher{{cloudTests, "TestAChangeIsSentOnceAndItsErrorSaysWhetherItMayHaveBeenMade"}},
		why:      "a retry by the SDK would come after the deadline for which the lease was checked",
	},
	{
		name:     "a lost answer counts as a refusal",
		file:     "internal/cloud/call.go",
		old:      "	if exit.sent && !turnedDown(err) && !neverLeft(err) {\n",
		new:      "	if exit.sent && !turnedDown(err) && !neverLeft(err) && httpStatus(err) == 200 {\n",
		catchers: []catcher{{cloudTests, "TestAChangeIsSentOnceAndItsErrorSaysWhetherItMayHaveBeenMade"}},
		why:      "what may have been done must be looked for before it is done again",
	},
	{
		name:     "a family is registered in without a look since the last time",
		file:     "internal/cloud/registrations.go",
		old:      "	case t.busy, !t.changed.IsZero() && !looked.After(t.changed):\n",
		new:      "	case t.busy:\n",
		catchers: []catcher{{cloudTests, "TestAFamilyIsRegisteredIn"}},
		why:      "two services that share a family would register the same content twice",
	},
	{
		name:     "a task definition goes through the SDK's types",
		file:     "internal/cloud/change.go",
		old:      "ecs.WithAPIOptions(sendBody(d.Request), gate))\n",
		new:      "ecs.WithAPIOptions(gate))\n",
		catchers: []catcher{{cloudTests, "TestADerivedDocumentIsRegisteredAsItStands"}},
		why:      "members that the SDK does not know would be deleted from the user's service",
	},
	{
		name:     "what could not be looked at is called broken",
		file:     "internal/wayin/judge.go",
		old:      "		v := finding(ecsv1alpha1.HopUnknown, problem.Message, \"an answer of AWS\", askedAgain)\n",
		new:      "		v := finding(ecsv1alpha1.HopBroken, problem.Message, \"an answer of AWS\", askedAgain)\n",
		catchers: []catcher{{wayInTests, "TestUnknownIsNeverBroken"}},
		why:      "a throttle would have somebody called in the night, for a domain that answers",
	},
	{
		name:     "a wave passes by a way in that is not known",
		file:     "internal/wayin/conclude.go",
		old:      "			return false, fmt.Sprintf(\"%s: %s\", where(h), h.Seen)\n",
		new:      "			continue\n",
		catchers: []catcher{{wayInTests, "TestAWaveDoesNotPassByAWayInThatIsNotKnown"}},
		why:      "the next wave would open although nobody has seen that the first one answers",
	},
}
