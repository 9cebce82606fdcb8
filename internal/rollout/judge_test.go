package rollout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

func placed(target string, state ecsv1alpha1.ServiceState, reason, message string) Placed {
	return Placed{Target: target, Status: ecsv1alpha1.ServiceStatus{
		Name: "worker", State: state, Reason: reason, Message: message, Source: ecsv1alpha1.SourceReleased,
	}}
}

func TestAReleaseIsJudgedByItsServices(t *testing.T) {
	ready := placed("mumbai", ecsv1alpha1.ServiceInSync, "", "runs app:2")
	deploying := placed("virginia", ecsv1alpha1.ServiceDeploying, ecsv1alpha1.ReasonProgressing, "app:2: 1/2 tasks run")
	outOfSync := placed("virginia", ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonOutOfSync, "")
	unknown := placed("tokyo", ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonObservationFailed, "Rate exceeded")
	failed := placed("virginia", ecsv1alpha1.ServiceFailed, ecsv1alpha1.ReasonCircuitBreaker, "rolled back")
	late := placed("virginia", ecsv1alpha1.ServiceFailed, ecsv1alpha1.ReasonDeadline, "no progress")
	missing := placed("tokyo", ecsv1alpha1.ServiceMissing, ecsv1alpha1.ReasonServiceNotFound, "no such service")
	denied := placed("tokyo", ecsv1alpha1.ServiceUnknown, ecsv1alpha1.ReasonAccessDenied, "ecs:DescribeServices")
	absent := placed("tokyo", ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonImageNotFound, "app:v2 is not in tokyo")
	rolling := placed("tokyo", ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonRollbackInProgress, "rolling back")
	adopted := ready
	adopted.Status.Source = ecsv1alpha1.SourceAdopted
	zero := placed("tokyo", ecsv1alpha1.ServiceInSync, ecsv1alpha1.ReasonScaledToZero, "")

	for name, c := range map[string]struct {
		release Release
		phase   Phase
		reason  string
		failure ecsv1alpha1.Failure
		says    string
	}{
		"all in sync":                 {Release{Services: []Placed{ready, ready}}, PhaseReady, ecsv1alpha1.ReasonReleased, ecsv1alpha1.Failure{}, "2/2 services run app:v2"},
		"all in sync while suspended": {Release{Services: []Placed{ready}, Suspended: true}, PhaseReady, ecsv1alpha1.ReasonReleased, ecsv1alpha1.Failure{}, "1/1"},
		"all adopted":                 {Release{Services: []Placed{adopted}}, PhaseReady, ecsv1alpha1.ReasonReleased, ecsv1alpha1.Failure{}, "1/1"},
		"one scaled to zero":          {Release{Services: []Placed{ready, zero}}, PhaseReady, ecsv1alpha1.ReasonScaledToZero, ecsv1alpha1.Failure{}, "scaled to zero, so nothing is proven there: tokyo/worker"},
		"one deploying":               {Release{Services: []Placed{ready, outOfSync, deploying}}, PhaseProgressing, ecsv1alpha1.ReasonProgressing, ecsv1alpha1.Failure{}, "1/3 services run app:v2; virginia/worker: Deploying, app:2: 1/2 tasks run; virginia/worker: OutOfSync"},
		"one unknown":                 {Release{Services: []Placed{ready, unknown}}, PhaseObserving, ecsv1alpha1.ReasonObservationFailed, ecsv1alpha1.Failure{}, "tokyo/worker: Unknown (ObservationFailed), Rate exceeded"},
		"one unknown, one deploying":  {Release{Services: []Placed{unknown, deploying}}, PhaseProgressing, ecsv1alpha1.ReasonProgressing, ecsv1alpha1.Failure{}, "Deploying"},
		"not observed yet":            {Release{Services: []Placed{{Target: "tokyo"}}}, PhaseObserving, ecsv1alpha1.ReasonObserving, ecsv1alpha1.Failure{}, "0/1"},
		"no services":                 {Release{}, PhaseObserving, ecsv1alpha1.ReasonObserving, ecsv1alpha1.Failure{}, "0/0"},
		"one failed":                  {Release{Services: []Placed{deploying, failed, ready}}, PhaseFailed, ecsv1alpha1.ReasonCircuitBreaker, ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureCircuitBreaker, Target: "virginia", Service: "worker", Message: "rolled back"}, "virginia/worker: Failed (CircuitBreaker), rolled back"},
		"one failed while suspended":  {Release{Services: []Placed{failed}, Suspended: true}, PhaseFailed, ecsv1alpha1.ReasonCircuitBreaker, ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureCircuitBreaker, Target: "virginia", Service: "worker", Message: "rolled back"}, ""},
		"one late":                    {Release{Services: []Placed{late, missing}}, PhaseFailed, ecsv1alpha1.ReasonDeadline, ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureDeadline, Target: "virginia", Service: "worker", Message: "no progress"}, "no progress"},
		"one missing":                 {Release{Services: []Placed{deploying, missing}}, PhaseBlocked, ecsv1alpha1.ReasonServiceNotFound, ecsv1alpha1.Failure{}, "tokyo/worker: Missing (ServiceNotFound), no such service"},
		"one denied":                  {Release{Services: []Placed{ready, denied}}, PhaseBlocked, ecsv1alpha1.ReasonAccessDenied, ecsv1alpha1.Failure{}, "ecs:DescribeServices"},
		"one rolling back":            {Release{Services: []Placed{deploying, rolling}}, PhaseProgressing, ecsv1alpha1.ReasonRollbackInProgress, ecsv1alpha1.Failure{}, "rolling back"},
		"suspended":                   {Release{Services: []Placed{ready, deploying}, Suspended: true}, PhaseSuspended, ecsv1alpha1.ReasonSuspended, ecsv1alpha1.Failure{}, "the release is suspended; 1/2"},
		"no environment":              {Release{Services: []Placed{ready}, Blocked: &Problem{Class: ProblemRefused, Reason: ecsv1alpha1.ReasonNoEnvironment, Message: "no environment names default"}}, PhaseBlocked, ecsv1alpha1.ReasonNoEnvironment, ecsv1alpha1.Failure{}, "no environment names default"},
		"an identity that times out":  {Release{Services: []Placed{ready}, Blocked: &Problem{Class: ProblemTransient, Message: "AssumeRole timed out"}}, PhaseObserving, ecsv1alpha1.ReasonObservationFailed, ecsv1alpha1.Failure{}, "AssumeRole timed out"},
		"an image not there yet":      {Release{Services: []Placed{outOfSync, absent}}, PhaseWaiting, ecsv1alpha1.ReasonImageNotFound, ecsv1alpha1.Failure{}, "app:v2 is not in tokyo"},
		"an image that never came while an older one is in flight": {
			Release{Services: []Placed{{Target: "tokyo", Status: deploying.Status, Problem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonImageNotFound, Message: "app:v3 is not in tokyo"}}}, ImageMissingSince: now.Add(-10 * time.Minute)},
			PhaseFailed, ecsv1alpha1.ReasonImageMissing,
			ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureImageMissing, Target: "tokyo"},
			"app:v3 is not in tokyo",
		},
		"an image not there for long":  {Release{Services: []Placed{outOfSync, absent}, ImageMissingSince: now.Add(-10 * time.Minute)}, PhaseFailed, ecsv1alpha1.ReasonImageMissing, ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureImageMissing, Target: "tokyo"}, "goes on by itself when it arrives"},
		"an image of a wrong kind":     {Release{Services: []Placed{outOfSync}, ImageProblem: &Problem{Class: ProblemRefused, Reason: ecsv1alpha1.ReasonImageMismatch, Message: "two digests"}}, PhaseBlocked, ecsv1alpha1.ReasonImageMismatch, ecsv1alpha1.Failure{}, "two digests"},
		"a registry that times out":    {Release{Services: []Placed{outOfSync}, ImageProblem: &Problem{Class: ProblemTransient, Reason: ecsv1alpha1.ReasonImageUnknown, Message: "timed out"}}, PhaseProgressing, ecsv1alpha1.ReasonProgressing, ecsv1alpha1.Failure{}, ""},
		"an image gone when all is in": {Release{Services: []Placed{ready}, ImageProblem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonImageNotFound}, ImageMissingSince: now.Add(-time.Hour)}, PhaseReady, ecsv1alpha1.ReasonReleased, ecsv1alpha1.Failure{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.release.Now, c.release.Image, c.release.ImageDeadline = now, "app:v2", 10*time.Minute
			got := Judge(c.release)
			checkContract(t, got)
			if got.Phase != c.phase || got.ReadyCondition.Reason != c.reason {
				t.Errorf("%s (%s), want %s (%s)", got.Phase, got.ReadyCondition.Reason, c.phase, c.reason)
			}
			if !strings.Contains(got.ReadyCondition.Message, c.says) {
				t.Errorf("message %q, want %q in it", got.ReadyCondition.Message, c.says)
			}
			if got.Failure != nil {
				if c.failure.Message == "" {
					got.Failure.Message = ""
				}
				got.Failure.At = metav1.Time{}
				if diff := cmp.Diff(c.failure, *got.Failure); diff != "" {
					t.Errorf("failure (-want +got):\n%s", diff)
				}
			}
			if got.Adopted != (name == "all adopted") {
				t.Errorf("adopted %t", got.Adopted)
			}
		})
	}
}

