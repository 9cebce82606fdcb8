package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	// branch is what the image is built from; "": the one that goes to production.
	branch string
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

// acts are those of the story.
func acts() (two, other, three, four *act) {
	everywhere := func(lab.Cluster) bool { return true }
	toStaging := func(c lab.Cluster) bool { return strings.Contains(c.Name, staging) }
	two = &act{tag: "v2", ends: both(released("v2")), runs: both("v2"), goes: everywhere}
	other = &act{
		tag: "v20", branch: lab.StagingBranch,
		ends: map[string]ending{staging: released("v20"), production: refused("v20")},
		runs: map[string]string{staging: "v20", production: "v2"}, goes: toStaging,
	}
	three = &act{
		tag: "v3", ends: map[string]ending{staging: released("v3"), production: rolledBack("v3")},
		runs: map[string]string{staging: "v3", production: "v2"},
		goes: func(c lab.Cluster) bool { return c.Name == firstWave || toStaging(c) }, back: []string{firstWave},
	}
	four = &act{tag: "v4", ends: both(released("v4")), runs: both("v4"), goes: everywhere}
	return two, other, three, four
}

// tell tells the story: both environments run v1; v2 is released, in production when it has soaked in
// staging, wave by wave; v20 is of another branch, and refused by production; v3 crashes in production's
// first wave and is brought back; v4 mends it. What runs in AWS, and AWS's journal, say of each act
// whether it was so, and that nothing was done twice.
func tell(ctx context.Context, w *world) error {
	if err := follow(ctx, w, both(released("v1"))); err != nil {
		return err
	}
	two, other, three, four := acts()
	say("act one: CI builds %s:v2 from %s, pushes it to ECR in\n"+
		"   Mumbai, which replicates it, and bumps both releases to it. Production takes it\n"+
		"   when it has run well in staging for 5 s, and in waves: Singapore first, Mumbai\n"+
		"   and Virginia when that has gone well", lab.Repository, lab.Branch)
	if err := w.play(ctx, two); err != nil {
		return err
	}
	say("act two: CI builds v20 from %s and bumps both. Staging takes it,\n"+
		"   production takes only what is built from %s", lab.StagingBranch, lab.Branch)
	if err := w.play(ctx, other); err != nil {
		return err
	}
	say("act three: CI builds v3 from %s and bumps both. It reads a setting that\n"+
		"   the backend in Singapore does not have: staging is well with it, and in production's\n"+
		"   first wave it exits with 3", lab.Branch)
	if err := w.play(ctx, three); err != nil {
		return err
	}
	if err := w.explain(ctx); err != nil {
		return err
	}
	say("act four: CI builds v4, which does without that setting, and bumps both")
	if err := w.play(ctx, four); err != nil {
		return err
	}
	if err := w.stranger(ctx); err != nil {
		return err
	}
	if err := w.wayIn(ctx); err != nil {
		return err
	}
	say("what the controller's roles changed in AWS, act by act. (The backend in\n" +
		"   Singapore was rolled back by ECS itself, which is no call of theirs)")
	if err := w.audit(ctx, []*act{two, other, three, four}); err != nil {
		return err
	}
	say("all that they asked of AWS")
	if err := w.summary(ctx); err != nil {
		return err
	}
	say("kubectl get ecsenvironments,ecsreleases,ecsendpoints -A")
	return w.show(ctx, "get", "ecsenvironments,ecsreleases,ecsendpoints", "-A")
}

