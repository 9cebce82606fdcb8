package controllers

import (
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
	"heliumai.space/ecsrelease/internal/rollout"
)

// aService is service backend of the release's first target, about to take a step.
func aService(hash string) *service {
	s := &service{key: cloud.Key{Identity: cloud.Identity{AccountID: anAccount}, Region: "ap-south-1", Cluster: "c", Service: "backend"}}
	s.want.Inputs, s.want.Hash = "inputs-1", hash
	s.decision.Step = rollout.Step{Action: rollout.ActionRegister, Hash: hash}
	return s
}

func denied() *rollout.Problem {
	return &rollout.Problem{Class: rollout.ProblemDenied, Reason: ecsv1alpha1.ReasonAccessDenied, Message: "no"}
}

func TestWhatWasRefusedIsNotAskedAgainBeforeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusals{slow: 5 * time.Minute}
		release := aRelease(nil)
		p := &pass{release: release}
		if wait := r.note(p, aService("h1"), denied()); wait != soon {
			t.Errorf("after a refusal the next pass is in %s, want %s: it is to be reported", wait, soon)
		}
		time.Sleep(2 * time.Minute)
		known := r.of(release, aService("h1"))
		if known == nil || known.Message != "no" || known.RetryAfter != 3*time.Minute {
			t.Fatalf("after two minutes %+v is known, want the refusal with 3 minutes to go", known)
		}
		known.Message = "changed by the reader"
		if again := r.of(release, aService("h1")); again.Message != "no" {
			t.Error("readers share what is remembered")
		}
		time.Sleep(3 * time.Minute)
		if known := r.of(release, aService("h1")); known != nil {
			t.Errorf("after five minutes it is still not asked again: %+v", known)
		}
		if len(r.known) != 0 {
			t.Errorf("%d refusals are kept for ever", len(r.known))
		}
	})
}

func TestARefusalThatNamesALongerTimeIsHeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusals{slow: time.Minute}
		release := aRelease(nil)
		problem := denied()
		problem.RetryAfter = time.Hour
		r.note(&pass{release: release}, aService("h1"), problem)
		time.Sleep(59 * time.Minute)
		if r.of(release, aService("h1")) == nil {
			t.Error("it is asked again within the hour")
		}
	})
}

func TestWhatPassesByItselfIsNotRemembered(t *testing.T) {
	r := refusals{slow: time.Minute}
	release := aRelease(nil)
	for class, c := range map[rollout.ProblemClass]struct{ after, want time.Duration }{
		rollout.ProblemThrottled: {9 * time.Second, 9 * time.Second},
		rollout.ProblemTransient: {0, time.Second},
	} {
		wait := r.note(&pass{release: release}, aService("h1"), &rollout.Problem{Class: class, RetryAfter: c.after})
		if wait != c.want {
			t.Errorf("%s: the next try is in %s, want %s", class, wait, c.want)
		}
	}
	if known := r.of(release, aService("h1")); known != nil {
		t.Errorf("remembered: %+v", known)
	}
}

func TestARefusalHoldsForWhatWasAskedOnly(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ecsv1alpha1.EcsRelease, *service)
		holds  bool
	}{
		"the same":                     {func(*ecsv1alpha1.EcsRelease, *service) {}, true},
		"content that was not derived": {func(_ *ecsv1alpha1.EcsRelease, s *service) { s.want.Hash = "" }, true},
		"another role":                 {func(_ *ecsv1alpha1.EcsRelease, s *service) { s.key.Identity.RoleARN = "another" }, true},
		"another spec":                 {func(r *ecsv1alpha1.EcsRelease, _ *service) { r.Generation++ }, false},
		"another image":                {func(_ *ecsv1alpha1.EcsRelease, s *service) { s.want.Inputs = "inputs-2" }, false},
		"another base":                 {func(_ *ecsv1alpha1.EcsRelease, s *service) { s.want.Hash = "h2" }, false},
		"another service":              {func(_ *ecsv1alpha1.EcsRelease, s *service) { s.key.Service = "worker" }, false},
		"another account":              {func(_ *ecsv1alpha1.EcsRelease, s *service) { s.key.Identity.AccountID = twinAccount }, false},
		"another release":              {func(r *ecsv1alpha1.EcsRelease, _ *service) { r.Name = "another" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := refusals{slow: time.Minute}
			release := aRelease(nil)
			r.note(&pass{release: release}, aService("h1"), denied())
			later, s := release.DeepCopy(), aService("h1")
			c.change(later, s)
			if got := r.of(later, s) != nil; got != c.holds {
				t.Errorf("it holds: %v, want %v", got, c.holds)
			}
		})
	}
}

func TestForgettingAReleaseForgetsNoOther(t *testing.T) {
	r := refusals{slow: time.Minute}
	one, two := aRelease(nil), aRelease(nil)
	two.Namespace = "two"
	for _, release := range []*ecsv1alpha1.EcsRelease{one, two} {
		r.note(&pass{release: release}, aService("h1"), denied())
	}
	r.forget(client.ObjectKeyFromObject(one))
	r.forget(client.ObjectKey{Name: "never seen"})
	if r.of(one, aService("h1")) != nil {
		t.Error("the release that was to be forgotten is still refused")
	}
	if r.of(two, aService("h1")) == nil {
		t.Error("the other release was forgotten too")
	}
}