func TestTheImageHasAConditionOfItsOwn(t *testing.T) {
	services := []Placed{placed("mumbai", ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonOutOfSync, "")}
	for name, c := range map[string]struct {
		release Release
		status  metav1.ConditionStatus
		reason  string
	}{
		"not looked for": {Release{}, metav1.ConditionUnknown, ecsv1alpha1.ReasonImageUnknown},
		"found":          {Release{ImageChecked: true}, metav1.ConditionTrue, ecsv1alpha1.ReasonImageAvailable},
		"denied":         {Release{ImageProblem: &Problem{Class: ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied}}, metav1.ConditionUnknown, ecsv1alpha1.ReasonImageUnknown},
		"throttled":      {Release{ImageProblem: &Problem{Class: ProblemThrottled}}, metav1.ConditionUnknown, ecsv1alpha1.ReasonImageUnknown},
		"no repository":  {Release{ImageProblem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonRepositoryNotFound}}, metav1.ConditionFalse, ecsv1alpha1.ReasonRepositoryNotFound},
		"missing":        {Release{ImageProblem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonImageNotFound}, ImageMissingSince: now}, metav1.ConditionFalse, ecsv1alpha1.ReasonImageNotFound},
		"missing while suspended": {Release{
			ImageProblem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonImageNotFound}, ImageMissingSince: now, Suspended: true,
		}, metav1.ConditionFalse, ecsv1alpha1.ReasonImageNotFound},
	} {
		c.release.Now, c.release.Services, c.release.ImageDeadline = now, services, time.Minute
		got := Judge(c.release)
		if got.ImageAvailable.Status != c.status || got.ImageAvailable.Reason != c.reason {
			t.Errorf("%s: %+v, want %s %s", name, got.ImageAvailable, c.status, c.reason)
		}
		if want := c.reason == ecsv1alpha1.ReasonImageNotFound; want != (got.Look == time.Minute) {
			t.Errorf("%s: look again in %s", name, got.Look)
		}
	}
}

