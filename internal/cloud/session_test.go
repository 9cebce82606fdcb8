package cloud

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestARoleThatCannotBeAssumedIsADenialThatNamesIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.id.ExternalID = "wrong"
		w.track("backend")
		problem := w.view(w.key("backend")).Problem
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "sts:AssumeRole", w.id.RoleARN)
		if strings.Contains(problem.Message, "wrong") {
			t.Errorf("message shows the external id: %s", problem.Message)
		}
		if got := w.calls()["DescribeServices"]; got != 0 {
			t.Errorf("%d looks as somebody else", got)
		}
	})
}

func TestAnIdentityOfAnotherAccountReadsAndChangesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		w.id.AccountID = "999988887777"
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch, account, "999988887777")
		_, err := w.fleet.Update(t.Context(), w.key("backend"), base)
		wantProblem(t, asProblem(t, err), rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch)
		calls := w.calls()
		delete(calls, "AssumeRole")
		delete(calls, "GetCallerIdentity")
		if len(calls) > 0 {
			t.Errorf("calls were: %s", spell(calls))
		}
	})
}

func TestWithoutARoleTheProcessItselfIsTheIdentity(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.id = Identity{AccountID: account, Environment: "production"}
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemRefused, ecsv1alpha1.ReasonAccountMismatch, home)
		w.id = Identity{AccountID: home, Environment: "production"}
		w.track("backend")
		wantProblem(t, w.view(w.key("backend")).Problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied,
			"arn:aws:iam::"+home+":user/controller lacks ecs:DescribeServices")
	})
}

func TestSessionsAreNamedAfterTheEnvironmentAndRenewedBeforeTheyEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		time.Sleep(3 * time.Hour)
		if v, _ := w.fleet.View(w.key("backend"), time.Time{}); v == nil || v.Problem != nil {
			t.Fatalf("after three hours the view is %+v", v)
		}
		if got := w.calls()["AssumeRole"]; got < 3 || got > 4 {
			t.Errorf("%d sessions in three hours, wanted one an hour", got)
		}
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "DescribeServices"}) {
			if !strings.HasSuffix(e.Principal, "/ecsrelease-production@eks-1") {
				t.Fatalf("principal is %s", e.Principal)
			}
			if e.Code != "" {
				t.Errorf("a look was answered %s", e.Code)
			}
		}
	}, func(o *Options) { o.SessionCluster = "eks-1" })
}

func TestARoleThatIsAssumedWithoutAnAnswerIsAssumedAnew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.fault(awssim.Fault{Operation: "AssumeRole", Hang: true, Times: 1})
		w.track("backend")
		if problem := w.view(w.key("backend")).Problem; problem == nil || !problem.Delay() {
			t.Fatalf("while nobody answers the problem is %+v, wanted a delay", problem)
		}
		time.Sleep(time.Minute)
		if v, _ := w.fleet.View(w.key("backend"), time.Time{}); v == nil || v.Problem != nil {
			t.Errorf("a minute later the view is %+v, wanted one without a problem", v)
		}
	})
}

func TestCredentialsThatExpiredAreReplacedAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		w.sim.ResetJournal()
		w.fault(awssim.Fault{Service: "ecs", Times: 1, Error: &awssim.FaultError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}})
		noProblem(t, w.view(w.key("backend")).Problem)
		if got := spell(w.calls()); got != "AssumeRole 1, DescribeServices 2, GetCallerIdentity 1" {
			t.Errorf("calls were: %s", got)
		}
	})
}

func TestADenialNamesWhoLacksWhatOnWhat(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		w.id = w.role("reader", []json.RawMessage{policy("Allow", "ecs:Describe*", "*")})
		_, err := w.fleet.Update(t.Context(), w.key("backend"), base)
		problem := asProblem(t, err)
		wantProblem(t, problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied,
			"updating service ap-south-1/helium/backend", "the role reader lacks ecs:UpdateService on arn:aws:ecs:ap-south-1:111122223333:service/helium/backend")
	})
}

func TestSessionNamesKeepToTheAlphabetOfSTS(t *testing.T) {
	for want, c := range map[string][2]string{
		"ecsrelease-production":                 {"production", ""},
		"ecsrelease-production@eks-1":           {"production", "eks-1"},
		"ecsrelease-team-a-b":                   {"team/a b", ""},
		"ecsrelease-" + strings.Repeat("x", 53): {strings.Repeat("x", 80), "c"},
	} {
		if got := sessionName(c[0], c[1]); got != want {
			t.Errorf("session of %q is named %q, wanted %q", c, got, want)
		}
	}
}