// play pushes the act's image, bumps both releases to it, follows them to their ends, and shows
// and checks what AWS runs then. Production says meanwhile that it waits for staging, unless it
// refuses the image for good.
func (w *world) play(ctx context.Context, a *act) (err error) {
	if a.before, err = w.revisions(ctx); err != nil {
		return err
	}
	if a.after, err = w.lastCall(ctx); err != nil {
		return err
	}
	if err := w.push(ctx, cmp.Or(a.branch, lab.Branch), a.tag); err != nil {
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
	var waited string
	ends := maps.Clone(a.ends)
	ends[production] = func(release ecsv1alpha1.EcsRelease) (bool, error) {
		if is := current(release, ecsv1alpha1.ConditionReady); is != nil && is.reason == ecsv1alpha1.ReasonAwaitingPromotion {
			if waited == "" {
				say("%s refuses %s for now: %s", production, a.tag, is.message)
			}
			waited = is.message
		}
		return a.ends[production](release)
	}
	if err := follow(ctx, w, ends); err != nil {
		return err
	}
	switch refuses := a.branch != ""; {
	case refuses:
		if err := w.quote(ctx, production, name); err != nil {
			return err
		}
	case waited == "":
		return fmt.Errorf("production released %s and never said that it waits for staging", a.tag)
	default:
		say("%s said last, before it began: %s", production, waited)
	}
	say("what runs in AWS now")
	return w.running(ctx, a.runs)
}

// quote shows what the condition Ready of a release says.
func (w *world) quote(ctx context.Context, namespace, name string) error {
	var release ecsv1alpha1.EcsRelease
	if err := w.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &release); err != nil {
		return fmt.Errorf("reading release %s/%s: %w", namespace, name, err)
	}
	if is := current(release, ecsv1alpha1.ConditionReady); is != nil {
		say("%s/%s says: %s: %s", namespace, name, is.reason, is.message)
	}
	return nil
}

// stranger has a namespace that is in no environment ask for production's services, which does
// nothing at all.
func (w *world) stranger(ctx context.Context) error {
	const sandbox = "sandbox"
	say("a namespace that is in no environment asks for production's services")
	after, err := w.lastCall(ctx)
	if err != nil {
		return err
	}
	release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: sandbox, Name: name}}
	var original ecsv1alpha1.EcsRelease
	if err := w.Client.Get(ctx, types.NamespacedName{Namespace: production, Name: name}, &original); err != nil {
		return fmt.Errorf("reading release %s/%s: %w", production, name, err)
	}
	release.Spec = original.Spec
	release.Spec.Image = lab.Repository + ":v1"
	if err := w.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: sandbox}}); err != nil {
		return fmt.Errorf("making namespace %s: %w", sandbox, err)
	}
	if err := w.Client.Create(ctx, release); err != nil {
		return fmt.Errorf("making release %s/%s: %w", sandbox, name, err)
	}
	if err := w.Kubectl(ctx, "-n", sandbox, "wait", "--for=condition=Stalled", "--timeout=30s", "ecsrelease/"+name); err != nil {
		return err
	}
	if err := w.quote(ctx, sandbox, name); err != nil {
		return err
	}
	entries, err := w.journal(ctx, after)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Operation, "Describe") && !strings.HasPrefix(e.Operation, "List") {
			return fmt.Errorf("a release in no environment led to %s", e.Operation)
		}
	}
	say("and AWS's journal has no call since then that was to change anything")
	return w.Kubectl(ctx, "delete", "namespace", sandbox)
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

// refused is the end of a release whose image the environment does not take.
func refused(tag string) ending {
	return func(release ecsv1alpha1.EcsRelease) (bool, error) {
		if is := current(release, ecsv1alpha1.ConditionReady); is == nil || release.Status.Image != lab.Repository+":"+tag {
			return false, nil
		} else if is.is {
			return false, fmt.Errorf("release %s/%s is ready with %s, which it should refuse", release.Namespace, release.Name, tag)
		}
		stalled := current(release, ecsv1alpha1.ConditionStalled)
		if stalled != nil && stalled.reason != ecsv1alpha1.ReasonNotPermitted {
			return false, fmt.Errorf("release %s/%s is stalled: %s: %s, want %s", release.Namespace, release.Name, stalled.reason, stalled.message, ecsv1alpha1.ReasonNotPermitted)
		}
		return stalled != nil, nil
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
