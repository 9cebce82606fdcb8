package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// inMumbai is a change of release: what its first target runs.
func inMumbai(list ...ecsv1alpha1.Service) func(*ecsv1alpha1.EcsRelease) {
	return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Services = list }
}

// wrong is something wrong with the first of two targets of a release to v2.
type wrong struct {
	name string
	// given adds to a world in which all is well. It may return a change of the release.
	given func(w *world) func(*ecsv1alpha1.EcsRelease)
	// spec changes the release.
	spec   func(*ecsv1alpha1.EcsRelease)
	reason string
	words  []string
	// blind says that the release may not look at anything.
	blind bool
}

func TestWrongInputIsToldAtOnceAndChangesNothing(t *testing.T) {
	for _, c := range slices.Concat(wrongPlaces, wrongImages, wrongServices, wrongEnvironments) {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.push("v1", home, abroad)
			w.push("v2", home, abroad)
			w.serve(desired("backend"))
			w.serveIn(abroad, "helium-singapore-cluster", desired("backend"))
			changes := []func(*ecsv1alpha1.EcsRelease){inBoth}
			if c.given != nil {
				if change := c.given(w); change != nil {
					changes = append(changes, change)
				}
			}
			if c.spec != nil {
				changes = append(changes, c.spec)
			}
			release := w.apply("helium-backend:v2", changes...)
			w.stalled(release, c.reason, c.words...)
			w.event("Warning Stalled: ")
			if !c.blind {
				w.looksAbroad()
				w.await(release, "the other target observed", func(r *ecsv1alpha1.EcsRelease) error {
					if s := service(r, "singapore/backend"); s.Revision != "helium-backend:1" {
						return fmt.Errorf("of it is known %+v", s)
					}
					return nil
				})
			}
			w.changed(0, 0)
		})
	}
}

// looksAbroad waits until the controller has looked at the region abroad twice more.
func (w *world) looksAbroad() {
	w.t.Helper()
	from := w.now()
	w.eventually("looks at the other target", func() error {
		looks := slices.DeleteFunc(w.callsSince(from, "DescribeServices"), func(c awssim.JournalEntry) bool { return c.Region != abroad })
		if len(looks) < 2 {
			return fmt.Errorf("there were %d", len(looks))
		}
		return nil
	})
}

var wrongPlaces = []wrong{{
	name:   "no such cluster",
	spec:   func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Cluster = "helium-nowhere" },
	reason: ecsv1alpha1.ReasonClusterNotFound,
	words:  []string{"mumbai/backend", "helium-nowhere", home},
}, {
	name:   "no such service",
	spec:   inMumbai(services("backnd")...),
	reason: ecsv1alpha1.ReasonServiceNotFound,
	words:  []string{"mumbai/backnd", cluster, home},
}, {
	name:   "no such container",
	spec:   inMumbai(ecsv1alpha1.Service{Name: "backend", ContainerNames: []string{"app"}}),
	reason: ecsv1alpha1.ReasonContainerNotFound,
	words:  []string{"mumbai/backend", "no container app", "it has backend"},
}, {
	name: "no entry of containers for a service",
	spec: func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Image = ""
		r.Spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "app", Image: "helium-backend:v2"}}
	},
	reason: ecsv1alpha1.ReasonContainerNotFound,
	words:  []string{"backend", "spec.containers"},
}, {
	name: "an entry of containers without a service",
	spec: func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Image = ""
		r.Spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "backend", Image: "helium-backend:v2"}, {Name: "proxy", Image: "helium-backend:v2"}}
	},
	reason: ecsv1alpha1.ReasonContainerUnused,
	words:  []string{"spec.containers", `"proxy"`},
}, {
	name: "a service twice",
	spec: func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Targets = append(r.Spec.Targets, ecsv1alpha1.Target{Name: "again", Region: home, Cluster: cluster})
	},
	reason: ecsv1alpha1.ReasonDuplicateService,
	words:  []string{"mumbai", "again", "backend", cluster},
}}