func TestTheMessageOfABigReleaseIsBoundedAndNamesTheWorstFirst(t *testing.T) {
	r := Release{Now: now, Image: "app:v2"}
	for range 127 {
		r.Services = append(r.Services, placed("mumbai", ecsv1alpha1.ServiceOutOfSync, ecsv1alpha1.ReasonOutOfSync, "x"))
	}
	r.Services = append(r.Services, placed("tokyo", ecsv1alpha1.ServiceMissing, ecsv1alpha1.ReasonServiceNotFound, strings.Repeat("ö", 300)))
	got := Judge(r)
	checkContract(t, got)
	if !strings.HasPrefix(got.ReadyCondition.Message, "0/128 services run app:v2; tokyo/worker: Missing (ServiceNotFound), öö") ||
		!strings.HasSuffix(got.ReadyCondition.Message, "more") {
		t.Errorf("message %q", got.ReadyCondition.Message)
	}
}

func TestADefiniteNoAnywhereHoldsUpTheWholeRelease(t *testing.T) {
	open := steadyInput()
	lookedForEqual(&open, "")
	unknown := steadyInput()
	unknown.View = nil
	missing := steadyInput()
	missing.View = &View{Problem: &Problem{Class: ProblemMissing, Reason: ecsv1alpha1.ReasonServiceNotFound, Message: "no such service"}}

	steps := func(blocked *Problem, inputs ...Input) int {
		var services []Candidate
		for _, in := range inputs {
			services = append(services, Candidate{Target: "t", Input: in})
		}
		n := 0
		for _, d := range Plan(services, blocked, Campaign{}) {
			if d.Step.Action != ActionNone {
				n++
			}
		}
		return n
	}
	if n := steps(nil, open, unknown, open); n != 2 {
		t.Errorf("%d steps beside a service that is unknown, want 2", n)
	}
	if n := steps(nil, open, missing, open); n != 0 {
		t.Errorf("%d steps beside a service that is missing, want none", n)
	}
	if n := steps(&Problem{Reason: ecsv1alpha1.ReasonNoEnvironment}, open); n != 0 {
		t.Errorf("%d steps in a release that is blocked, want none", n)
	}
}

