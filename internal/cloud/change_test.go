package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
	"heliumai.space/ecsrelease/internal/taskdef"
)

// derive reads a revision and sets the image of its only container.
func (w *world) derive(revision, image string) taskdef.Derived {
	w.t.Helper()
	document, problem := w.fleet.TaskDefinition(w.t.Context(), w.id, region, revision)
	noProblem(w.t, problem)
	images := map[string]string{}
	for _, c := range document.Containers() {
		images[c.Name] = image
	}
	d, err := taskdef.Derive(document, images)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func asProblem(t *testing.T, err error) *rollout.Problem {
	t.Helper()
	var problem *rollout.Problem
	if !errors.As(err, &problem) {
		t.Fatalf("error is %v, wanted a problem", err)
	}
	if errors.Is(err, ErrLost) {
		t.Fatalf("error %v is a problem and lost at once", err)
	}
	return problem
}

func TestADerivedDocumentIsRegisteredAsItStands(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1, Environment: map[string]string{"EMPTY": "", "LEVEL": "debug"}})
		d := w.derive(base, "docker.io/library/nginx:2")
		w.sim.ResetJournal()
		revision, request, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if revision != "helium-backend:2" || request == "" {
			t.Errorf("registered as %q by request %q, wanted helium-backend:2", revision, request)
		}
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "RegisterTaskDefinition"}) {
			if e.RequestID != request {
				t.Errorf("request id is %q, wanted AWS's %q", request, e.RequestID)
			}
			if diff := cmp.Diff(compact(t, d.Request), compact(t, e.Request)); diff != "" {
				t.Errorf("what was sent is not what was derived (-derived +sent):\n%s", diff)
			}
		}
		document, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision)
		noProblem(t, problem)
		if hash, ours := document.OursHash(); !ours || hash != d.Hash {
			t.Errorf("the revision holds %q, %v, wanted %q", hash, ours, d.Hash)
		}
	})
}

func compact(t *testing.T, document []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A change that is sent is sent once, whatever comes back; and what comes back says whether it
// may have been made.
func TestAChangeIsSentOnceAndItsErrorSaysWhetherItMayHaveBeenMade(t *testing.T) {
	for name, c := range map[string]struct {
		fault  awssim.Fault
		lost   bool
		class  rollout.ProblemClass
		reason string
		words  []string
	}{
		"a 5xx may have been carried out": {
			fault: awssim.Fault{Error: &awssim.FaultError{Status: 500, Code: "ServerException", Message: "oops"}}, lost: true,
		},
		"a 5xx without a body that can be read too": {
			fault: awssim.Fault{Error: &awssim.FaultError{Status: 503, Code: "ServiceUnavailable", Message: "down"}}, lost: true,
		},
		"a lost answer of a change that was made is lost":     {fault: awssim.Fault{Drop: true, Executed: true}, lost: true},
		"a lost answer of a change that was not made is lost": {fault: awssim.Fault{Drop: true}, lost: true},
		"no answer within the deadline is lost":               {fault: awssim.Fault{Hang: true}, lost: true},
		"a throttle is not": {
			fault: awssim.Fault{Throttle: true}, class: rollout.ProblemThrottled, reason: ecsv1alpha1.ReasonObservationFailed,
		},
		"a refusal is not": {
			fault: awssim.Fault{Error: &awssim.FaultError{Code: "ClientException", Message: "No such thing."}},
			class: rollout.ProblemRefused, reason: "own", words: []string{"No such thing."},
		},
		"a limit that is exceeded is not, and is no throttle": {
			fault: awssim.Fault{Error: &awssim.FaultError{Code: "LimitExceededException", Message: "too many revisions"}},
			class: rollout.ProblemRefused, reason: "own",
		},
		"an unknown code is a refusal": {
			fault: awssim.Fault{Error: &awssim.FaultError{Code: "BrandNewException", Message: "hm"}}, class: rollout.ProblemRefused, reason: "own",
		},
		"too many concurrent attempts pass by themselves": {
			fault: awssim.Fault{Error: &awssim.FaultError{Code: "ClientException", Message: "Too many concurrent attempts to create a new revision of the specified family."}},
			class: rollout.ProblemTransient, reason: ecsv1alpha1.ReasonObservationFailed,
		},
		"a denial names the action": {
			fault: awssim.Fault{Error: &awssim.FaultError{Code: "ClientException", Message: "User: arn:aws:sts::111122223333:assumed-role/releases/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/app because no identity-based policy allows the iam:PassRole action"}},
			class: rollout.ProblemDenied, reason: ecsv1alpha1.ReasonAccessDenied, words: []string{"the role releases lacks iam:PassRole on arn:aws:iam::111122223333:role/app"},
		},
		"an expired token is fetched anew": {
			fault: awssim.Fault{Error: &awssim.FaultError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}},
			class: rollout.ProblemTransient, reason: ecsv1alpha1.ReasonObservationFailed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				base := w.service(seed.Service{Name: "backend", Desired: 1})
				d := w.derive(base, "docker.io/library/nginx:2")
				w.settle()
				for operation, reason := range map[string]string{
					"RegisterTaskDefinition": ecsv1alpha1.ReasonRegistrationRefused,
					"UpdateService":          ecsv1alpha1.ReasonUpdateRefused,
				} {
					w.sim.ResetJournal()
					c.fault.Service, c.fault.Operation, c.fault.Times = "ecs", operation, 1
					w.fault(c.fault)
					began := time.Now()
					var err error
					if operation == "UpdateService" {
						_, err = w.fleet.Update(t.Context(), w.key("backend"), base)
					} else {
						_, _, err = w.fleet.Register(t.Context(), w.id, region, d, time.Now())
					}
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("%s took %v, wanted at most its deadline of 5 s", operation, took)
					}
					if got := w.calls()[operation]; got != 1 {
						t.Errorf("%s was sent %d times, wanted once", operation, got)
					}
					if c.lost {
						if !errors.Is(err, ErrLost) || errors.As(err, new(*rollout.Problem)) {
							t.Errorf("error of %s is %v, wanted it lost", operation, err)
						}
						continue
					}
					want := c.reason
					if want == "own" {
						want = reason
					}
					wantProblem(t, asProblem(t, err), c.class, want, c.words...)
				}
			})
		})
	}
}