var wrongImages = []wrong{{
	name:   "no such repository",
	spec:   func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "helium-frontend:v2" },
	reason: ecsv1alpha1.ReasonRepositoryNotFound,
	words:  []string{"helium-frontend", home},
}, {
	name: "an image for another architecture",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.pushImage(repository, "intel", seed.Image{Platforms: []string{"linux/amd64"}}, home, abroad)
		return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "helium-backend:intel" }
	},
	reason: ecsv1alpha1.ReasonWrongArchitecture,
	words:  []string{"helium-backend:intel", "linux/amd64", "linux/arm64", "helium-backend:1"},
}, {
	name: "a tag that is not at the digest beside it",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		other := w.push("v3", home, abroad)
		return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "helium-backend:v2@" + other }
	},
	reason: ecsv1alpha1.ReasonImageMismatch,
	words:  []string{"v2", "wanted sha256:"},
}, {
	name: "a tag that is another image in another region",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.pushImage(repository, "v3", seed.Image{Content: "one"}, home)
		w.pushImage(repository, "v3", seed.Image{Content: "another"}, abroad)
		return func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "helium-backend:v3" }
	},
	reason: ecsv1alpha1.ReasonImageMismatch,
	words:  []string{"helium-backend:v3", home, abroad, "push one image to all regions"},
}, {
	name: "a tag in a registry that is not ECR",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Images = &ecsv1alpha1.ImagePolicy{Repositories: []string{"ghcr.io/heliumai/*"}}
		})
		return nil
	},
	spec:   func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "ghcr.io/heliumai/backend:v2" },
	reason: ecsv1alpha1.ReasonRegistryUnsupported,
	words:  []string{"ghcr.io", "name the digest", "Tag"},
}, {
	name:   "an image that is longer than ECS allows with the registry's host",
	spec:   func(r *ecsv1alpha1.EcsRelease) { r.Spec.Image = "helium-" + strings.Repeat("x", 240) + ":v2" },
	reason: ecsv1alpha1.ReasonInvalidImage,
	words:  []string{"mumbai/backend", "characters before the digest", "ECS allows 255"},
}}

// shows waits until ECS shows what was done to a service: it does so a little later.
func (w *world) shows(name string, wanted func(ecstypes.Service) bool) {
	w.t.Helper()
	w.eventually("ECS showing the change of "+name, func() error {
		if s := w.describe(home, cluster, name); !wanted(s) {
			return fmt.Errorf("it shows %s %+v", aws.ToString(s.Status), s.DeploymentConfiguration)
		}
		return nil
	})
}

var wrongServices = []wrong{{
	name: "a service that CodeDeploy deploys",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.serve(seed.Service{Name: "legacy", Desired: 1, Controller: ecstypes.DeploymentControllerTypeCodeDeploy})
		return inMumbai(services("legacy")...)
	},
	reason: ecsv1alpha1.ReasonServiceUnsupported,
	words:  []string{"mumbai/legacy", "CODE_DEPLOY", "wanted the deployment controller ECS"},
}, {
	name: "a service that something else deploys",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.serve(seed.Service{Name: "legacy", Desired: 1, Controller: ecstypes.DeploymentControllerTypeExternal})
		return inMumbai(services("legacy")...)
	},
	reason: ecsv1alpha1.ReasonServiceUnsupported,
	words:  []string{"mumbai/legacy", "EXTERNAL", "wanted the deployment controller ECS"},
}, {
	name: "a service that is going away",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.serve(desired("leaver"))
		_, err := w.ecs(home).DeleteService(w.t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(cluster), Service: aws.String("leaver"), Force: aws.Bool(true)})
		w.must(err)
		w.shows("leaver", func(s ecstypes.Service) bool { return aws.ToString(s.Status) != "ACTIVE" })
		return inMumbai(services("leaver")...)
	},
	reason: ecsv1alpha1.ReasonServiceNotActive,
	words:  []string{"mumbai/leaver", "wanted ACTIVE"},
}, {
	name: "two containers that could take the image",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.serve(seed.Service{Name: "twins", Desired: 1, Image: "public.ecr.aws/acme/one:1", Sidecars: map[string]string{"other": "public.ecr.aws/acme/two:1"}})
		return inMumbai(services("twins")...)
	},
	reason: ecsv1alpha1.ReasonContainerAmbiguous,
	words:  []string{"mumbai/twins", "twins", "other", "containerNames"},
}, {
	name: "a deployment configuration that lets nothing happen",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.update(home, &ecs.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(100)}})
		w.shows("backend", func(s ecstypes.Service) bool { return aws.ToInt32(s.DeploymentConfiguration.MaximumPercent) == 100 })
		return nil
	},
	reason: ecsv1alpha1.ReasonCannotProgress,
	words:  []string{"mumbai/backend", "minimumHealthyPercent 100", "maximumPercent 100"},
}}