// TestEveryReasonIsClassified reads the reasons from the API's source, so that one added there
// cannot be forgotten here.
func TestEveryReasonIsClassified(t *testing.T) {
	waits := map[string]bool{
		ecsv1alpha1.ReasonReleased: true, ecsv1alpha1.ReasonScaledToZero: true, ecsv1alpha1.ReasonNoTasks: true, ecsv1alpha1.ReasonProgressing: true,
		ecsv1alpha1.ReasonSuspended: true, ecsv1alpha1.ReasonObserving: true, ecsv1alpha1.ReasonObservationFailed: true,
		ecsv1alpha1.ReasonImageNotFound: true, ecsv1alpha1.ReasonImageAvailable: true, ecsv1alpha1.ReasonImageUnknown: true,
		ecsv1alpha1.ReasonOutOfSync: true, ecsv1alpha1.ReasonRollbackInProgress: true,
		ecsv1alpha1.ReasonAwaitingApproval: true, ecsv1alpha1.ReasonAwaitingAction: true, ecsv1alpha1.ReasonWaveNotOpen: true,
		ecsv1alpha1.ReasonVerifying: true, ecsv1alpha1.ReasonVerified: true, ecsv1alpha1.ReasonBaking: true, ecsv1alpha1.ReasonRestarting: true,
		ecsv1alpha1.ReasonAwaitingPromotion: true, ecsv1alpha1.ReasonOutsideWindow: true,
	}
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if got := reasonStanding(reason, standingReady) == standingBlocked; got == waits[reason] {
			t.Errorf("%s stalls a release: %t, want %t", reason, got, !waits[reason])
		}
		return true
	})
	if found < 30 {
		t.Errorf("found %d reasons in the API, which has more", found)
	}
}

func TestAWaveBakesToItsEndWhileAReleaseIsHeld(t *testing.T) {
	at := seconds(now)
	held := Release{
		Now: now, Image: "app:1", Hold: &ecsv1alpha1.Hold{Number: 1},
		Services: []Placed{{Target: "a", Status: ecsv1alpha1.ServiceStatus{Name: "backend", State: ecsv1alpha1.ServiceInSync}}},
		Campaign: Campaign{Held: true, Bake: time.Minute, Waves: []ecsv1alpha1.WaveStatus{{Opened: &at, Synced: &at}}},
	}
	v := Judge(held)
	if v.Phase != PhaseHeld || v.Look <= 0 || v.Look > time.Minute {
		t.Errorf("the phase is %s, looked at again after %s, wanted Held and a minute", v.Phase, v.Look)
	}
}

func TestWhenAReleaseFailedDoesNotChange(t *testing.T) {
	since := seconds(now.Add(-time.Hour))
	failed := Release{Now: now, Image: "app:1", Services: []Placed{{Target: "a", Status: ecsv1alpha1.ServiceStatus{
		Name: "backend", State: ecsv1alpha1.ServiceFailed, Since: since, Reason: ecsv1alpha1.ReasonCircuitBreaker, Message: "deployed by somebody else",
	}}}}
	if f := Judge(failed).Failure; f == nil || !f.At.Equal(&since) {
		t.Errorf("it failed at %v, wanted %v: since when the service is Failed", f, since)
	}
}

// What is read at 3 a.m. is not to be read twice.
func TestAMessageSaysNothingTwice(t *testing.T) {
	for what, c := range map[string]struct{ message, before, want string }{
		"nothing before":     {"runs app:1; waits: it bakes", "", "runs app:1; waits: it bakes"},
		"nothing the same":   {"runs app:1; waits: it bakes", "wave 1 waits", "runs app:1; waits: it bakes"},
		"all of it":          {"exited with code 3; 3 tasks failed", "failed at a/b: exited with code 3; 3 tasks failed", ""},
		"what it waits for":  {"runs app:1; waits: wave 0 waits for approval", "wave 0 waits for approval: annotate it", "runs app:1"},
		"but for both ends":  {"back on app:1; exited with code 3; not tried again", "failed: exited with code 3", "back on app:1; not tried again"},
		"and of no services": {"", "failed", ""},
	} {
		if got := unsaid(c.message, c.before); got != c.want {
			t.Errorf("%s: %q, wanted %q", what, got, c.want)
		}
	}
}
