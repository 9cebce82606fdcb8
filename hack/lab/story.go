package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

// The environments of config/samples, and the release that each has.
const (
	staging    = "staging"
	production = "production"
	name       = "helium-backend"
)

// Where v3 crashes: in the cluster of production's first wave, and of its services in one.
const (
	firstWave     = "helium-singapore-cluster"
	crashingThere = "backend"
)

// act is one release of the story, in both environments.
type act struct {
	tag string
	// ends says how the releases end, by environment.
	ends map[string]ending
	// runs are the tags that the services run afterwards, by environment.
	runs map[string]string
	// goes says whether the act goes to a cluster.
	goes func(lab.Cluster) bool
	// back are the clusters in which it is brought back.
	back []string

	// before is what each service ran before it, and after the last call in AWS's journal.
	before map[place]string
	after  uint64
}

// ending says whether a release has come to its end, and is an error when it has come to another.
type ending func(ecsv1alpha1.EcsRelease) (bool, error)

// tell tells the story: both environments run v1; v2 is released, wave by wave; v3 crashes in
// production's first wave and is brought back; v4 mends it. What runs in AWS, and AWS's journal,
// say of each act whether it was so, and that nothing was done twice.
func tell(ctx context.Context, w *world) error {
	if err := follow(ctx, w, both(released("v1"))); err != nil {
		return err
	}
	everywhere := func(lab.Cluster) bool { return true }
	two := &act{tag: "v2", ends: both(released("v2")), runs: both("v2"), goes: everywhere}
	three := &act{
		tag: "v3", ends: map[string]ending{staging: released("v3"), production: rolledBack("v3")},
		runs: map[string]string{staging: "v3", production: "v2"},
		goes: func(c lab.Cluster) bool { return c.Name == firstWave || strings.Contains(c.Name, staging) }, back: []string{firstWave},
	}
	four := &act{tag: "v4", ends: both(released("v4")), runs: both("v4"), goes: everywhere}

	say("act one: CI pushes %s:v2 to ECR in Mumbai, which replicates it,\n"+
		"   and bumps both releases to it. Production goes in waves: Singapore first,\n"+
		"   Mumbai and Virginia when that has gone well", lab.Repository)
	if err := w.play(ctx, two); err != nil {
		return err
	}
	say("act two: CI pushes v3 and bumps both. It reads a setting that the backend in\n" +
		"   Singapore does not have: staging is well with it, and in production's first\n" +
		"   wave it exits with 3")
	if err := w.play(ctx, three); err != nil {
		return err
	}
	if err := w.explain(ctx); err != nil {
		return err
	}
	say("act three: CI pushes v4, which does without that setting, and bumps both")
	if err := w.play(ctx, four); err != nil {
		return err
	}
	say("what the controller's roles changed in AWS, act by act. (The backend in\n" +
		"   Singapore was rolled back by ECS itself, which is no call of theirs)")
	if err := w.audit(ctx, []*act{two, three, four}); err != nil {
		return err
	}
	say("all that they asked of AWS")
	if err := w.summary(ctx); err != nil {
		return err
	}
	say("kubectl get ecsreleases -A")
	return w.show(ctx, "get", "ecsreleases", "-A")
}

