package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

var cadence = rollout.Timing{Fast: 5 * time.Second, Slow: 5 * time.Minute}

func TestAProblemRestsAsLongAsItLasts(t *testing.T) {
	for name, c := range map[string]struct {
		problem rollout.Problem
		want    time.Duration
	}{
		"a time-out is looked at again at the fast cadence": {rollout.Problem{Class: rollout.ProblemTransient}, cadence.Fast},
		"a throttle rests as long as it says":               {rollout.Problem{Class: rollout.ProblemThrottled, RetryAfter: 12 * time.Second}, 12 * time.Second},
		"a short throttle does not make it any faster":      {rollout.Problem{Class: rollout.ProblemThrottled, RetryAfter: time.Millisecond}, cadence.Fast},
		"a denial rests until the next slow look":           {rollout.Problem{Class: rollout.ProblemDenied}, cadence.Slow},
		"a missing image rests as long as it says":          {rollout.Problem{Class: rollout.ProblemMissing, RetryAfter: 30 * time.Second}, 30 * time.Second},
		"a refusal rests until the next slow look":          {rollout.Problem{Class: rollout.ProblemRefused}, cadence.Slow},
	} {
		t.Run(name, func(t *testing.T) {
			if got := patience(&c.problem, cadence); got != c.want {
				t.Errorf("it rests for %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheSoonestOfAllReasonsPicksTheNextLook(t *testing.T) {
	refusal := &rollout.Problem{Class: rollout.ProblemRefused}
	slowly := &service{decision: rollout.Decision{Look: time.Hour}}
	for name, c := range map[string]struct {
		verdict  rollout.Verdict
		services []*service
		want     time.Duration
	}{
		"nothing is to come: when something changes": {rollout.Verdict{}, []*service{{}, {}}, 0},
		"the verdict may change by time alone":       {rollout.Verdict{Look: time.Minute}, []*service{slowly}, time.Minute},
		"a service is to be looked at":               {rollout.Verdict{Look: 2 * time.Hour}, []*service{slowly, {}}, time.Hour},
		"a step waits for its turn":                  {rollout.Verdict{}, []*service{slowly, {retryAfter: 3 * time.Second}}, 3 * time.Second},
		"something is in flight":                     {rollout.Verdict{}, []*service{slowly, {decision: rollout.Decision{InFlight: true}}}, cadence.Fast},
		"what is wanted can't be told":               {rollout.Verdict{}, []*service{slowly, {observation: observation{want: rollout.Want{Problem: refusal}}}}, cadence.Slow},
		"a look-up gave nothing":                     {rollout.Verdict{}, []*service{slowly, {observation: observation{facts: rollout.Facts{Problem: refusal}}}}, cadence.Slow},
		"a step was refused":                         {rollout.Verdict{}, []*service{slowly, {refused: refusal}}, cadence.Slow},
		"no pass is made at once after another":      {rollout.Verdict{Look: 3}, []*service{slowly}, soon},
		"in the past is not at all":                  {rollout.Verdict{Look: -time.Second}, []*service{slowly}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (&pass{release: aRelease(nil), services: c.services}).next(cadence, c.verdict); got != c.want {
				t.Errorf("the next look is in %s, want %s", got, c.want)
			}
		})
	}
}

func TestWhatIsRememberedOfAFailureIsLookedAtOnceMore(t *testing.T) {
	failed := &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureAborted}
	for name, c := range map[string]struct {
		before, after *ecsv1alpha1.Failure
		want          time.Duration
	}{
		"one that is new": {nil, failed, soon}, "one that is over": {failed, nil, soon}, "the same": {failed, failed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pass{release: aRelease(nil)}
			p.before.Failure, p.release.Status.Failure = c.before, c.after
			if got := p.next(cadence, rollout.Verdict{}); got != c.want {
				t.Errorf("the next look is in %s, want %s", got, c.want)
			}
		})
	}
}

func TestAServiceThatTurnsOutNotToBeTouchedIsLookedAtOnceMore(t *testing.T) {
	p := &pass{release: aRelease(nil), environment: anEnvironment(nil), failing: true}
	p.images, _ = wantedImages(p.release)
	p.images[0].digest = digestOne
	p.services = place(p.release, p.environment)
	s := p.services[0]
	s.memory.Inputs = p.inputsOf(s)
	s.memory.Failed = []ecsv1alpha1.FailedContent{{Hash: "h", Inputs: s.memory.Inputs}}
	for goal, want := range map[rollout.Goal]time.Duration{rollout.GoalRollback: soon, rollout.GoalRelease: 0} {
		s.goal = goal
		if got := p.next(cadence, rollout.Verdict{}); got != want {
			t.Errorf("what the pass took for %s is looked at in %s, want %s", goal, got, want)
		}
	}
}

func TestConditionsThatOnlyExistWhenTrueComeAndGo(t *testing.T) {
	var status ecsv1alpha1.EcsReleaseStatus
	at := metav1.Unix(1000, 0)
	verdict := func(ready metav1.ConditionStatus, reconciling, stalled bool) rollout.Verdict {
		return rollout.Verdict{
			PhaseRow:       rollout.PhaseRow{Ready: ready, Reconciling: reconciling, Stalled: stalled},
			ReadyCondition: rollout.Condition{Status: ready, Reason: "R", Message: "m"},
			ImageAvailable: rollout.Condition{Status: metav1.ConditionTrue, Reason: "I"},
			Deployed:       rollout.Condition{Status: ready, Reason: "D"},
		}
	}
	types := func() []string {
		var all []string
		for _, condition := range status.Conditions {
			all = append(all, condition.Type+"="+string(condition.Status))
			if condition.ObservedGeneration != 7 || condition.Reason == "" {
				t.Errorf("condition %+v has no generation of its own, or no reason", condition)
			}
		}
		return all
	}
	for _, c := range []struct {
		verdict rollout.Verdict
		want    []string
	}{
		{verdict(metav1.ConditionFalse, true, false), []string{"Ready=False", "Reconciling=True", "ImageAvailable=True", "Deployed=False"}},
		{verdict(metav1.ConditionFalse, false, true), []string{"Ready=False", "Stalled=True", "ImageAvailable=True", "Deployed=False"}},
		{verdict(metav1.ConditionTrue, false, false), []string{"Ready=True", "ImageAvailable=True", "Deployed=True"}},
	} {
		setConditions(&status, c.verdict, 7, at)
		if diff := cmp.Diff(c.want, types(), cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
	}
}

func TestTheImageLineFitsIntoStatus(t *testing.T) {
	p := &pass{images: []*wantedImage{{spelled: "app:v1"}, {spelled: "proxy:v2"}}}
	if got := p.imageLine(); got != "app:v1,proxy:v2" {
		t.Errorf("the line is %q", got)
	}
	long := &pass{}
	for range 16 {
		long.images = append(long.images, &wantedImage{spelled: strings.Repeat("x", 512)})
	}
	if got := long.imageLine(); len(got) != 1024 || !strings.HasSuffix(got, "...") {
		t.Errorf("the line has %d characters and ends in %q, want 1024 and dots", len(got), got[len(got)-3:])
	}
}

func TestTheAccountOfATargetOutlivesItsEnvironment(t *testing.T) {
	release := aRelease(nil)
	release.Status.Targets = []ecsv1alpha1.TargetStatus{{Name: "before", AccountID: anAccount, Region: "ap-south-1", Cluster: "helium-mumbai-cluster", Services: []ecsv1alpha1.ServiceStatus{{Name: "backend"}}}}
	p := &pass{release: release, services: place(release, nil)}
	recall(p.services, release.Status.Targets)
	targets := p.targets()
	if len(targets) != 1 || targets[0].Name != "mumbai" || targets[0].AccountID != anAccount {
		t.Errorf("targets: %+v, want mumbai in %s", targets, anAccount)
	}
	p.services[0].key = cloud.Key{Identity: cloud.Identity{AccountID: twinAccount}}
	if got := p.account(p.services[0]); got != twinAccount {
		t.Errorf("the account is %s, want the one that the environment names now", got)
	}
}

func TestTargetsInTwoAccountsKeepTheirAccountsWithoutAnEnvironment(t *testing.T) {
	release := aRelease(nil)
	one, two := release.Spec.Targets[0], release.Spec.Targets[0]
	two.Name = "twin"
	one.Services, two.Services = []ecsv1alpha1.Service{{Name: "backend"}}, []ecsv1alpha1.Service{{Name: "worker"}}
	release.Spec.Targets = []ecsv1alpha1.Target{one, two}
	release.Status.Targets = []ecsv1alpha1.TargetStatus{
		{Name: one.Name, AccountID: anAccount, Region: one.Region, Cluster: one.Cluster, Services: []ecsv1alpha1.ServiceStatus{{Name: "backend"}}},
		{Name: two.Name, AccountID: twinAccount, Region: two.Region, Cluster: two.Cluster, Services: []ecsv1alpha1.ServiceStatus{{Name: "worker"}}},
	}
	p := &pass{release: release, services: place(release, nil)}
	recall(p.services, release.Status.Targets)
	targets := p.targets()
	if len(targets) != 2 || targets[0].AccountID != anAccount || targets[1].AccountID != twinAccount {
		t.Errorf("targets: %+v, want them in %s and %s as before", targets, anAccount, twinAccount)
	}
}

func TestWhatIsRememberedOutlivesAnAccountThatIsAMistake(t *testing.T) {
	release := aRelease(nil)
	release.Status.Targets = []ecsv1alpha1.TargetStatus{{
		Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster", AccountID: anAccount,
		Services: []ecsv1alpha1.ServiceStatus{{
			Name: "backend", State: ecsv1alpha1.ServiceRolledBack, Hash: "h1",
			Failed: []ecsv1alpha1.FailedContent{{Hash: "h2", Class: ecsv1alpha1.FailureContainerExited}},
		}},
	}}
	mistaken := anEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.AWS.AccountID = twinAccount })
	look := func(environment *ecsv1alpha1.EcsEnvironment, view *rollout.View) ecsv1alpha1.TargetStatus {
		p := &pass{release: release, services: place(release, environment)}
		recall(p.services, release.Status.Targets)
		p.services[0].view = view
		if view.Problem != nil {
			p.services[0].memory.State, p.services[0].memory.Reason = ecsv1alpha1.ServiceUnknown, view.Problem.Reason
		}
		release.Status.Targets = p.targets()
		return release.Status.Targets[0]
	}
	denied := &rollout.View{Problem: refused(ecsv1alpha1.ReasonAccountMismatch, "it is of account %s", anAccount)}

	for range 2 {
		got := look(mistaken, denied)
		if got.AccountID != anAccount || got.Services[0].Hash != "h1" || len(got.Services[0].Failed) != 1 {
			t.Fatalf("while the other account shows nothing, %+v is remembered: wanted what was in account %s", got, anAccount)
		}
		if got.Services[0].State != ecsv1alpha1.ServiceUnknown || got.Services[0].Reason != ecsv1alpha1.ReasonAccountMismatch {
			t.Fatalf("the service is said to be %s %s, wanted Unknown AccountMismatch", got.Services[0].State, got.Services[0].Reason)
		}
	}
	if got := look(anEnvironment(nil), &rollout.View{}); got.Services[0].Hash != "h1" || len(got.Services[0].Failed) != 1 {
		t.Errorf("once the mistake is mended %+v is remembered, wanted what was before", got)
	}
	if got := look(mistaken, &rollout.View{}); got.AccountID != twinAccount || got.Services[0].Hash != "" || got.Services[0].Failed != nil {
		t.Errorf("of the service that the other account does have, %+v is remembered, wanted nothing", got)
	}
}