var wrongEnvironments = []wrong{{
	name: "a namespace in no environment",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.must(w.client.Delete(w.t.Context(), w.environment()))
		w.gone(w.namespace)
		return nil
	},
	reason: ecsv1alpha1.ReasonNoEnvironment,
	words:  []string{"no EcsEnvironment names namespace", "test-"},
	blind:  true,
}, {
	name: "a namespace in two environments",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		second := w.environment()
		second.Name += "-too"
		w.must(w.client.Create(w.t.Context(), second))
		w.seen(second)
		return nil
	},
	reason: ecsv1alpha1.ReasonAmbiguousEnvironment,
	words:  []string{"in 2 EcsEnvironments", "-too", "exactly one"},
	blind:  true,
}, {
	name:   "a target outside of the destinations",
	spec:   func(r *ecsv1alpha1.EcsRelease) { r.Spec.Targets[0].Cluster = "elsewhere" },
	reason: ecsv1alpha1.ReasonNotPermitted,
	words:  []string{"target mumbai", `"elsewhere"`, "no destination of EcsEnvironment"},
}, {
	name: "destinations that cover a service as two identities",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.changeEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.Destinations = append(spec.Destinations, ecsv1alpha1.Destination{
				Region: home, Clusters: []string{"*"}, Services: []string{"*"}, AWS: &ecsv1alpha1.AWSIdentity{AccountID: "111111111111"},
			})
		})
		return nil
	},
	reason: ecsv1alpha1.ReasonIdentityConflict,
	words:  []string{"target mumbai", "as different identities"},
}, {
	name: "a role of another account",
	given: func(w *world) func(*ecsv1alpha1.EcsRelease) {
		w.changeEnvironment(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.AWS.AccountID = "111111111111"
		})
		return nil
	},
	reason: ecsv1alpha1.ReasonAccountMismatch,
	words:  []string{"wanted 111111111111", "role/ecsrelease-"},
	blind:  true,
}}

// changeEnvironment changes the world's environment, and waits until the manager has seen it.
func (w *world) changeEnvironment(change func(*ecsv1alpha1.EcsEnvironmentSpec)) {
	w.t.Helper()
	w.govern(change)
	w.seen(w.governed())
}

// seen waits until the manager knows an environment as it is.
func (w *world) seen(environment *ecsv1alpha1.EcsEnvironment) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("the manager knowing environment %s in generation %d", environment.Name, environment.Generation), func() error {
		var known ecsv1alpha1.EcsEnvironment
		err := w.manager.reader.Get(w.t.Context(), client.ObjectKeyFromObject(environment), &known)
		if err != nil || known.UID != environment.UID || known.Generation != environment.Generation {
			return fmt.Errorf("it knows generation %d: %w", known.Generation, err)
		}
		return nil
	})
}

// gone waits until the manager knows that an environment is gone.
func (w *world) gone(name string) {
	w.t.Helper()
	w.eventually("the manager knowing that environment "+name+" is gone", func() error {
		err := w.manager.reader.Get(w.t.Context(), key{Name: name}, &ecsv1alpha1.EcsEnvironment{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("looking for it: %w", err)
	})
}

func TestADenialNamesTheMissingAction(t *testing.T) {
	for _, action := range []string{
		"sts:AssumeRole", "ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions",
		"ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole", "ecs:UpdateService",
		"ecr:DescribeImages", "ecr:BatchGetImage",
	} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t)
			w.push("v1")
			digest := w.push("v2")
			w.serve(desired("backend"))
			w.deny(action)
			release := w.apply("helium-backend:v2")
			w.stalled(release, ecsv1alpha1.ReasonAccessDenied, action, w.role)
			w.check(w.done("UpdateService") == 0, "the service was updated all the same")
			w.check(service(w.get(release), "mumbai/backend").Intent == nil, "an intent is left over: %+v", service(w.get(release), "mumbai/backend").Intent)

			w.grant()
			w.ready(release)
			w.runs(home, cluster, "backend", w.image(home, "@"+digest))
			w.check(w.done("UpdateService") == 1 && w.done("RegisterTaskDefinition") == 1, "it took %d registrations and %d updates", w.done("RegisterTaskDefinition"), w.done("UpdateService"))
		})
	}
}

// done is how often an operation of the controller succeeded.
func (w *world) done(operation string) int {
	calls := w.calls(operation)
	return len(slices.DeleteFunc(calls, func(c awssim.JournalEntry) bool { return c.Code != "" }))
}

func TestADenialAfterwardsIsToldOfToo(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.push("v2")
	w.serve(desired("backend"))
	w.deny("ecs:ListServiceDeployments")
	release := w.apply("helium-backend:v2")
	w.stalled(release, ecsv1alpha1.ReasonAccessDenied, "ecs:ListServiceDeployments")
	w.grant()
	w.ready(release)
	w.changed(1, 1)
}