func TestAnUpdateNamesItsPrimaryDeploymentAndIsNotCalledOffByTheCaller(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		revision := w.revise("helium-backend", "docker.io/library/nginx:2")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.sim.ResetJournal()
		updated, err := w.fleet.Update(ctx, w.key("backend"), revision)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(updated.Primary, "ecs-svc/") || updated.RequestID == "" {
			t.Errorf("update is %+v, wanted a deployment and a request id", updated)
		}
		for _, e := range w.sim.Journal(awssim.JournalFilter{Operation: "UpdateService"}) {
			want := `{"cluster":"helium","service":"backend","taskDefinition":"arn:aws:ecs:ap-south-1:111122223333:task-definition/` + revision + `"}`
			if string(e.Request) != want {
				t.Errorf("what was sent is %s, wanted %s", e.Request, want)
			}
		}
		w.settle()
		w.track("backend")
		if p := w.view(w.key("backend")).Primary(); p.ID != updated.Primary || p.Revision == base {
			t.Errorf("primary deployment is %+v, wanted %s", p, updated.Primary)
		}
	})
}

func TestARevisionThatWasDeregisteredIsRefusedAndReadAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		revision := w.revise("helium-backend", "docker.io/library/nginx:2")
		if _, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision); problem != nil {
			t.Fatal(problem)
		}
		if _, err := w.ecs().DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(revision)}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		_, err := w.fleet.Update(t.Context(), w.key("backend"), revision)
		wantProblem(t, asProblem(t, err), rollout.ProblemRefused, ecsv1alpha1.ReasonUpdateRefused, "inactive")
		document, problem := w.fleet.TaskDefinition(t.Context(), w.id, region, revision)
		noProblem(t, problem)
		if document.Status() != "INACTIVE" {
			t.Errorf("status is %s, wanted INACTIVE: the cache was not cleared", document.Status())
		}
	})
}

