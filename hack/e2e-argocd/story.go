package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

// The environments of config/samples.
const (
	staging    = "staging"
	production = "production"
)

// soak is how long an image has to run in staging first, as hack/e2e-argocd/platform says.
const soak = 15 * time.Second

// application is the Argo CD Application of an environment.
func application(environment string) string { return lab.Repository + "-" + environment }

// tell tells the story: what was there is adopted; a push to the staging branch reaches staging and
// nothing else; one to the other branch reaches staging, and production when it has soaked; a bad
// image shows as Degraded and git revert mends that; and a hold stands against self-heal.
func tell(ctx context.Context, w *world) error {
	first, err := w.gitops.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	for _, environment := range []string{staging, production} {
		if _, err := w.await(ctx, application(environment), first, "Healthy", isHealthy, nil); err != nil {
			return err
		}
	}
	for _, act := range []func(context.Context, *world) error{toStaging, toProduction, failing, held, untouched} {
		if err := act(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// toStaging pushes to the staging branch.
func toStaging(ctx context.Context, w *world) error {
	say("git push origin %s", lab.StagingBranch)
	r, err := w.push(ctx, lab.StagingBranch, "Greet politely", nil)
	if err != nil {
		return err
	}
	if err := w.follow(ctx, r, staging); err != nil {
		return err
	}
	if _, err := w.await(ctx, application(production), r.commit, "Healthy", isHealthy, nil); err != nil {
		return err
	}
	return w.untouchedIn(ctx, production, r.after)
}

// untouchedIn checks that nothing was updated in an environment after a call.
func (w *world) untouchedIn(ctx context.Context, environment string, after uint64) error {
	updates, err := w.updates(ctx, environment, after)
	if err != nil {
		return err
	}
	if len(updates) > 0 {
		return fmt.Errorf("%d services of %s were updated, want none", len(updates), environment)
	}
	fmt.Printf("no service of %s was updated\n", environment)
	return nil
}

// toProduction pushes to the branch that goes to staging, and from there to production.
func toProduction(ctx context.Context, w *world) error {
	say("git push origin %s", lab.Branch)
	r, err := w.push(ctx, lab.Branch, "Answer faster", nil)
	if err != nil {
		return err
	}
	if want := []string{staging, production}; !slices.Equal(r.environments, want) {
		return fmt.Errorf("%s bumps %v, want %v", lab.Branch, r.environments, want)
	}
	if err := w.follow(ctx, r, staging); err != nil {
		return err
	}
	ready, err := w.stable(ctx, staging, r.tag)
	if err != nil {
		return err
	}
	// Argo CD keeps the message that it saw with a health for as long as that health lasts: it may be of
	// before the controller had looked.
	if err := w.refresh(ctx, "normal"); err != nil {
		return err
	}
	waits, err := w.await(ctx, application(production), r.commit, "waiting for the promotion", func(s sight) bool {
		return s.sync == "Synced" && s.health == "Progressing" && strings.Contains(s.message, ecsv1alpha1.ReasonAwaitingPromotion)
	}, nil)
	if err != nil {
		return err
	}
	say("%s is Progressing meanwhile: %s", application(production), waits.message)
	if err := w.follow(ctx, r, production); err != nil {
		return err
	}
	updates, err := w.updates(ctx, production, r.after)
	if err != nil {
		return err
	}
	if soaked := updates[0].Time.Sub(ready); soaked < soak {
		return fmt.Errorf("production was updated when it had run in staging for %s, want %s", soaked, soak)
	}
	fmt.Printf("it had run in staging for %.1f s before\n", updates[0].Time.Sub(ready).Seconds())
	return nil
}

// failing pushes an image that crashes, and mends that with git revert.
func failing(ctx context.Context, w *world) error {
	say("git push origin %s, of what exits with 3", lab.Branch)
	r, err := w.push(ctx, lab.Branch, "Answer faster still", w.crashing)
	if err != nil {
		return err
	}
	degraded, err := w.await(ctx, application(staging), r.commit, "Degraded", func(s sight) bool {
		return s.sync == "Synced" && s.health == "Degraded"
	}, func(s sight) error {
		if isHealthy(s) {
			return fmt.Errorf("it is Healthy: %s", s.message)
		}
		return nil
	})
	if err != nil {
		return err
	}
	say("%s is Degraded, %.1f s after the push: %s", application(staging), degraded.at.Sub(r.pushed).Seconds(), degraded.message)
	for _, word := range []string{ecsv1alpha1.ReasonContainerExited, "exited with code 3"} {
		if !strings.Contains(degraded.message, word) {
			return fmt.Errorf("the message in Argo CD has no %q", word)
		}
	}
	if _, err := w.await(ctx, application(production), r.commit, "waiting for the promotion", func(s sight) bool {
		return s.sync == "Synced" && s.health == "Progressing"
	}, nil); err != nil {
		return err
	}
	if err := w.untouchedIn(ctx, production, r.after); err != nil {
		return err
	}

	say("git revert, of both bumps")
	after, err := w.lastCall(ctx)
	if err != nil {
		return err
	}
	commit, err := w.revert(ctx, len(r.environments))
	if err != nil {
		return err
	}
	began := time.Now()
	for _, environment := range []string{staging, production} {
		healthy, err := w.await(ctx, application(environment), commit, "Healthy", isHealthy, nil)
		if err != nil {
			return err
		}
		fmt.Printf("%s is Healthy after %.1f s: %s\n", application(environment), healthy.at.Sub(began).Seconds(), healthy.message)
		if err := w.untouchedIn(ctx, environment, after); err != nil {
			return fmt.Errorf("the rollback had brought everything back already: %w", err)
		}
	}
	return nil
}

// crashing has the containers of an image exit with 3.
func (w *world) crashing(ctx context.Context, digest string) error {
	behavior := map[string]any{"image": "*" + digest, "kind": "Crash", "exitCode": 3, "afterSeconds": 3}
	return w.account.AWS.Admin(ctx, http.MethodPut, "images", behavior, nil)
}

// revert reverts the last commits of the manifest repository, each by one, and returns the last.
func (w *world) revert(ctx context.Context, commits int) (string, error) {
	for _, args := range [][]string{
		{"pull", "--quiet", "--rebase", "origin", "main"},
		{"revert", "--no-edit", fmt.Sprintf("HEAD~%d..HEAD", commits)},
		{"push", "--quiet", "origin", "HEAD:main"},
	} {
		if _, err := w.gitops.git(ctx, args...); err != nil {
			return "", err
		}
	}
	commit, err := w.gitops.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	return commit, w.webhook(ctx)
}

// held goes back by hand to what ran before, has Argo CD heal itself meanwhile, and lets go.
func held(ctx context.Context, w *world) error {
	commit, err := w.gitops.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	say("an emergency: kubectl annotate ecsrelease %s ecs.heliumai.space/hold=$(date +%%s)/previous", lab.Repository)
	before, err := w.release(ctx, staging)
	if err != nil {
		return err
	}
	if err := w.order(ctx, ecsv1alpha1.AnnotationHold, fmt.Sprint(time.Now().Unix())+"/previous"); err != nil {
		return err
	}
	suspended, err := w.await(ctx, application(staging), commit, "Suspended", func(s sight) bool { return s.health == "Suspended" }, nil)
	if err != nil {
		return err
	}
	say("%s is %s and %s: %s", application(staging), suspended.sync, suspended.health, suspended.message)
	if _, err := w.stable(ctx, staging, "v2"); err != nil {
		return fmt.Errorf("it is held: %w", err)
	}

	say("somebody changes by hand what Git says, and Argo CD heals that")
	const wave = "argocd.argoproj.io/sync-wave"
	if err := w.order(ctx, wave, "7"); err != nil {
		return err
	}
	if err := w.eventually(ctx, "the annotation is as in Git again", func() (bool, error) {
		release, err := w.release(ctx, staging)
		return err == nil && release.Annotations[wave] == before.Annotations[wave], err
	}); err != nil {
		return err
	}
	if err := w.refresh(ctx, "hard"); err != nil {
		return err
	}
	healed, err := w.await(ctx, application(staging), commit, "compared once more", func(s sight) bool {
		return s.compared > suspended.compared && s.sync == "Synced" && s.health == "Suspended"
	}, nil)
	if err != nil {
		return err
	}
	after, err := w.release(ctx, staging)
	if err != nil {
		return err
	}
	if after.Status.Hold == nil || after.Generation != before.Generation {
		return fmt.Errorf("the hold did not survive: it is %+v, generation %d, was %d", after.Status.Hold, after.Generation, before.Generation)
	}
	if _, err := w.stable(ctx, staging, "v2"); err != nil {
		return fmt.Errorf("it was healed: %w", err)
	}
	say("the hold has survived it: %s and %s", healed.sync, healed.health)

	say("kubectl annotate ecsrelease %s ecs.heliumai.space/release-hold=$(date +%%s)", lab.Repository)
	if err := w.order(ctx, ecsv1alpha1.AnnotationReleaseHold, fmt.Sprint(time.Now().Unix())); err != nil {
		return err
	}
	healthy, err := w.await(ctx, application(staging), commit, "Healthy once more", func(s sight) bool {
		return s.at.After(healed.at) && isHealthy(s)
	}, nil)
	if err != nil {
		return err
	}
	if _, err := w.stable(ctx, staging, "v3"); err != nil {
		return fmt.Errorf("the hold has ended: %w", err)
	}
	fmt.Printf("%s is %s: %s\n", application(staging), healthy.health, healthy.message)
	return nil
}

// order annotates the release of staging.
func (w *world) order(ctx context.Context, annotation, value string) error {
	return w.Kubectl(ctx, "-n", staging, "annotate", "ecsrelease", lab.Repository, "--overwrite", annotation+"="+value)
}

// release reads the release of an environment.
func (w *world) release(ctx context.Context, environment string) (*ecsv1alpha1.EcsRelease, error) {
	var release ecsv1alpha1.EcsRelease
	if err := w.Client.Get(ctx, types.NamespacedName{Namespace: environment, Name: lab.Repository}, &release); err != nil {
		return nil, fmt.Errorf("reading the release of %s: %w", environment, err)
	}
	return &release, nil
}

// eventually polls until something is so.
func (w *world) eventually(ctx context.Context, what string, is func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		so, err := is()
		if err != nil || so {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}

// untouched checks that nobody but Argo CD has written the releases, their status aside, and that
// each generation of theirs is a commit.
func untouched(ctx context.Context, w *world) error {
	say("who wrote what of the releases")
	for environment, commits := range map[string]int64{
		staging:    5, // the first, v2, v3, v4 and the revert
		production: 4, // the first, v3, v4 and the revert
	} {
		release, err := w.release(ctx, environment)
		if err != nil {
			return err
		}
		if release.Generation != commits {
			return fmt.Errorf("the release of %s is of generation %d, and Git has changed it %d times", environment, release.Generation, commits)
		}
		for _, entry := range release.ManagedFields {
			owns := entry.FieldsV1.GetRawString()
			fmt.Printf("%-10s  %-28s %-6s  spec: %-5t  status: %t\n", environment, entry.Manager, entry.Operation,
				strings.Contains(owns, `"f:spec"`), strings.Contains(owns, `"f:status"`))
			if strings.Contains(owns, `"f:spec"`) && entry.Manager != "argocd-controller" {
				return fmt.Errorf("%s has written the spec of the release of %s", entry.Manager, environment)
			}
			if strings.Contains(owns, `"f:status"`) && entry.Subresource != "status" {
				return fmt.Errorf("%s has written the status of the release of %s with the rest", entry.Manager, environment)
			}
		}
	}
	return nil
}