func TestAnImageThatARegionLacksIsNamedAtOnceAndFailsLater(t *testing.T) {
	w := newWorld(t)
	w.push("v1", home, abroad)
	digest := w.push("v2", home)
	w.serve(desired("backend"))
	w.serveIn(abroad, "helium-singapore-cluster", desired("backend"))
	release := w.apply("helium-backend:v2", inBoth, func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Strategy = &ecsv1alpha1.Strategy{ImageDeadlineSeconds: aws.Int32(3)}
	})
	r := w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonImageNotFound, "helium-backend", "v2", abroad)
	w.check(condition(r, ecsv1alpha1.ConditionImageAvailable).Reason == ecsv1alpha1.ReasonImageNotFound, "ImageAvailable is %+v", condition(r, ecsv1alpha1.ConditionImageAvailable))
	w.check(condition(r, ecsv1alpha1.ConditionStalled).Status == "absent", "it is Stalled at once")
	w.changed(0, 0)

	r = w.stalled(release, ecsv1alpha1.ReasonImageMissing, "helium-backend", abroad, "image deadline of 3s", "goes on by itself")
	failure := r.Status.Failure
	w.check(failure != nil && failure.Class == ecsv1alpha1.FailureImageMissing, "failure is %+v", failure)
	w.check(failure != nil && failure.Target == "singapore", "failure is of target %q, wanted singapore", failure.Target)
	w.changed(0, 0)

	w.push("v2", abroad)
	w.poke(release, "look")
	r = w.ready(release)
	w.changed(2, 2)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
	w.runs(abroad, "helium-singapore-cluster", "backend", w.image(abroad, "@"+digest))
	w.check(r.Status.Failure == nil, "the failure stays: %+v", r.Status.Failure)
}

func TestAnImageThatArrivesLateIsReleasedByItself(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v2", func(r *ecsv1alpha1.EcsRelease) {
		r.Spec.Strategy = &ecsv1alpha1.Strategy{ImageDeadlineSeconds: aws.Int32(0)}
	})
	w.stalled(release, ecsv1alpha1.ReasonImageMissing)
	digest := w.push("v2")
	w.ready(release)
	w.runs(home, cluster, "backend", w.image(home, "@"+digest))
}

func TestWhatPassesByItselfNeverStalls(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.push("v2")
	w.serve(desired("backend"))
	fault, err := w.sim.AddFault(awssim.Fault{Account: w.account, Principal: "*:assumed-role/*", Operation: "DescribeServices", Error: &awssim.FaultError{Status: 500, Code: "ServerException", Message: "Service Unavailable."}})
	w.must(err)
	release := w.apply("helium-backend:v2")
	r := w.says(release, ecsv1alpha1.ConditionReconciling, ecsv1alpha1.ReasonObservationFailed, "ServerException")
	w.check(condition(r, ecsv1alpha1.ConditionReady).Status == "Unknown", "Ready is %+v", condition(r, ecsv1alpha1.ConditionReady))
	if !w.sim.RemoveFault(fault) {
		t.Fatal("the fault is gone")
	}
	w.ready(release)
	w.changed(1, 1)
	for _, event := range w.witness.eventsIn(w.namespace) {
		w.check(!strings.HasPrefix(event, "Warning Stalled"), "it was Stalled meanwhile: %s", event)
	}
}

func TestWhatAWSRefusesIsToldAndTriedAgainSlowly(t *testing.T) {
	for operation, reason := range map[string]string{
		"RegisterTaskDefinition": ecsv1alpha1.ReasonRegistrationRefused,
		"UpdateService":          ecsv1alpha1.ReasonUpdateRefused,
	} {
		t.Run(operation, func(t *testing.T) {
			w := newWorld(t)
			w.push("v1")
			w.push("v2")
			w.serve(desired("backend"))
			fault, err := w.sim.AddFault(awssim.Fault{Account: w.account, Principal: "*:assumed-role/*", Operation: operation, Error: &awssim.FaultError{Code: "ClientException", Message: "Not on a Sunday."}})
			w.must(err)
			release := w.apply("helium-backend:v2")
			w.stalled(release, reason, "Not on a Sunday")
			w.sweeps(3)
			if tried := len(w.calls(operation)); tried > 8 {
				t.Errorf("it was tried %d times meanwhile", tried)
			}
			w.sim.RemoveFault(fault)
			w.ready(release)
		})
	}
}