func TestNothingIsSentWhileTheWriteGateIsShut(t *testing.T) {
	var needed time.Duration
	var asked string
	shut := func(o *Options) {
		o.Gate = func(environment string, n time.Duration) error {
			needed, asked = n, environment
			return errors.New("the lease ends in 1s")
		}
	}
	inWorld(t, func(t *testing.T, w *world) {
		w.id.Environment = "staging"
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		d := w.derive(base, "docker.io/library/nginx:2")
		w.sim.ResetJournal()
		_, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now())
		wantProblem(t, asProblem(t, err), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "not sent", "the lease ends in 1s")
		_, err = w.fleet.Update(t.Context(), w.key("backend"), base)
		wantProblem(t, asProblem(t, err), rollout.ProblemTransient, ecsv1alpha1.ReasonObservationFailed, "not sent")
		if needed <= 0 || needed > 5*time.Second {
			t.Errorf("the gate was asked for %v, wanted what is left of 5 s", needed)
		}
		if asked != "staging" {
			t.Errorf("the gate was asked about environment %q", asked)
		}
		if got := spell(w.calls()); got != "" {
			t.Errorf("calls were: %s", got)
		}
	}, shut)
}

func TestAFamilyIsRegisteredInOneAtATime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.derive(w.service(seed.Service{Name: "backend", Desired: 1}), "docker.io/library/nginx:2")
		other := w.derive(w.service(seed.Service{Name: "worker", Desired: 1}), "docker.io/library/nginx:2")
		w.fault(awssim.Fault{Service: "ecs", Operation: "RegisterTaskDefinition", Latency: time.Second})
		first := make(chan error, 1)
		go func() {
			_, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now())
			first <- err
		}()
		synctest.Wait()
		_, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now())
		problem := asProblem(t, err)
		wantProblem(t, problem, rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, "helium-backend")
		if problem.RetryAfter <= 0 {
			t.Error("it is not said when to come back")
		}
		if _, _, err := w.fleet.Register(t.Context(), w.id, region, other, time.Now()); err != nil {
			t.Errorf("another family had to wait: %v", err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

func TestOurShareOfTheRegistrationsIsTakenWithoutWaiting(t *testing.T) {
	registry := prometheus.NewRegistry()
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1})
		d := w.derive(base, "docker.io/library/nginx:2")
		began := time.Now()
		for range 10 {
			if _, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now().Add(time.Nanosecond)); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now().Add(time.Nanosecond))
		problem := asProblem(t, err)
		wantProblem(t, problem, rollout.ProblemThrottled, ecsv1alpha1.ReasonObservationFailed, "task-definition-modify")
		if time.Since(began) != 0 {
			t.Errorf("a worker waited %v", time.Since(began))
		}
		if problem.RetryAfter < 1900*time.Millisecond || problem.RetryAfter > 2100*time.Millisecond {
			t.Errorf("to be tried again after %v, wanted 2 s: half of 1/s", problem.RetryAfter)
		}
		time.Sleep(problem.RetryAfter)
		if _, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now().Add(time.Nanosecond)); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	}, func(o *Options) { o.Registerer = registry })
	for series, want := range map[string]float64{
		"ecsrelease_taskdefinition_registrations_total registered":        11,
		"ecsrelease_taskdefinition_registrations_total throttled":         1,
		"ecsrelease_ratelimiter_rejections_total task-definition-modify":  1,
		"ecsrelease_aws_api_requests_total OK RegisterTaskDefinition ECS": 11,
		"ecsrelease_aws_api_requests_total OK AssumeRole STS":             1,
	} {
		if got := counters(t, registry)[series]; got != want {
			t.Errorf("%s is %v, wanted %v", series, got, want)
		}
	}
}

// counters are the values of all counters, by name and label values in the order of the labels.
func counters(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			values[name] = m.GetCounter().GetValue()
		}
	}
	return values
}

func TestValuesOfEnvironmentVariablesAreNotInMessages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		base := w.service(seed.Service{Name: "backend", Desired: 1, Environment: map[string]string{"TOKEN": "s3cr3t-t0ken"}})
		d := w.derive(base, "docker.io/library/nginx:2")
		w.fault(awssim.Fault{Service: "ecs", Operation: "RegisterTaskDefinition", Error: &awssim.FaultError{Code: "ClientException", Message: "Value s3cr3t-t0ken is bad."}})
		_, _, err := w.fleet.Register(t.Context(), w.id, region, d, time.Now())
		problem := asProblem(t, err)
		wantProblem(t, problem, rollout.ProblemRefused, ecsv1alpha1.ReasonRegistrationRefused, "Value … is bad.")
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("message is %q", err)
		}
	})
}