// play pushes the act's image, bumps both releases to it, follows them to their ends, and shows
// and checks what AWS runs then.
func (w *world) play(ctx context.Context, a *act) (err error) {
	if a.before, err = w.revisions(ctx); err != nil {
		return err
	}
	if a.after, err = w.lastCall(ctx); err != nil {
		return err
	}
	if err := w.push(ctx, a.tag); err != nil {
		return err
	}
	if len(a.back) > 0 {
		if err := w.crashing(ctx, a.tag, firstWave, crashingThere); err != nil {
			return err
		}
	}
	for _, namespace := range []string{staging, production} {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:"CI built %s"}},"spec":{"image":"%s:%s"}}`,
			ecsv1alpha1.AnnotationChangeCause, a.tag, lab.Repository, a.tag)
		if err := w.Kubectl(ctx, "-n", namespace, "patch", "ecsrelease", name, "--type=merge", "-p", patch); err != nil {
			return err
		}
	}
	if err := follow(ctx, w, a.ends); err != nil {
		return err
	}
	say("what runs in AWS now")
	return w.running(ctx, a.runs)
}

// both is the same for both environments.
func both[T any](same T) map[string]T { return map[string]T{staging: same, production: same} }

// current is a condition of the release, if it speaks of its present spec; else nil.
func current(release ecsv1alpha1.EcsRelease, condition string) *ready {
	c := meta.FindStatusCondition(release.Status.Conditions, condition)
	if c == nil || c.ObservedGeneration != release.Generation || release.Status.ObservedGeneration != release.Generation {
		return nil
	}
	return &ready{c.Status == "True", c.Reason, c.Message}
}

// ready is a condition as the story reads it.
type ready struct {
	is              bool
	reason, message string
}

// released is the end of a release that goes well.
func released(tag string) ending {
	return func(release ecsv1alpha1.EcsRelease) (bool, error) {
		if stalled := current(release, ecsv1alpha1.ConditionStalled); stalled != nil {
			return false, fmt.Errorf("release %s/%s is stalled: %s: %s", release.Namespace, release.Name, stalled.reason, stalled.message)
		}
		is := current(release, ecsv1alpha1.ConditionReady)
		return is != nil && is.is && release.Status.Image == lab.Repository+":"+tag, nil
	}
}

// rolledBack is the end of a release that fails in the first wave and is brought back, before the
// second wave has opened.
func rolledBack(tag string) ending {
	return func(release ecsv1alpha1.EcsRelease) (bool, error) {
		if is := current(release, ecsv1alpha1.ConditionReady); is == nil || release.Status.Image != lab.Repository+":"+tag {
			return false, nil
		} else if is.is {
			return false, fmt.Errorf("release %s/%s is ready with %s, which crashes", release.Namespace, release.Name, tag)
		}
		for _, wave := range release.Status.Waves {
			if wave.Wave > 0 && wave.Opened != nil {
				return false, fmt.Errorf("release %s/%s opened wave %d with %s, which crashes in wave 0", release.Namespace, release.Name, wave.Wave, tag)
			}
		}
		stalled := current(release, ecsv1alpha1.ConditionStalled)
		if stalled == nil {
			return false, nil
		}
		if len(release.Status.History) == 0 || release.Status.History[0].Outcome != ecsv1alpha1.OutcomeRolledBack {
			return false, fmt.Errorf("release %s/%s ended and was not rolled back: %s: %s", release.Namespace, release.Name, stalled.reason, stalled.message)
		}
		return true, nil
	}
}

// explain shows why the release in production failed, and fails unless that is the crash.
func (w *world) explain(ctx context.Context) error {
	var release ecsv1alpha1.EcsRelease
	if err := w.Client.Get(ctx, types.NamespacedName{Namespace: production, Name: name}, &release); err != nil {
		return fmt.Errorf("reading release %s/%s: %w", production, name, err)
	}
	say("why it failed: status.failure of %s/%s", production, name)
	failure := release.Status.Failure
	if failure == nil {
		return fmt.Errorf("release %s/%s failed, and status.failure does not say why", production, name)
	}
	text, err := yaml.Marshal(failure)
	if err != nil {
		return fmt.Errorf("printing status.failure: %w", err)
	}
	if _, err := os.Stdout.Write(text); err != nil {
		return fmt.Errorf("printing status.failure: %w", err)
	}
	if failure.Class != ecsv1alpha1.FailureContainerExited || failure.Service != crashingThere || !exited(failure, crashCode) {
		return fmt.Errorf("status.failure names class %s of %s/%s: want %s of %s, with exit code %d",
			failure.Class, failure.Target, failure.Service, ecsv1alpha1.FailureContainerExited, crashingThere, crashCode)
	}
	return nil
}

// exited says that a stopped task of the failure has a container that exited with code.
func exited(failure *ecsv1alpha1.Failure, code int32) bool {
	return slices.ContainsFunc(failure.Tasks, func(t ecsv1alpha1.StoppedTask) bool {
		return slices.ContainsFunc(t.Results, func(r ecsv1alpha1.ContainerResult) bool { return r.ExitCode != nil && *r.ExitCode == code })
	})
}
